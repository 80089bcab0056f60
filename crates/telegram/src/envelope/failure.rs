//! Writing answers in Telegram's envelope, with its exact texts.

use std::borrow::Cow;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde::Serialize;

/// An error answer. The constants and functions have Telegram's exact words (1.5): client libraries compare them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `error_code`, which is also the HTTP status.
    pub code: u16,
    /// `description`.
    pub description: Cow<'static, str>,
    /// `parameters.retry_after` in seconds, also sent as a header.
    pub retry_after: Option<u32>,
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal;)*) => {
        impl Failure {
            $($(#[$doc])* pub const $name: Self = Self::new($code, $text);)*
        }
    };
}

texts! {
    /// A wrong or revoked token. Only for tokens that are really bad: libraries stop for good.
    UNAUTHORIZED = 401, "Unauthorized";
    /// A malformed token, as the bare server says it.
    INVALID_TOKEN = 401, "Unauthorized: invalid token specified";
    /// A bad path; the cloud's answer to malformed tokens.
    NOT_FOUND = 404, "Not Found";
    /// An unknown method, as the bare server says it.
    METHOD_NOT_FOUND = 404, "Not Found: method not found";
    /// A full address in the request line.
    ABSOLUTE_URI = 404, "Not Found: absolute URI is specified in the Request-Line";
    /// `getUpdates` while the app has a webhook.
    WEBHOOK_IS_ACTIVE = 409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
    /// A waiting `getUpdates` that another one of the same app replaced.
    TERMINATED_BY_GET_UPDATES = 409,
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
    /// A waiting `getUpdates` when `setWebhook` came.
    TERMINATED_BY_SET_WEBHOOK = 409, "Conflict: terminated by setWebhook request";
    /// An unfinished `setWebhook` that another one replaced.
    TERMINATED_BY_OTHER_SET_WEBHOOK = 409, "Conflict: terminated by other setWebhook";
    /// `setWebhook` with an address that is none.
    INVALID_WEBHOOK_URL = 400, "Bad Request: invalid webhook URL specified";
    /// `setWebhook` with a secret of more than 256 characters.
    SECRET_TOO_LONG = 400, "Bad Request: secret token is too long";
    /// `setWebhook` with a secret of other than `A-Za-z0-9_-`.
    SECRET_UNALLOWED = 400, "Bad Request: secret token contains unallowed characters";
    /// `close` of a bot that does not run here.
    ALREADY_CLOSED = 400, "Bad Request: the bot has already been closed";
    /// A body too large.
    ENTITY_TOO_LARGE = 413, "Request Entity Too Large";
    /// An address too long.
    URI_TOO_LONG = 414, "Request-URI Too Long";
    /// A body in an encoding nobody knows.
    UNSUPPORTED_MEDIA_TYPE = 415, "Unsupported Media Type";
    /// Shutting down; libraries look for the word.
    RESTART = 500, "Internal Server Error: restart";
    /// Nothing came of the call: upstream cannot be reached or answered with something else than the Bot API.
    BAD_GATEWAY = 502, "Bad Gateway";
    /// Upstream took too long.
    GATEWAY_TIMEOUT = 504, "Gateway Timeout";
}

impl Failure {
    const fn new(code: u16, description: &'static str) -> Self {
        Self { code, description: Cow::Borrowed(description), retry_after: None }
    }

    /// Any `Bad Request: …`.
    pub fn bad_request(reason: &str) -> Self {
        Self { code: 400, description: format!("Bad Request: {reason}").into(), retry_after: None }
    }

    /// A required parameter is missing.
    pub fn parameter_required(name: &str) -> Self {
        Self::bad_request(&format!("parameter \"{name}\" is required"))
    }

    /// A webhook's certificate is over 3 MiB.
    pub fn certificate_too_big(size_bytes: usize) -> Self {
        Self::bad_request(&format!("certificate size is too big ({size_bytes} bytes)"))
    }

    /// An address that no webhook can be set to; the reasons are in [`crate::webhook::BadWebhook`].
    pub fn bad_webhook(reason: &str) -> Self {
        Self::bad_request(&format!("bad webhook: {reason}"))
    }

    /// Come back in so many seconds.
    pub fn too_many_requests(retry_after_secs: u32) -> Self {
        Self {
            code: 429,
            description: format!("Too Many Requests: retry after {retry_after_secs}").into(),
            retry_after: Some(retry_after_secs),
        }
    }

    /// The whole HTTP answer.
    #[expect(clippy::missing_panics_doc, reason = "numbers and texts always serialise")]
    pub fn response(&self) -> Response<Bytes> {
        #[derive(Serialize)]
        struct Body<'a> {
            ok: bool,
            error_code: u16,
            description: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            parameters: Option<Parameters>,
        }
        #[derive(Serialize)]
        struct Parameters {
            retry_after: u32,
        }
        let parameters = self.retry_after.map(|retry_after| Parameters { retry_after });
        let body = Body { ok: false, error_code: self.code, description: &self.description, parameters };
        let body = serde_json::to_vec(&body).expect("numbers and texts always serialise");
        let mut response = json_response(body.into());
        *response.status_mut() = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// `ok: true` with this JSON as the result.
pub fn success(result: &[u8]) -> Response<Bytes> {
    json_response([b"{\"ok\":true,\"result\":", result, b"}"].concat().into())
}

/// The same with a description, as `setWebhook` and `deleteWebhook` have it: `Webhook was set`,
/// `Webhook is already set`, `Webhook was deleted`, `Webhook is already deleted`.
pub fn success_with(result: &[u8], description: &'static str) -> Response<Bytes> {
    let description = format!(",\"description\":\"{description}\"}}");
    json_response([b"{\"ok\":true,\"result\":", result, description.as_bytes()].concat().into())
}

fn json_response(body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    let length = response.body().len().into();
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CONTENT_LENGTH, length);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(response: &Response<Bytes>) -> &str {
        std::str::from_utf8(response.body()).unwrap()
    }

    #[test]
    fn answers_stand_in_telegrams_envelope() {
        let conflict = Failure::TERMINATED_BY_SET_WEBHOOK.response();
        assert_eq!(conflict.status(), 409);
        assert_eq!(conflict.headers()["content-type"], "application/json");
        assert_eq!(
            body(&conflict),
            r#"{"ok":false,"error_code":409,"description":"Conflict: terminated by setWebhook request"}"#
        );
        let flood = Failure::too_many_requests(7).response();
        assert_eq!(flood.headers()["retry-after"], "7");
        assert_eq!(
            body(&flood),
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#
        );
        assert_eq!(body(&success(b"[]")), r#"{"ok":true,"result":[]}"#);
        assert_eq!(
            body(&success_with(b"true", "Webhook was set")),
            r#"{"ok":true,"result":true,"description":"Webhook was set"}"#
        );
        assert_eq!(success(b"[]").headers()["content-length"], "23");
    }

    #[test]
    fn our_answers_are_read_back() {
        let refused =
            crate::envelope::Answer::parse(Failure::parameter_required("url").response().body()).unwrap();
        let crate::envelope::Answer::Refused(refusal) = refused else { panic!() };
        assert_eq!(refusal.to_string(), "400 Bad Request: parameter \"url\" is required");
        assert_eq!(
            Failure::certificate_too_big(4_000_000).description,
            "Bad Request: certificate size is too big (4000000 bytes)"
        );
    }
}
