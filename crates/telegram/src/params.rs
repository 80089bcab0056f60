//! Parameters of a call, from wherever they stand in the request (reference/telegram.md 1.2): query, urlencoded,
//! JSON or multipart body, with Telegram's leniencies.
//!
//! [`Params::read`] is for small bodies that are here whole: the virtual methods, replies with a method. The
//! parameters of a passing body are collected by [`crate::capture`], with the same reader.

mod collect;
mod form;

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

pub(crate) use collect::{Collector, Limits};

use crate::envelope::Failure;

/// Parameters by name, and files. The first occurrence of a name won.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    texts: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    files: Vec<FilePart>,
    /// False when something is missing: the body broke off, could not be read, or held more than was to be kept.
    pub whole: bool,
}

/// A file of a multipart body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    /// The name of its part: a parameter's, or what `attach://` names.
    pub name: String,
    /// The name it was given; may be empty.
    pub file_name: String,
    /// Its own `Content-Type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// How long it is.
    pub size_bytes: u64,
    /// What it holds: only where [`Params::read`] made it, and never stored.
    #[serde(skip)]
    pub content: Bytes,
}

/// Why a body cannot be read at all. Broken JSON is no such reason: what stood before the break counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// More than 1 MiB of values, a thousand names, or 50 files.
    #[error("the parameters are too large")]
    TooLarge,
    /// A `Content-Encoding` other than gzip and deflate.
    #[error("the content encoding is not supported")]
    UnsupportedEncoding,
    /// A compressed body that cannot be decompressed, or a multipart body without boundary or end.
    #[error("the body cannot be parsed")]
    Broken,
}

impl ParamsError {
    /// The answer to such a request.
    pub fn failure(self) -> Failure {
        match self {
            Self::TooLarge => Failure::ENTITY_TOO_LARGE,
            Self::UnsupportedEncoding => Failure::UNSUPPORTED_MEDIA_TYPE,
            Self::Broken => Failure::bad_request("can't parse request body"),
        }
    }
}

impl Params {
    /// Query and body, as far as each may go (1.3). The caller bounds the body; 5 MiB leave room for a webhook's
    /// certificate.
    pub fn read(query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Result<Self, ParamsError> {
        let mut collector = Collector::new(query, headers, Limits::for_reading())?;
        collector.feed(body);
        collector.finish_strictly()
    }

    /// Parameters made here rather than read.
    pub fn of<'a>(texts: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let texts = texts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { texts, files: Vec::new(), whole: true }
    }

    /// The text of a parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// An integer, read as leniently as Telegram does (garbage is 0, an empty text is none) and clamped to the range.
    pub fn integer(&self, name: &str, default: i64, min: i64, max: i64) -> i64 {
        self.text(name).filter(|text| !text.is_empty()).map_or(default, lenient_integer).clamp(min, max)
    }

    /// A boolean: `true`, `yes` and `1` in any case; everything else is false.
    pub fn boolean(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| {
            ["true", "yes", "1"].iter().any(|word| text.trim().eq_ignore_ascii_case(word))
        })
    }

    /// The file of a parameter: the part that its `attach://` names, else the part of its own name.
    pub fn file(&self, name: &str) -> Option<&FilePart> {
        let part = self.text(name).and_then(|text| text.strip_prefix("attach://")).unwrap_or(name);
        self.files.iter().find(|file| file.name == part)
    }

    /// All texts, by name.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All files, in their order.
    pub fn files(&self) -> &[FilePart] {
        &self.files
    }

    /// Adds a file.
    pub fn attach(&mut self, file: FilePart) {
        self.files.push(file);
    }

    /// Takes a parameter out: `method` of a reply is no parameter of the call.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.texts.remove(name)
    }
}

/// The digits a text begins with, saturating; 0 when there are none.
fn lenient_integer(text: &str) -> i64 {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let value = digits
        .bytes()
        .take_while(u8::is_ascii_digit)
        .fold(0_i64, |value, digit| value.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if negative { -value } else { value }
}

/// The `Content-Type` as text.
pub(crate) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("")
}

#[cfg(test)]
mod tests;
