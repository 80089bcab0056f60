//! A scanner over JSON bytes: where values begin and end, nothing copied, nothing built.
//!
//! Why not `serde_json`: updates must travel as the bytes Telegram sent, a view over them is made for each one in
//! about a microsecond, and it has to survive what a typed parser refuses: nesting of any depth (no recursion
//! here), duplicate keys, numbers of any size, members of the wrong type.
//!
//! The grammar is checked strictly, with one exception: bytes from 0x80 on inside strings are taken as they are,
//! because an update that is not quite UTF-8 must be kept too; texts made of it are lossy.

use std::{borrow::Cow, ops::Range};

/// Where the text stops being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not JSON from byte {at} on")]
pub struct Malformed {
    /// The offset of the offending byte, or the length when the text ends too early.
    pub at: usize,
}

/// The first byte at or after `pos` that is no white space.
pub(crate) fn skip_space(bytes: &[u8], mut pos: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(pos) {
        pos += 1;
    }
    pos
}

/// Bytes that end or complicate a string: quote, backslash, control characters.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Whether any of eight bytes is [`SPECIAL`]. May say yes where the answer is no (after a real match), never the
/// other way round.
const fn any_special(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const fn zero(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word & HIGH
    }
    let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
    control | zero(word ^ (ONES * b'"' as u64)) | zero(word ^ (ONES * b'\\' as u64)) != 0
}

/// Past the closing quote of the string whose first byte after the opening quote is at `pos`.
fn string_end(bytes: &[u8], mut pos: usize) -> Result<usize, Malformed> {
    loop {
        while let Some(Ok(chunk)) = bytes.get(pos..pos + 8).map(<[u8; 8]>::try_from)
            && !any_special(u64::from_le_bytes(chunk))
        {
            pos += 8;
        }
        while bytes.get(pos).is_some_and(|byte| !SPECIAL[usize::from(*byte)]) {
            pos += 1;
        }
        match bytes.get(pos) {
            Some(b'"') => return Ok(pos + 1),
            Some(b'\\') => match bytes.get(pos + 1) {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => pos += 2,
                Some(b'u') => {
                    let digits = bytes.get(pos + 2..pos + 6).ok_or(Malformed { at: bytes.len() })?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return Err(Malformed { at: pos });
                    }
                    pos += 6;
                }
                _ => return Err(Malformed { at: pos }),
            },
            _ => return Err(Malformed { at: pos }),
        }
    }
}

fn digits_end(bytes: &[u8], start: usize) -> Result<usize, Malformed> {
    let mut pos = start;
    while bytes.get(pos).is_some_and(u8::is_ascii_digit) {
        pos += 1;
    }
    if pos == start { Err(Malformed { at: start }) } else { Ok(pos) }
}

fn number_end(bytes: &[u8], start: usize) -> Result<usize, Malformed> {
    let mut pos = start;
    if bytes.get(pos) == Some(&b'-') {
        pos += 1;
    }
    pos = if bytes.get(pos) == Some(&b'0') { pos + 1 } else { digits_end(bytes, pos)? };
    if bytes.get(pos) == Some(&b'.') {
        pos = digits_end(bytes, pos + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(pos) {
        pos += 1;
        if let Some(b'+' | b'-') = bytes.get(pos) {
            pos += 1;
        }
        pos = digits_end(bytes, pos)?;
    }
    Ok(pos)
}

/// Past a string, number or literal that begins at `pos`.
fn scalar_end(bytes: &[u8], pos: usize) -> Result<usize, Malformed> {
    let literal = |word: &[u8]| {
        if bytes[pos..].starts_with(word) { Ok(pos + word.len()) } else { Err(Malformed { at: pos }) }
    };
    match bytes.get(pos) {
        Some(b'"') => string_end(bytes, pos + 1),
        Some(b'-' | b'0'..=b'9') => number_end(bytes, pos),
        Some(b't') => literal(b"true"),
        Some(b'f') => literal(b"false"),
        Some(b'n') => literal(b"null"),
        _ => Err(Malformed { at: pos }),
    }
}

/// Which brackets are open: one bit each, so that a hostile text of half a million brackets costs 64 KiB.
#[derive(Default)]
struct Open {
    depth: usize,
    word: u64,
    full: Vec<u64>,
}

impl Open {
    fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.full.push(self.word);
        }
        self.word = self.word << 1 | u64::from(object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.word >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.word = self.full.pop().unwrap_or(0);
        }
    }

    const fn in_object(&self) -> bool {
        self.word & 1 == 1
    }
}

/// Past the key that begins at `pos` and its colon.
fn key_end(bytes: &[u8], pos: usize) -> Result<usize, Malformed> {
    if bytes.get(pos) != Some(&b'"') {
        return Err(Malformed { at: pos });
    }
    let colon = skip_space(bytes, string_end(bytes, pos + 1)?);
    if bytes.get(colon) == Some(&b':') {
        Ok(skip_space(bytes, colon + 1))
    } else {
        Err(Malformed { at: colon })
    }
}

/// Past the value that begins at `pos`, which must be its first byte.
pub(crate) fn value_end(bytes: &[u8], mut pos: usize) -> Result<usize, Malformed> {
    let mut open = Open::default();
    loop {
        // One value begins at `pos`.
        let (object, close) = match bytes.get(pos) {
            Some(b'{') => (true, b'}'),
            Some(b'[') => (false, b']'),
            _ => {
                pos = scalar_end(bytes, pos)?;
                match after_value(bytes, pos, &mut open)? {
                    After::Done(end) => return Ok(end),
                    After::Next(next) => pos = next,
                }
                continue;
            }
        };
        pos = skip_space(bytes, pos + 1);
        if bytes.get(pos) == Some(&close) {
            match after_value(bytes, pos + 1, &mut open)? {
                After::Done(end) => return Ok(end),
                After::Next(next) => pos = next,
            }
        } else {
            open.push(object);
            if object {
                pos = key_end(bytes, pos)?;
            }
        }
    }
}

enum After {
    Done(usize),
    Next(usize),
}

/// A value ended at `pos`: closes what closes here and finds where the next value begins.
fn after_value(bytes: &[u8], mut pos: usize, open: &mut Open) -> Result<After, Malformed> {
    loop {
        if open.depth == 0 {
            return Ok(After::Done(pos));
        }
        pos = skip_space(bytes, pos);
        match (bytes.get(pos), open.in_object()) {
            (Some(b','), true) => return key_end(bytes, skip_space(bytes, pos + 1)).map(After::Next),
            (Some(b','), false) => return Ok(After::Next(skip_space(bytes, pos + 1))),
            (Some(b'}'), true) | (Some(b']'), false) => {
                open.pop();
                pos += 1;
            }
            _ => return Err(Malformed { at: pos }),
        }
    }
}

/// One member of an object.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    /// The key as it stands between its quotes.
    pub(crate) raw_key: &'a [u8],
    /// Where the value stands.
    pub(crate) value: Range<usize>,
}

impl<'a> Member<'a> {
    /// The key, unescaped.
    pub(crate) fn key(&self) -> Cow<'a, [u8]> {
        if memchr::memchr(b'\\', self.raw_key).is_none() {
            Cow::Borrowed(self.raw_key)
        } else {
            Cow::Owned(unescape(self.raw_key).into_owned().into_bytes())
        }
    }
}

/// The parts of an object or array, one after the other. After an error there are no more.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    bytes: &'a [u8],
    pos: usize,
    close: u8,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A part begins at `pos`, or the closing bracket stands there.
    Open,
    /// What stands at `pos` belongs to no JSON; said when the next part is asked for.
    Broken,
    Done,
}

impl<'a> Parts<'a> {
    /// Of the object that begins at `pos`; `None` when none does.
    pub(crate) fn of_object(bytes: &'a [u8], pos: usize) -> Option<Self> {
        Self::of(bytes, pos, b'{', b'}')
    }

    /// Of the array that begins at `pos`; `None` when none does.
    pub(crate) fn of_array(bytes: &'a [u8], pos: usize) -> Option<Self> {
        Self::of(bytes, pos, b'[', b']')
    }

    fn of(bytes: &'a [u8], pos: usize, start: u8, close: u8) -> Option<Self> {
        if bytes.get(pos) != Some(&start) {
            return None;
        }
        let pos = skip_space(bytes, pos + 1);
        Some(Self { bytes, pos, close, state: State::Open })
    }

    /// Past the closing bracket, once there are no more parts and there was no error.
    pub(crate) const fn end(&self) -> usize {
        self.pos
    }

    /// The next member of an object.
    pub(crate) fn next_member(&mut self) -> Option<Result<Member<'a>, Malformed>> {
        let pos = match self.begin()? {
            Ok(pos) => pos,
            Err(malformed) => return Some(Err(malformed)),
        };
        let key =
            key_end(self.bytes, pos).and_then(|value| Ok((value, string_end(self.bytes, pos + 1)? - 1)));
        let member = key.and_then(|(value, key_close)| {
            let value = self.value_at(value)?;
            Ok(Member { raw_key: &self.bytes[pos + 1..key_close], value })
        });
        if member.is_err() {
            self.state = State::Done;
        }
        Some(member)
    }

    /// The next element of an array.
    pub(crate) fn next_element(&mut self) -> Option<Result<Range<usize>, Malformed>> {
        let element = self.begin()?.and_then(|pos| self.value_at(pos));
        if element.is_err() {
            self.state = State::Done;
        }
        Some(element)
    }

    fn begin(&mut self) -> Option<Result<usize, Malformed>> {
        match self.state {
            State::Done => return None,
            State::Broken => {
                self.state = State::Done;
                return Some(Err(Malformed { at: self.pos }));
            }
            State::Open => {}
        }
        if self.bytes.get(self.pos) == Some(&self.close) {
            self.pos += 1;
            self.state = State::Done;
            return None;
        }
        Some(Ok(self.pos))
    }

    /// The value at `pos`; moves on to the next part or to the closing bracket.
    fn value_at(&mut self, pos: usize) -> Result<Range<usize>, Malformed> {
        let end = value_end(self.bytes, pos)?;
        // The value is whole and is given; whatever is wrong after it comes out with the next part.
        self.pos = skip_space(self.bytes, end);
        match self.bytes.get(self.pos) {
            Some(byte) if *byte == self.close => {}
            Some(b',') => {
                self.pos = skip_space(self.bytes, self.pos + 1);
                if self.bytes.get(self.pos) == Some(&self.close) {
                    self.state = State::Broken;
                }
            }
            _ => self.state = State::Broken,
        }
        Ok(pos..end)
    }
}

/// The whole text is one value with white space around it: where the value stands.
pub(crate) fn whole_value(bytes: &[u8]) -> Result<Range<usize>, Malformed> {
    let start = skip_space(bytes, 0);
    let end = value_end(bytes, start)?;
    let after = skip_space(bytes, end);
    if after == bytes.len() { Ok(start..end) } else { Err(Malformed { at: after }) }
}

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn valid(text: &str) -> bool {
        whole_value(text.as_bytes()).is_ok()
    }

    #[test]
    fn the_grammar_is_the_standards() {
        for good in [
            "{}",
            " [ ] ",
            "0",
            "-0.5e+7",
            r#""a\u00e9\n""#,
            r#"{"a":[1,{"b":null}],"c":true}"#,
            "[[],{},[{}]]",
            "1e400",
            "\"\"",
            "123456789012345678901234567890",
        ] {
            assert!(valid(good), "{good}");
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(good).is_ok() || good == "1e400", "{good}");
        }
        for bad in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{a:1}",
            "01",
            "1.",
            "-",
            "+1",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "tru",
            "[1 2]",
            "{\"a\":1 \"b\":2}",
            "[}",
            "{]",
            "1 2",
            "\"open",
            "[1",
            "\"\\u12",
            "nul",
        ] {
            assert!(!valid(bad), "{bad}");
            assert!(serde_json::from_str::<serde::de::IgnoredAny>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn nesting_of_any_depth_is_scanned_without_recursion() {
        for depth in [63, 64, 65, 128, 129, 500_000] {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            assert!(valid(&text), "{depth}");
            let mixed = format!("{}1{}", "[{\"a\":".repeat(depth), "}]".repeat(depth));
            assert!(valid(&mixed), "{depth}");
            let crossed = format!("{}1{}", "[{\"a\":".repeat(depth), "]}".repeat(depth));
            assert!(!valid(&crossed), "{depth}");
        }
    }

    #[test]
    fn every_control_character_is_refused_at_every_place_of_a_word() {
        for byte in 0..0x20_u8 {
            for at in 0..20 {
                let mut text = format!("\"{}\"", "é".repeat(12)).into_bytes();
                text[1 + at] = byte;
                assert_eq!(whole_value(&text), Err(Malformed { at: 1 + at }));
            }
        }
    }

    proptest! {
        #[test]
        fn texts_come_back(text in ".*") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(super::text(json.as_bytes()).unwrap(), text.clone());
            let escaped = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat();
            prop_assert_eq!(unescape(escaped.as_bytes()), text);
        }

        #[test]
        fn whatever_serde_json_takes_is_taken_and_the_rest_is_not(text in r#"[\[\]{}",:0-9a\\ue.\-+tn\n ]{0,24}"#) {
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            prop_assert_eq!(valid(&text), theirs);
        }

        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = whole_value(&bytes);
            let _ = unescape(&bytes);
        }
    }
}
