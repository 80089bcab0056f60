//! Requests to the chat service (1.5 to 1.10), without their signature: pure.

use std::borrow::Cow;

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use tandem_model::message::{ReplyFailure, ReplyResult};

use crate::wire::send::{Connect, DeliveryStatus, Event, NewChat, React};

/// Messages of history that can be asked for at one time.
pub(crate) const HISTORY_PAGE: usize = 50;
/// Longest text of an error for a manager, in characters.
const ERROR_CHARS: usize = 255;

/// A request to the chat service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChatsRequest {
    pub(crate) method: Method,
    /// Without what stands before it on an unusual base.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) body: Bytes,
    pub(crate) repeat: Repeat,
}

/// What a repeat of a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Nothing that could be seen.
    Harmless,
    /// It is refused when the first one was taken: one `msgid` is taken once (1.7.2).
    Refused,
}

impl ChatsRequest {
    fn post(path: String, body: &impl Serialize, repeat: Repeat) -> Self {
        let body = serde_json::to_vec(body).expect("texts and numbers can always be written");
        Self { method: Method::POST, path, query: None, body: body.into(), repeat }
    }
}

/// Connects a channel to an account. Without a version hooks would come in the dead first one.
pub(crate) fn connect(channel: &str, account: &str, title: &str) -> ChatsRequest {
    let body = Connect { account_id: account, title, hook_api_version: "v2" };
    ChatsRequest::post(format!("/v2/origin/custom/{channel}/connect"), &body, Repeat::Harmless)
}

/// Makes a chat, or finds it.
pub(crate) fn chat(scope: &str, chat: &NewChat<'_>) -> ChatsRequest {
    ChatsRequest::post(format!("/v2/origin/custom/{scope}/chats"), chat, Repeat::Harmless)
}

/// Says something, or says it anew.
pub(crate) fn message(scope: &str, event: &Event<'_>, repeat: Repeat) -> ChatsRequest {
    ChatsRequest::post(format!("/v2/origin/custom/{scope}"), event, repeat)
}

/// Reacts.
pub(crate) fn react(scope: &str, react: &React<'_>) -> ChatsRequest {
    ChatsRequest::post(format!("/v2/origin/custom/{scope}/react"), react, Repeat::Harmless)
}

/// A page of what was said in a chat, newest first. The chat is an id of theirs.
pub(crate) fn history(scope: &str, chat: &str, offset: usize) -> ChatsRequest {
    ChatsRequest {
        method: Method::GET,
        path: format!("/v2/origin/custom/{scope}/chats/{chat}/history"),
        query: Some(format!("offset={offset}&limit={HISTORY_PAGE}")),
        body: Bytes::new(),
        repeat: Repeat::Harmless,
    }
}

/// Says what became of a manager's message; `None` when nothing can be said. The message is an id of theirs.
pub(crate) fn delivery_status(scope: &str, message: &str, result: &ReplyResult) -> Option<ChatsRequest> {
    let (status, error_code, error) = match result {
        ReplyResult::Sent { .. } => (1, None, None),
        ReplyResult::Failed { why, words, .. } => (-1, Some(error_code(*why)), Some(shortened(words))),
        ReplyResult::Unknown { .. } => return None,
    };
    let body =
        DeliveryStatus { msgid: message, status_code: status, delivery_status: status, error_code, error };
    let path = format!("/v2/origin/custom/{scope}/{message}/delivery_status");
    Some(ChatsRequest::post(path, &body, Repeat::Harmless))
}

/// Only 905 is documented to show the words that come with it, so it is taken wherever none of the others says the same
/// (1.8).
const fn error_code(why: ReplyFailure) -> u16 {
    match why {
        ReplyFailure::Bot => 902,
        ReplyFailure::NoChat => 904,
        ReplyFailure::Blocked | ReplyFailure::File | ReplyFailure::Refused => 905,
    }
}

fn shortened(words: &str) -> Cow<'_, str> {
    if words.trim().is_empty() {
        return Cow::Borrowed("?");
    }
    match words.char_indices().nth(ERROR_CHARS) {
        None => Cow::Borrowed(words),
        Some((end, _)) => Cow::Owned(format!("{}…", &words[..end])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(request: &ChatsRequest) -> &str {
        std::str::from_utf8(&request.body).unwrap()
    }

    fn failed(why: ReplyFailure, words: &str) -> ReplyResult {
        ReplyResult::Failed { why, words: words.to_owned(), messages: Vec::new() }
    }

    #[test]
    fn connecting_asks_for_the_second_version_of_hooks() {
        let request = connect("0b1c", "9f8e", "TgBridge");
        assert_eq!(request.path, "/v2/origin/custom/0b1c/connect");
        assert_eq!(body(&request), r#"{"account_id":"9f8e","title":"TgBridge","hook_api_version":"v2"}"#);
    }

    #[test]
    fn a_status_is_said_in_both_spellings_and_only_when_it_is_known() {
        let status = |result: &ReplyResult| delivery_status("s", "m", result);
        let sent = status(&ReplyResult::Sent { messages: Vec::new() }).unwrap();
        assert_eq!(sent.path, "/v2/origin/custom/s/m/delivery_status");
        assert_eq!(body(&sent), r#"{"msgid":"m","status_code":1,"delivery_status":1}"#);
        for (why, code) in [
            (ReplyFailure::Blocked, 905),
            (ReplyFailure::NoChat, 904),
            (ReplyFailure::File, 905),
            (ReplyFailure::Refused, 905),
            (ReplyFailure::Bot, 902),
        ] {
            let said = status(&failed(why, "Forbidden: bot was blocked by the user")).unwrap();
            assert_eq!(
                body(&said),
                format!(
                    r#"{{"msgid":"m","status_code":-1,"delivery_status":-1,"error_code":{code},"error":"Forbidden: bot was blocked by the user"}}"#
                )
            );
        }
        assert_eq!(status(&ReplyResult::Unknown { words: "?".to_owned() }), None);
    }

    #[test]
    fn words_of_a_failure_are_there_and_bounded() {
        let said = delivery_status("s", "m", &failed(ReplyFailure::File, " ")).unwrap();
        assert!(body(&said).ends_with(r#""error":"?"}"#));
        let said = delivery_status("s", "m", &failed(ReplyFailure::File, &"я".repeat(300))).unwrap();
        assert!(body(&said).contains(&format!("{}…", "я".repeat(255))));
    }

    #[test]
    fn history_is_asked_for_in_whole_pages() {
        let request = history("s", "c", 50);
        assert_eq!(request.path, "/v2/origin/custom/s/chats/c/history");
        assert_eq!(request.query.as_deref(), Some("offset=50&limit=50"));
        assert!(request.body.is_empty());
    }
}
