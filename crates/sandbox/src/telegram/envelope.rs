//! The Bot API's envelope (reference/telegram.md 1.4).

use bytes::Bytes;
use serde_json::{Value, json};

use super::ApiError;

/// What a call succeeded with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// A result.
    Value(Value),
    /// `true` with a `description`: `setWebhook` and `deleteWebhook`.
    Described(&'static str),
    /// A result that is JSON already: stored updates go out as they are.
    Raw(Bytes),
}

/// The body of a success.
pub(crate) fn success(answer: &Answer) -> Bytes {
    match answer {
        Answer::Value(result) => wrap(result.to_string().as_bytes()),
        Answer::Raw(result) => wrap(result),
        Answer::Described(description) => {
            json!({"ok": true, "result": true, "description": description}).to_string().into()
        }
    }
}

fn wrap(result: &[u8]) -> Bytes {
    let mut body = Vec::with_capacity(result.len() + 22);
    body.extend_from_slice(b"{\"ok\":true,\"result\":");
    body.extend_from_slice(result);
    body.push(b'}');
    body.into()
}

/// The body of a refusal.
pub(crate) fn failure(error: &ApiError) -> Bytes {
    let mut body = json!({"ok": false, "error_code": error.code, "description": error.description});
    let hints =
        [("retry_after", error.retry_after.map(i64::from)), ("migrate_to_chat_id", error.migrate_to_chat_id)];
    for (name, value) in hints {
        if let Some(value) = value {
            body["parameters"][name] = value.into();
        }
    }
    body.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_carries_its_hints_as_parameters() {
        let text = |error: ApiError| String::from_utf8(failure(&error).to_vec()).unwrap();
        let migrated: Value = serde_json::from_str(&text(ApiError::migrated(-100))).unwrap();
        assert_eq!(migrated["parameters"], json!({"migrate_to_chat_id": -100}));
        let slow: Value = serde_json::from_str(&text(ApiError::too_many_requests(7))).unwrap();
        assert_eq!(slow["description"], "Too Many Requests: retry after 7");
        assert_eq!(slow["parameters"], json!({"retry_after": 7}));
        assert!(!text(ApiError::not_found()).contains("parameters"));
    }
}
