//! What an answer means: status, envelope and words together (4.1, 4.2). Pure.
//!
//! A failure may come with HTTP 200 and `success: false`, and a failed answer need not be JSON. Which status Wahelp's
//! words travel with is not known, so they are looked for in both.

use std::time::Duration;

use http::header;
use serde_json::Value;
use tandem_outbound::Answered;

use crate::{document::WordsDocument, words::Complaint};

/// Longest piece of Wahelp's words in ours, in characters.
const WORDS_CHARS: usize = 300;
/// How long nobody is asked about after words that say it was too much (4.2).
pub(crate) const THROTTLED: Duration = Duration::from_mins(10);

/// What an answer that is no success means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) means: Meaning,
    /// For people, bounded.
    pub(crate) words: String,
    /// The body, where it is JSON: an id may stand beside an error.
    pub(crate) body: Value,
}

/// By what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The token does not serve (any more).
    Unauthorized,
    /// Too much; later.
    Throttled(Duration),
    /// The client cannot be reached through the channel.
    Unreachable,
    /// What was meant is not there.
    NotThere,
    /// It leads somewhere else.
    Elsewhere,
    /// It failed there: what was asked for may have been done.
    Failed,
    /// It says when to come again, and has done nothing.
    Resting(Duration),
    /// It will never be taken.
    Refused,
}

/// Reads an answer: its `data`, or the whole of it where it has none.
pub(crate) fn read(answered: &Answered, words: &WordsDocument) -> Result<Value, Trouble> {
    let body: Option<Value> = serde_json::from_slice(&answered.body).ok();
    let status = answered.status;
    let failed = body.as_ref().and_then(|body| body.get("success")).is_some_and(|success| *success == false);
    if (200..300).contains(&status) && !failed {
        return match body {
            Some(Value::Object(mut fields))
                if fields.contains_key("data") && !fields.contains_key("has_more") =>
            {
                Ok(fields.remove("data").unwrap_or_default())
            }
            Some(body) => Ok(body),
            None => Err(Trouble {
                means: Meaning::Failed,
                words: format!("it answered {status} with something that is no JSON"),
                body: Value::Null,
            }),
        };
    }
    let text = match &body {
        // Escaped letters are letters.
        Some(body) => body.to_string(),
        None => String::from_utf8_lossy(&answered.body).into_owned(),
    };
    let asked = wait_asked(answered);
    let means = match (status, words.complaint(&text)) {
        (401, _) => Meaning::Unauthorized,
        (429, _) | (_, Complaint::Throttled) => Meaning::Throttled(asked.unwrap_or(THROTTLED)),
        (_, Complaint::Unreachable) => Meaning::Unreachable,
        (300..=399, _) => Meaning::Elsewhere,
        (404, _) => Meaning::NotThere,
        (503, _) if asked.is_some() => Meaning::Resting(asked.unwrap_or_default()),
        (500..=599, _) => Meaning::Failed,
        (_, Complaint::Other) => Meaning::Refused,
    };
    let said: String = text.chars().filter(|c| !c.is_control()).take(WORDS_CHARS).collect();
    let with = if failed { " (success: false)" } else { "" };
    let words = format!("it answered {status}{with}: {said}");
    Err(Trouble { means, words, body: body.unwrap_or_default() })
}

fn wait_asked(answered: &Answered) -> Option<Duration> {
    let seconds = answered.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A list: the array itself, `data`, or one of the names that clients have hedged with (4.1), and whether there is more.
pub(crate) fn list(answer: &Value) -> (Vec<Value>, bool) {
    let more = answer.get("has_more").and_then(Value::as_bool).unwrap_or(false);
    let inner = answer.get("data").unwrap_or(answer);
    let names = ["items", "results", "channels", "messages"];
    let found = inner.as_array().or_else(|| names.iter().find_map(|name| inner.get(name)?.as_array()));
    (found.cloned().unwrap_or_default(), more)
}

/// An id, which is a number or a text; without anything that would change an address it stands in.
pub(crate) fn id(value: &Value) -> Option<String> {
    let id = match value {
        Value::Number(number) => number.as_i64()?.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (!id.is_empty() && id.len() <= 64 && id.bytes().all(is_plain)).then_some(id)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue};
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &str, wait: Option<&'static str>) -> Result<Value, Meaning> {
        let mut headers = HeaderMap::new();
        if let Some(wait) = wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(wait));
        }
        let answered = Answered { status, headers, body: Bytes::copy_from_slice(body.as_bytes()) };
        read(&answered, &WordsDocument::default()).map_err(|trouble| trouble.means)
    }

    #[test]
    fn an_answer_means_what_status_envelope_and_words_say_together() {
        use Meaning::{Elsewhere, Failed, NotThere, Refused, Resting, Throttled, Unauthorized, Unreachable};
        assert_eq!(answer(200, r#"{"success":true,"data":{"id":5}}"#, None), Ok(json!({"id": 5})));
        assert_eq!(answer(200, "[1]", None), Ok(json!([1])));
        let secs = Duration::from_secs;
        for (status, body, wait, means) in [
            (401, "", None, Unauthorized),
            (200, r#"{"success":false,"message":"Слишком много попыток"}"#, None, Throttled(THROTTLED)),
            (
                400,
                r#"{"message":"\u043d\u043e\u043c\u0435\u0440 \u043d\u0435 \u043f\u043e\u0434\u043a\u043b\u044e\u0447\u0435\u043d"}"#,
                None,
                Unreachable,
            ),
            (200, r#"{"success":false,"message":"messenger is not connected"}"#, None, Unreachable),
            (429, "slow down", Some("7"), Throttled(secs(7))),
            (404, "{}", None, NotThere),
            (308, "", None, Elsewhere),
            (503, "<html>", Some("3"), Resting(secs(3))),
            (503, "<html>", None, Failed),
            (502, "<html>bad gateway</html>", None, Failed),
            (200, "<html>hello</html>", None, Failed),
            (422, r#"{"success":false}"#, None, Refused),
            (200, r#"{"success":false,"message":"tariff"}"#, None, Refused),
        ] {
            assert_eq!(answer(status, body, wait), Err(means), "{status} {body}");
        }
    }

    #[test]
    fn lists_are_found_under_the_names_that_were_seen() {
        for (answer, found) in [
            (json!([1, 2]), 2),
            (json!({"data": [1], "has_more": true}), 1),
            (json!({"items": [1, 2, 3]}), 3),
            (json!({"data": {"items": [1]}, "has_more": false}), 1),
            (json!({"data": 5}), 0),
            (json!(null), 0),
        ] {
            let (list, more) = list(&answer);
            assert_eq!((list.len(), more), (found, answer["has_more"] == true), "{answer}");
        }
        for (written, read) in [
            (json!(5), Some("5")),
            (json!("31001"), Some("31001")),
            (json!("a-b"), Some("a-b")),
            (json!("a/b"), None),
            (json!(""), None),
            (json!(1.5), None),
            (json!(null), None),
        ] {
            assert_eq!(id(&written).as_deref(), read, "{written}");
        }
    }
}
