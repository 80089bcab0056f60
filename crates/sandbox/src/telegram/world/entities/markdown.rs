//! `parse_mode=Markdown`, the legacy style: no nesting, four kinds, a backslash escapes before `_*[` and a backtick.

use super::{Entity, Formatted, Kind, Unparsable, utf16_len};

pub(super) fn parse(text: &str) -> Result<Formatted, Unparsable> {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut entities = Vec::new();
    let mut offset = 0;
    let mut i = 0;
    while i < bytes.len() {
        let c = bytes[i];
        if c == b'\\' && matches!(bytes.get(i + 1), Some(b'_' | b'*' | b'`' | b'[')) {
            out.push(char::from(bytes[i + 1]));
            offset += 1;
            i += 2;
            continue;
        }
        if !matches!(c, b'_' | b'*' | b'`' | b'[') {
            let next = text[i..].chars().next().expect("i is on a character boundary");
            out.push(next);
            offset += next.len_utf16();
            i += next.len_utf8();
            continue;
        }
        let begin = i;
        let unclosed = || Unparsable(format!("Can't find end of the entity starting at byte offset {begin}"));
        let fenced = c == b'`' && bytes[i..].starts_with(b"```");
        let (end_mark, from) = match c {
            b'[' => ("]", i + 1),
            _ if fenced => ("```", i + 3),
            b'`' => ("`", i + 1),
            b'*' => ("*", i + 1),
            _ => ("_", i + 1),
        };
        let end = text[from..].find(end_mark).map(|at| from + at).ok_or_else(unclosed)?;
        let mut inner = &text[from..end];
        i = end + end_mark.len();
        let kind = match c {
            b'[' if bytes.get(i) == Some(&b'(') => {
                let close = text[i..].find(')').map_or(text.len(), |at| i + at);
                let url = &text[i + 1..close];
                i = (close + 1).min(text.len());
                link(url)
            }
            b'[' => None,
            _ if fenced => {
                let language = inner.find(char::is_whitespace).map(|at| inner[..at].to_owned());
                if let Some(name) = &language {
                    inner = &inner[name.len()..];
                    inner = inner.strip_prefix('\n').unwrap_or(inner);
                }
                Some(Kind::Pre(language.filter(|name| !name.is_empty())))
            }
            b'`' => Some(Kind::Plain("code")),
            b'*' => Some(Kind::Plain("bold")),
            _ => Some(Kind::Plain("italic")),
        };
        let length = utf16_len(inner);
        if let Some(kind) = kind.filter(|_| length > 0) {
            entities.push(Entity { kind, offset, length });
        }
        out.push_str(inner);
        offset += length;
    }
    Ok(Formatted { text: out, entities })
}

/// What a link's address makes of its text: a link, a mention of a user, or nothing when it is no address.
pub(super) fn link(url: &str) -> Option<Kind> {
    let url = url.trim();
    if let Some(id) = url.strip_prefix("tg://user?id=").and_then(|id| id.parse().ok()) {
        return Some(Kind::TextMention(id));
    }
    let full = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let parsed = url::Url::parse(&full).ok()?;
    match parsed.scheme() {
        "http" | "https"
            if parsed.host_str().is_some_and(|host| host.contains('.') || host == "localhost") =>
        {
            Some(Kind::TextLink(parsed.to_string()))
        }
        "tg" | "ton" | "tonsite" => Some(Kind::TextLink(full)),
        _ => None,
    }
}
