//! The forms that a body can have, and reading those that must be here whole.

use std::collections::BTreeMap;

use crate::json;

/// How a body holds parameters. Telegram looks for the name anywhere in the `Content-Type`, in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Urlencoded,
    Json,
    Multipart,
    /// Any other type: accepted, and no parameters.
    Other,
}

impl Form {
    pub(crate) fn of(content_type: &str) -> Self {
        let lower = content_type.to_ascii_lowercase();
        if lower.contains("application/x-www-form-urlencoded") {
            Self::Urlencoded
        } else if lower.contains("application/json") {
            Self::Json
        } else if lower.contains("multipart/form-data") {
            Self::Multipart
        } else {
            Self::Other
        }
    }
}

/// Most names that are kept. No method has a tenth of them; without a bound, names of one letter would cost a hundred
/// times their length.
const MAX_NAMES: usize = 1000;

/// Values by name.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub(crate) values: BTreeMap<String, String>,
    /// Whether there were more names than are kept.
    pub(crate) overflowed: bool,
}

impl Texts {
    /// The first occurrence of a name wins.
    pub(crate) fn insert(&mut self, name: String, value: String) {
        if self.values.len() < MAX_NAMES {
            self.values.entry(name).or_insert(value);
        } else if !self.values.contains_key(&name) {
            self.overflowed = true;
        }
    }
}

pub(crate) fn read_urlencoded(body: &[u8], texts: &mut Texts) {
    for (name, value) in form_urlencoded::parse(body) {
        texts.insert(name.into_owned(), value.into_owned());
    }
}

/// Strings unescaped, everything else as its JSON text. A syntax error ends the reading and is no error; a bare
/// string is the parameter `content`. Returns whether all of it was read.
pub(crate) fn read_json(body: &[u8], texts: &mut Texts) -> bool {
    let start = json::skip_space(body, 0);
    if start == body.len() {
        return true;
    }
    if body[start] == b'"' {
        let Ok(value) = json::whole_value(body) else { return false };
        if let Some(content) = json::text(&body[value]) {
            texts.insert("content".to_owned(), content.into_owned());
        }
        return true;
    }
    let Some(mut members) = json::Parts::of_object(body, start) else { return false };
    while let Some(member) = members.next_member() {
        let Ok(member) = member else { return false };
        let name = json::unescape(member.raw_key).into_owned();
        let value = &body[member.value];
        let text = json::text(value).unwrap_or_else(|| String::from_utf8_lossy(value));
        texts.insert(name, text.into_owned());
    }
    true
}
