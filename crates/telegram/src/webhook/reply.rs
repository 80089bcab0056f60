//! A call that stands in the answer to a delivery.

use http::HeaderMap;

use crate::params::Params;

/// A method and its parameters, given as the answer of a webhook. Its result is told to nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyCall {
    /// The method, as it was written.
    pub method: String,
    /// The parameters without `method`.
    pub params: Params,
}

impl ReplyCall {
    /// Reads the answer of a successful delivery: any form that a request body can have. `None` when it is no call,
    /// or one that may not be made this way (the stream is not changed by a reply, and nobody would see what a `get…`
    /// brings); like Telegram, without a word.
    pub fn of_answer(headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let mut params = Params::read(None, headers, body).ok()?;
        let method = params.remove("method")?;
        let lower = method.to_ascii_lowercase();
        let refused = matches!(lower.as_str(), "" | "setwebhook" | "deletewebhook" | "close" | "logout");
        if refused || lower.starts_with("get") { None } else { Some(Self { method, params }) }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, header};

    use super::*;

    fn reply(content_type: &'static str, body: &str) -> Option<ReplyCall> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        ReplyCall::of_answer(&headers, body.as_bytes())
    }

    #[test]
    fn a_reply_may_have_any_form() {
        let multipart = "--b\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\nsendPhoto\r\n--b\r\n\
            Content-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n--b\r\n\
            Content-Disposition: form-data; name=\"photo\"; filename=\"p\"\r\n\r\nPNG\r\n--b--\r\n";
        for (kind, body, method, files) in [
            ("application/json", r#"{"method":"sendMessage","chat_id":7}"#, "sendMessage", 0),
            ("application/x-www-form-urlencoded", "chat_id=7&method=SendMessage", "SendMessage", 0),
            ("multipart/form-data; boundary=b", multipart, "sendPhoto", 1),
        ] {
            let call = reply(kind, body).unwrap();
            assert_eq!((call.method.as_str(), call.params.text("chat_id")), (method, Some("7")));
            assert_eq!(call.params.text("method"), None);
            assert_eq!(call.params.files().len(), files);
        }
    }

    #[test]
    fn some_methods_are_refused_silently_and_most_answers_are_no_call() {
        for method in
            ["setWebhook", "DELETEWEBHOOK", "close", "logOut", "getMe", "GetUpdates", "getFuture", ""]
        {
            assert_eq!(reply("application/json", &format!("{{\"method\":\"{method}\"}}")), None, "{method}");
        }
        for body in ["", "ok", "{}", "true", "[]", "{\"ok\":true}"] {
            assert_eq!(reply("application/json", body), None, "{body}");
        }
        assert_eq!(reply("text/plain", "method=sendMessage"), None);
    }
}
