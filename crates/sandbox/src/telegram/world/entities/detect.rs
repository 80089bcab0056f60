//! What Telegram finds in a text by itself: commands, mentions, tags, addresses, e-mails and phone numbers.
//!
//! A word-by-word reading, good for what people and bots write; not the whole table of domains and rules.

use super::{Entity, Formatted, Kind, sort};

/// Top-level domains under which a bare `name.tld` is taken for an address.
const DOMAINS: [&str; 26] = [
    "com", "org", "net", "ru", "me", "io", "dev", "app", "info", "su", "kz", "by", "ua", "de", "uk", "eu",
    "us", "biz", "online", "shop", "site", "xyz", "ai", "co", "pro", "tv",
];

/// Adds the detected entities where no other link or code is.
pub(crate) fn detect(formatted: &mut Formatted) {
    if !formatted.text.bytes().any(|byte| matches!(byte, b'/' | b'@' | b'#' | b'$' | b'.' | b'+' | b':')) {
        return;
    }
    let mut found = Vec::new();
    let mut offset = 0;
    let mut before = ' ';
    let mut skip_until = 0;
    for (at, c) in formatted.text.char_indices() {
        if at >= skip_until
            && let Some((kind, bytes)) = entity_at(&formatted.text[at..], before)
        {
            let length = super::utf16_len(&formatted.text[at..at + bytes]);
            found.push(Entity { kind: Kind::Plain(kind), offset, length });
            skip_until = at + bytes;
        }
        offset += c.len_utf16();
        before = c;
    }
    found.retain(|entity| {
        formatted.entities.iter().all(|other| {
            let apart = other.end() <= entity.offset || entity.end() <= other.offset;
            let holds =
                matches!(other.kind, Kind::TextLink(_) | Kind::TextMention(_)) || other.kind.is_code();
            apart || !holds
        })
    });
    if !found.is_empty() {
        formatted.entities.append(&mut found);
        sort(&mut formatted.entities);
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn run(text: &str, allowed: impl Fn(char) -> bool) -> usize {
    text.find(|c| !allowed(c)).unwrap_or(text.len())
}

/// The entity that begins right here, if any, and its length in bytes.
fn entity_at(rest: &str, before: char) -> Option<(&'static str, usize)> {
    match rest.as_bytes()[0] {
        b'/' if !is_word(before) && !matches!(before, '/' | '<' | '>' | ']') => command(rest),
        b'@' if !is_word(before) => {
            let length = run(&rest[1..], |c| c.is_ascii_alphanumeric() || c == '_');
            let free = !rest[1 + length..].starts_with(is_word);
            (free && (3..=32).contains(&length)).then_some(("mention", length + 1))
        }
        b'#' if !is_word(before) => {
            let length = run(&rest[1..], is_word);
            let letters = rest[1..=length].chars().any(char::is_alphabetic);
            (letters && length <= 256).then_some(("hashtag", length + 1))
        }
        b'$' if !is_word(before) => {
            let length = run(&rest[1..], |c| c.is_ascii_uppercase());
            let free = !rest[1 + length..].starts_with(is_word);
            (free && (3..=8).contains(&length)).then_some(("cashtag", length + 1))
        }
        b'+' if !is_word(before) => phone(rest),
        first if !is_word(before) && !matches!(before, '@' | '/' | '.' | '#' | '-') => {
            let plausible = first.is_ascii_alphanumeric() || first >= 0x80;
            if plausible { address(rest) } else { None }
        }
        _ => None,
    }
}

fn command(rest: &str) -> Option<(&'static str, usize)> {
    let length = run(&rest[1..], |c| c.is_ascii_alphanumeric() || c == '_');
    if !(1..=64).contains(&length) {
        return None;
    }
    let mut end = 1 + length;
    if let Some(name) = rest[end..].strip_prefix('@') {
        let name_length = run(name, |c| c.is_ascii_alphanumeric() || c == '_');
        if (3..=32).contains(&name_length) {
            end += 1 + name_length;
        }
    }
    let free = !rest[end..].starts_with(|c| is_word(c) || matches!(c, '/' | '<' | '>'));
    free.then_some(("bot_command", end))
}

fn phone(rest: &str) -> Option<(&'static str, usize)> {
    let length = 1 + run(&rest[1..], |c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')'));
    let shown = rest[..length].trim_end_matches([' ', '-', '(']);
    let digits = shown.bytes().filter(u8::is_ascii_digit).count();
    ((9..=15).contains(&digits)).then_some(("phone_number", shown.len()))
}

fn address(rest: &str) -> Option<(&'static str, usize)> {
    let word = &rest[..run(rest, |c| !c.is_whitespace() && !matches!(c, '<' | '>' | '"' | '«' | '»'))];
    let word = word.trim_end_matches(['.', ',', '!', '?', ';', ':', ')', '\'']);
    for scheme in ["https://", "http://", "ftp://", "tonsite://", "tg://"] {
        if let Some(host) = word.strip_prefix(scheme) {
            let plausible = host.starts_with(is_word) && (host.contains('.') || scheme == "tg://");
            return plausible.then_some(("url", word.len()));
        }
    }
    let host_length = run(word, |c| is_word(c) || matches!(c, '.' | '-' | '+' | '@'));
    let host = word[..host_length].trim_end_matches(['.', '-', '+', '@']);
    if let Some((name, domain)) = host.split_once('@') {
        let plausible = !name.is_empty() && domain.contains('.') && !domain.contains('@');
        return plausible.then_some(("email", host.len()));
    }
    let top = host.rsplit_once('.')?.1.to_lowercase();
    let known = DOMAINS.contains(&top.as_str()) || top == "рф";
    if !known || host.starts_with('.') || host.contains("..") || host.contains('+') {
        return None;
    }
    let tail = &word[host.len()..];
    let length = if tail.starts_with(['/', '?', '#', ':']) { word.len() } else { host.len() };
    Some(("url", length))
}
