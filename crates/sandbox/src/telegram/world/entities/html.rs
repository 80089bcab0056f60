//! `parse_mode=HTML`: the tags Telegram knows, its character references, and its complaints.

use super::{Entity, Formatted, Kind, Unparsable, markdown::link};

/// The tags Telegram knows.
const TAGS: [&str; 16] = [
    "a",
    "b",
    "strong",
    "i",
    "em",
    "s",
    "strike",
    "del",
    "u",
    "ins",
    "tg-spoiler",
    "tg-emoji",
    "span",
    "pre",
    "code",
    "blockquote",
];

/// A tag that has begun and not ended yet.
struct Open {
    tag: String,
    argument: Option<String>,
    offset: usize,
    begin: usize,
}

pub(super) fn parse(text: &str) -> Result<Formatted, Unparsable> {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut entities: Vec<Entity> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut offset = 0;
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == b'&'
            && let Some((c, length)) = reference(&text[i..])
        {
            out.push(c);
            offset += c.len_utf16();
            i += length;
        } else if bytes[i] != b'<' {
            let c = text[i..].chars().next().expect("i is on a character boundary");
            out.push(c);
            offset += c.len_utf16();
            i += c.len_utf8();
        } else if bytes.get(i + 1) == Some(&b'/') {
            let begin = i;
            let Some(closed) = open.pop() else {
                return Err(Unparsable(format!("Unexpected end tag at byte offset {begin}")));
            };
            let close = text[i..]
                .find('>')
                .ok_or_else(|| Unparsable(format!("Unclosed end tag at byte offset {begin}")))?;
            let name = text[i + 2..i + close].trim().to_ascii_lowercase();
            i += close + 1;
            if !name.is_empty() && name != closed.tag {
                let expected = closed.tag;
                return Err(Unparsable(format!(
                    "Unmatched end tag at byte offset {begin}, expected \"</{expected}>\", found \"</{name}>\""
                )));
            }
            close_tag(closed, offset, &out, &mut entities);
        } else {
            let (tag, argument, length) = start_tag(text, i)?;
            i += length;
            open.push(Open { tag, argument, offset, begin: out.len() });
        }
    }
    if let Some(open) = open.last() {
        return Err(Unparsable(format!("Can't find end tag corresponding to start tag \"{}\"", open.tag)));
    }
    Ok(Formatted { text: out, entities })
}

/// `&lt;` and friends, and numeric references; anything else stays as it was written.
fn reference(rest: &str) -> Option<(char, usize)> {
    let end = rest.as_bytes().iter().take(12).position(|byte| *byte == b';')?;
    let c = match &rest[1..end] {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        name => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')?
        }
    };
    Some((c, end + 1))
}

/// Reads `<tag attributes>` at `at`: the tag, the attribute that matters for it, and the length in bytes.
fn start_tag(text: &str, at: usize) -> Result<(String, Option<String>, usize), Unparsable> {
    let bytes = text.as_bytes();
    let unclosed = || Unparsable(format!("Unclosed start tag at byte offset {at}"));
    let mut i = at + 1;
    while bytes.get(i).is_some_and(|byte| !byte.is_ascii_whitespace() && *byte != b'>') {
        i += 1;
    }
    if i >= bytes.len() {
        return Err(unclosed());
    }
    let tag = text[at + 1..i].to_ascii_lowercase();
    if !TAGS.contains(&tag.as_str()) {
        return Err(Unparsable(format!("Unsupported start tag \"{tag}\" at byte offset {at}")));
    }
    let mut argument = None;
    loop {
        while bytes.get(i).is_some_and(u8::is_ascii_whitespace) {
            i += 1;
        }
        match bytes.get(i) {
            None => return Err(unclosed()),
            Some(b'>') => break,
            Some(_) => {}
        }
        let begin = i;
        while bytes.get(i).is_some_and(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b'>')) {
            i += 1;
        }
        let name = text[begin..i].to_ascii_lowercase();
        if name.is_empty() {
            return Err(Unparsable(format!("Empty attribute name in the tag \"{tag}\" at byte offset {at}")));
        }
        while bytes.get(i).is_some_and(u8::is_ascii_whitespace) {
            i += 1;
        }
        let value = if bytes.get(i) == Some(&b'=') {
            i += 1;
            while bytes.get(i).is_some_and(u8::is_ascii_whitespace) {
                i += 1;
            }
            let (value, next) = attribute_value(text, i).ok_or_else(unclosed)?;
            i = next;
            value
        } else {
            String::new()
        };
        match (tag.as_str(), name.as_str()) {
            ("a", "href") | ("tg-emoji", "emoji-id") => argument = Some(value),
            ("code", "class") => argument = value.strip_prefix("language-").map(str::to_owned),
            ("span", "class") if value == "tg-spoiler" => argument = Some(value),
            ("blockquote", "expandable") => argument = Some(String::new()),
            _ => {}
        }
    }
    if tag == "span" && argument.is_none() {
        return Err(Unparsable(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {at}")));
    }
    Ok((tag, argument, i + 1 - at))
}

fn attribute_value(text: &str, mut i: usize) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    let quote = bytes.get(i).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    if quote.is_some() {
        i += 1;
    }
    let mut value = String::new();
    loop {
        let c = text.get(i..)?.chars().next()?;
        match quote {
            Some(quote) if c == char::from(quote) => return Some((value, i + 1)),
            None if c.is_ascii_whitespace() || c == '>' => return Some((value, i)),
            _ => {}
        }
        if c == '&'
            && let Some((c, length)) = reference(&text[i..])
        {
            value.push(c);
            i += length;
        } else {
            value.push(c);
            i += c.len_utf8();
        }
    }
}

fn close_tag(open: Open, offset: usize, out: &str, entities: &mut Vec<Entity>) {
    let length = offset - open.offset;
    if length == 0 {
        return;
    }
    let kind = match open.tag.as_str() {
        "b" | "strong" => Some(Kind::Plain("bold")),
        "i" | "em" => Some(Kind::Plain("italic")),
        "s" | "strike" | "del" => Some(Kind::Plain("strikethrough")),
        "u" | "ins" => Some(Kind::Plain("underline")),
        "tg-spoiler" | "span" => Some(Kind::Plain("spoiler")),
        "tg-emoji" => open.argument.map(Kind::CustomEmoji),
        "a" => link(open.argument.as_deref().unwrap_or(&out[open.begin..])),
        "blockquote" if open.argument.is_some() => Some(Kind::Plain("expandable_blockquote")),
        "blockquote" => Some(Kind::Plain("blockquote")),
        "pre" => {
            // `<pre><code class="language-x">` is one block with a language.
            let language = match entities.last() {
                Some(last) if last.offset == open.offset && last.length == length => match &last.kind {
                    Kind::Plain("code") => Some(None),
                    Kind::Pre(language) => Some(language.clone()),
                    _ => None,
                },
                _ => None,
            };
            if language.is_some() {
                entities.pop();
            }
            Some(Kind::Pre(language.flatten()))
        }
        // A language outside of `<pre>` means nothing, so it is kept only until that is known.
        _ => Some(open.argument.map_or(Kind::Plain("code"), |language| Kind::Pre(Some(language)))),
    };
    if let Some(kind) = kind {
        entities.push(Entity { kind, offset: open.offset, length });
    }
}
