//! What scalars say.

use std::borrow::Cow;

/// The integer that this value is; `None` for fractions, exponents, texts and what does not fit.
pub(crate) fn integer(value: &[u8]) -> Option<i64> {
    if !value.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-') {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// The text that this value is.
pub(crate) fn text(value: &[u8]) -> Option<Cow<'_, str>> {
    match value {
        [b'"', inner @ .., b'"'] => Some(unescape(inner)),
        _ => None,
    }
}

/// What stands between the quotes of a checked string. Lone surrogates and bytes that are not UTF-8 become U+FFFD.
pub(crate) fn unescape(inner: &[u8]) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', inner) else {
        return String::from_utf8_lossy(inner);
    };
    let mut out = inner[..first].to_vec();
    let mut pos = first;
    while let Some(&byte) = inner.get(pos) {
        if byte != b'\\' {
            let next = memchr::memchr(b'\\', &inner[pos..]).map_or(inner.len(), |at| pos + at);
            out.extend_from_slice(&inner[pos..next]);
            pos = next;
            continue;
        }
        let plain = match inner.get(pos + 1) {
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let (character, used) = unicode_escape(&inner[pos..]);
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                pos += used;
                continue;
            }
            Some(other) => char::from(*other),
            None => char::REPLACEMENT_CHARACTER,
        };
        out.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
        pos += 2;
    }
    Cow::Owned(
        String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

/// The character of the escape (or pair of escapes) that `text` begins with, and its length.
fn unicode_escape(text: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?;
        let digits = escape.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let first = unit(0).unwrap_or(0xFFFD);
    if let Some(second) = unit(6)
        && let Some(Ok(pair)) = char::decode_utf16([first, second]).next()
        && pair.len_utf16() == 2
    {
        return (pair, 12);
    }
    (char::from_u32(first.into()).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
}
