//! Refusals of the control API, amoCRM's part included: what was wrong and what was expected, as JSON.
//!
//! Also the extractors whose rejections are such refusals.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::telegram::world::acts::ActError;

/// A refusal: 400, 404 or 405 with `{"error", "expected"}`.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: String,
    expected: String,
    retry_after: Option<u32>,
}

impl Refusal {
    pub(crate) fn bad(error: impl Into<String>, expected: impl Into<String>) -> Self {
        let (status, retry_after) = (StatusCode::BAD_REQUEST, None);
        Self { status, error: error.into(), expected: expected.into(), retry_after }
    }

    pub(crate) fn not_found(error: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, ..Self::bad(error, expected) }
    }

    /// Says how many seconds whoever refused wants to be left alone.
    pub(crate) fn retry_after(self, seconds: Option<u32>) -> Self {
        Self { retry_after: seconds, ..self }
    }

    /// A route that does not exist.
    pub(crate) fn no_route() -> Self {
        Self::not_found("there is no such route", "a route that /openapi.json lists")
    }

    /// A route that exists for another method.
    pub(crate) fn no_method() -> Self {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        let expected = "a method that /openapi.json lists for this route";
        Self { status, ..Self::bad("this route has no such method", expected) }
    }
}

impl From<ActError> for Refusal {
    fn from(error: ActError) -> Self {
        match error {
            ActError::NotFound(error) => Self::not_found(error, "an id that the chat shows"),
            ActError::Impossible { why, expected } => Self::bad(why, expected),
        }
    }
}

impl IntoResponse for Refusal {
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
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Self::Rejection> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|error| Refusal::bad(error.to_string(), "a body that arrives whole"))?;
        let text: &[u8] = if bytes.trim_ascii().is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text)
            .map(Self)
            .map_err(|error| Refusal::bad(error.to_string(), "the JSON object that /openapi.json describes"))
    }
}

/// A part of a body that was read as JSON already; `expected` shows what it should look like.
pub(crate) fn read<T: DeserializeOwned>(body: Value, expected: &str) -> Result<T, Refusal> {
    serde_json::from_value(body).map_err(|error| Refusal::bad(error.to_string(), expected))
}

/// The ids in the path.
pub(crate) struct Named<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Path::from_request_parts(parts, state)
            .await
            .map(|Path(named)| Self(named))
            .map_err(|error| Refusal::bad(error.body_text(), "numbers for the ids in the path"))
    }
}

/// The query string.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        Query::from_request_parts(parts, state).await.map(|Query(asked)| Self(asked)).map_err(|error| {
            Refusal::bad(error.body_text(), "the query that /openapi.json describes, like ?after=12")
        })
    }
}
