//! Answers as they go over the wire.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use super::{ErrorStyle, ReadError};
use crate::telegram::{
    ApiError,
    envelope::{self, Answer},
};

/// An answer.
#[derive(Debug)]
pub(super) struct Reply(Response<Full<Bytes>>);

impl Reply {
    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        self.0
    }

    /// A call's outcome in the envelope.
    pub(super) fn outcome(outcome: Result<&Answer, &ApiError>) -> Self {
        match outcome {
            Ok(answer) => Self::json(StatusCode::OK, envelope::success(answer)),
            Err(error) => Self::failure(error),
        }
    }

    /// A refusal in the envelope.
    pub(super) fn failure(error: &ApiError) -> Self {
        let mut reply = Self::json(status(error.code), envelope::failure(error));
        if let (429, Some(seconds)) = (error.code, error.retry_after) {
            reply.0.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        reply
    }

    /// A status line without a body, after which the connection ends.
    pub(super) fn bare(code: u16) -> Self {
        let mut reply = Self::new(status(code), Bytes::new());
        reply.0.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        reply
    }

    /// What a request that cannot be read gets: a bare status line, but from the cloud an oversize one gets JSON.
    pub(super) fn unreadable(error: ReadError, style: ErrorStyle) -> Self {
        match (error, style) {
            (ReadError::TooLarge, ErrorStyle::Cloud) => {
                Self::failure(&ApiError::new(413, "Request Entity Too Large"))
            }
            (error, _) => Self::bare(error.status()),
        }
    }

    /// The page that the cloud's nginx shows when there is nobody behind it.
    pub(super) fn nginx_page(code: u16) -> Self {
        let status = status(code);
        let title = format!("{code} {}", status.canonical_reason().unwrap_or_default());
        let page = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n\
             <hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
        );
        let mut reply = Self::new(status, page.into());
        reply.0.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        reply
    }

    /// A file's content.
    pub(super) fn file(content: Bytes) -> Self {
        let mut reply = Self::new(StatusCode::OK, content);
        let kind = HeaderValue::from_static("application/octet-stream");
        reply.0.headers_mut().insert(header::CONTENT_TYPE, kind);
        reply
    }

    fn json(status: StatusCode, body: Bytes) -> Self {
        let mut reply = Self::new(status, body);
        let headers = reply.0.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        reply
    }

    fn new(status: StatusCode, body: Bytes) -> Self {
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        Self(response)
    }
}

/// The error of a planted status, with Telegram's prefix for it.
pub(super) fn planted_error(code: u16, retry_after: Option<u32>) -> ApiError {
    match (code, retry_after) {
        (429, seconds) => ApiError::too_many_requests(seconds.unwrap_or(1)),
        (code, retry_after) => {
            let reason = status(code).canonical_reason().unwrap_or("Error");
            ApiError { retry_after, ..ApiError::new(code, reason) }
        }
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
