//! Control errors: what was wrong and what was expected, as JSON.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

/// A refusal of the control API.
#[derive(Debug)]
pub(crate) struct ControlError {
    status: StatusCode,
    error: String,
    expected: String,
    retry_after: Option<u32>,
}

impl ControlError {
    pub(crate) fn bad(error: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error: error.into(),
            expected: expected.into(),
            retry_after: None,
        }
    }

    pub(crate) fn not_found(error: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, ..Self::bad(error, expected) }
    }

    /// The Bot API server said no, or nothing.
    pub(crate) fn telegram(error: impl Into<String>, retry_after: Option<u32>) -> Self {
        let expected = "a Bot API server that accepts the token and the webhook";
        Self { retry_after, ..Self::bad(error, expected) }
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let mut body = json!({"error": self.error, "expected": self.expected});
        if let Some(seconds) = self.retry_after {
            body["retry_after"] = json!(seconds);
        }
        (self.status, Json(body)).into_response()
    }
}

/// A JSON body; an empty one is `{}`.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| ControlError::bad(error.to_string(), "a body that arrives whole"))?;
        let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(Self).map_err(|error| {
            ControlError::bad(error.to_string(), "the JSON object that openapi.json describes")
        })
    }
}

/// A query string.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Query::from_request_parts(parts, state)
            .await
            .map(|Query(asked)| Self(asked))
            .map_err(|error| ControlError::bad(error.body_text(), "the query that openapi.json describes"))
    }
}

/// The ids in the path.
pub(crate) struct Named<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Path::from_request_parts(parts, state)
            .await
            .map(|Path(named)| Self(named))
            .map_err(|error| ControlError::bad(error.body_text(), "an id in the path"))
    }
}
