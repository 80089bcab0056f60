//! One call in each form that the Bot API takes (reference/telegram.md 1.2): parameters in the query, or in a body
//! of JSON, urlencoded or multipart, with GET and with POST.

use std::fmt::Write;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::{documentation::Given, support::http::multipart};

/// What stands for a file where none can be sent.
const FILE_ID: &str = "AgACAgIAAxkBAAIB";
/// A file, with what a careless reader takes for the end of a part.
pub(crate) const FILE: &[u8] = b"\x89PNG\r\n\r\n--\x00\xff\r\n--a\r\n --b--\r\n\n--b\r\r\n-";

/// How the parameters travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Query,
    Json,
    Urlencoded,
    Multipart,
}

impl Form {
    pub(crate) const ALL: [Self; 4] = [Self::Query, Self::Json, Self::Urlencoded, Self::Multipart];
}

/// A call that can be sent.
pub(crate) struct Call {
    /// What follows the name of the method in the request line.
    pub(crate) query: String,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: Vec<u8>,
}

impl Call {
    pub(crate) fn new(form: Form, parameters: &[(&str, Given)]) -> Self {
        let none = Self { query: String::new(), content_type: None, body: Vec::new() };
        match form {
            Form::Query if parameters.is_empty() => none,
            Form::Query => Self { query: format!("?{}", urlencoded(parameters)), ..none },
            Form::Json => Self { content_type: Some("application/json"), body: json(parameters), ..none },
            Form::Urlencoded => Self {
                content_type: Some("application/x-www-form-urlencoded"),
                body: urlencoded(parameters).into_bytes(),
                ..none
            },
            Form::Multipart => {
                let parts: Vec<_> = parameters.iter().map(|(name, given)| part(name, *given)).collect();
                Self {
                    content_type: Some("multipart/form-data; boundary=b"),
                    body: multipart(&parts),
                    ..none
                }
            }
        }
    }

    /// The whole request.
    pub(crate) fn request(&self, verb: &str, path: &str) -> Vec<u8> {
        let mut head = format!("{verb} {path}{} HTTP/1.1\r\nHost: gateway\r\n", self.query);
        if let Some(content_type) = self.content_type {
            write!(head, "Content-Type: {content_type}\r\nContent-Length: {}\r\n", self.body.len()).unwrap();
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// What a reader of the call finds: the texts by name, and the names of the files.
pub(crate) fn understood(form: Form, parameters: &[(&str, Given)]) -> (Value, Vec<String>) {
    let (mut texts, mut files) = (serde_json::Map::new(), Vec::new());
    for (name, given) in parameters {
        match given {
            Given::File if form == Form::Multipart => files.push((*name).to_owned()),
            other => drop(texts.insert((*name).to_owned(), text(*other).into())),
        }
    }
    (texts.into(), files)
}

fn text(given: Given) -> &'static str {
    match given {
        Given::Text(text) | Given::Json(text) => text,
        Given::File => FILE_ID,
    }
}

fn json(parameters: &[(&str, Given)]) -> Vec<u8> {
    let value = |given: Given| match given {
        Given::Json(json) => json.to_owned(),
        other => Value::from(text(other)).to_string(),
    };
    let members: Vec<_> =
        parameters.iter().map(|(name, given)| format!("\"{name}\" :\t{}", value(*given))).collect();
    format!("{{ {} }}", members.join(" ,\n")).into_bytes()
}

fn part(name: &'_ str, given: Given) -> (&'_ str, Option<&'static str>, &'static [u8]) {
    match given {
        Given::File => (name, Some("cat.png"), FILE),
        other => (name, None, text(other).as_bytes()),
    }
}

fn urlencoded(parameters: &[(&str, Given)]) -> String {
    let pairs: Vec<_> =
        parameters.iter().map(|(name, given)| format!("{name}={}", percent(text(*given)))).collect();
    pairs.join("&")
}

/// A space becomes `+`, as browsers and most libraries have it.
fn percent(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string().replace("%20", "+")
}
