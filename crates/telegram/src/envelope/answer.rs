//! Reading an answer. Its result is not parsed but cut out.

use std::{fmt, time::Duration};

use bytes::Bytes;

use crate::{json, token::redact};

/// An answer of the Bot API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// `ok: true`.
    Done {
        /// The bytes of `result`.
        result: Bytes,
    },
    /// `ok: false`.
    Refused(Refusal),
}

/// An error in Telegram's words.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// `error_code`.
    pub code: u16,
    /// `description`.
    pub description: String,
    /// `parameters.retry_after`.
    pub retry_after: Option<Duration>,
    /// `parameters.migrate_to_chat_id`.
    pub migrate_to_chat_id: Option<i64>,
}

/// A body that is no answer of the Bot API: what proxies and overloaded servers send instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAnAnswer {
    /// Nothing at all.
    #[error("an empty body")]
    Empty,
    /// HTML of something in between.
    #[error("an HTML page")]
    Html,
    /// Something else, or JSON that broke off.
    #[error("a body that is no answer of the Bot API")]
    Other,
}

impl Answer {
    /// Reads a body.
    pub fn parse(body: &Bytes) -> Result<Self, NotAnAnswer> {
        let start = json::skip_space(body, 0);
        match body.get(start) {
            None => return Err(NotAnAnswer::Empty),
            Some(b'<') => return Err(NotAnAnswer::Html),
            Some(_) => {}
        }
        let mut members = json::Parts::of_object(body, start).ok_or(NotAnAnswer::Other)?;
        let (mut ok, mut result, mut code, mut description, mut parameters) = (None, None, None, None, None);
        while let Some(member) = members.next_member() {
            let Ok(member) = member else { return Err(NotAnAnswer::Other) };
            let value = &body[member.value.clone()];
            match &*member.key() {
                b"ok" => ok = Some(value == b"true"),
                b"result" => result = Some(member.value),
                b"error_code" => code = json::integer(value).and_then(|code| u16::try_from(code).ok()),
                b"description" => description = json::text(value),
                b"parameters" => parameters = Some(value),
                _ => {}
            }
        }
        if json::skip_space(body, members.end()) != body.len() {
            return Err(NotAnAnswer::Other);
        }
        match (ok, result, code) {
            (Some(true), Some(result), _) => Ok(Self::Done { result: body.slice(result) }),
            (Some(false), _, Some(code)) => {
                let (retry_after, migrate_to_chat_id) = parameters.map_or((None, None), read_parameters);
                let description = description.unwrap_or_default().into_owned();
                Ok(Self::Refused(Refusal { code, description, retry_after, migrate_to_chat_id }))
            }
            _ => Err(NotAnAnswer::Other),
        }
    }
}

fn read_parameters(value: &[u8]) -> (Option<Duration>, Option<i64>) {
    let (mut retry_after, mut migrate) = (None, None);
    if let Some(mut members) = json::Parts::of_object(value, 0) {
        while let Some(Ok(member)) = members.next_member() {
            let number = json::integer(&value[member.value.clone()]);
            match &*member.key() {
                b"retry_after" => {
                    retry_after =
                        number.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
                }
                b"migrate_to_chat_id" => migrate = number,
                _ => {}
            }
        }
    }
    (retry_after, migrate)
}

/// Telegram's words, without tokens that they might repeat.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, redact(&self.description))
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("code", &self.code)
            .field("description", &redact(&self.description))
            .field("retry_after", &self.retry_after)
            .field("migrate_to_chat_id", &self.migrate_to_chat_id)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Answer, NotAnAnswer> {
        Answer::parse(&Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn a_result_is_cut_out_as_it_stands() {
        for (body, result) in [
            (r#"{"ok":true,"result":true,"description":"Webhook was set"}"#, "true"),
            ("{ \"result\" : [ 1,\n2 ] , \"ok\":true }\n", "[ 1,\n2 ]"),
            (r#"{"o\u006b":true,"result":"\u0041"}"#, r#""\u0041""#),
        ] {
            assert_eq!(parse(body), Ok(Answer::Done { result: Bytes::copy_from_slice(result.as_bytes()) }));
        }
    }

    #[test]
    fn a_refusal_has_telegrams_words_and_parameters() {
        let refused = |body| match parse(body) {
            Ok(Answer::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
        let flood = refused(
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5","parameters":{"retry_after":5}}"#,
        );
        assert_eq!(flood.retry_after, Some(Duration::from_secs(5)));
        assert_eq!(flood.to_string(), "429 Too Many Requests: retry after 5");
        let moved =
            refused(r#"{"ok":false,"error_code":400,"parameters":{"migrate_to_chat_id":-1001234567890123}}"#);
        assert_eq!(moved.migrate_to_chat_id, Some(-1_001_234_567_890_123));
        let odd = refused(r#"{"ok":false,"error_code":429,"description":7,"parameters":{"retry_after":-5}}"#);
        assert_eq!((odd.retry_after, odd.description.as_str()), (None, ""));
    }

    #[test]
    fn what_is_no_answer_is_told_apart() {
        for (body, what) in [
            ("", NotAnAnswer::Empty),
            (" \r\n", NotAnAnswer::Empty),
            ("<html>\r\n<head><title>502 Bad Gateway</title></head>", NotAnAnswer::Html),
            ("Bad Gateway", NotAnAnswer::Other),
            ("[]", NotAnAnswer::Other),
            ("{}", NotAnAnswer::Other),
            (r#"{"ok":true}"#, NotAnAnswer::Other),
            (r#"{"ok":false}"#, NotAnAnswer::Other),
            (r#"{"ok":"true","result":1}"#, NotAnAnswer::Other),
            (r#"{"ok":true,"result":[1"#, NotAnAnswer::Other),
            (r#"{"ok":true,"result":1} x"#, NotAnAnswer::Other),
        ] {
            assert_eq!(parse(body), Err(what), "{body}");
        }
    }

    #[test]
    fn words_that_repeat_a_token_are_shown_without_it() {
        let refusal = Refusal {
            code: 404,
            description: "no 1:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0".to_owned(),
            retry_after: None,
            migrate_to_chat_id: None,
        };
        assert!(!format!("{refusal} {refusal:?}").contains("AAHd"));
    }
}
