//! What amojo answers: JSON on success and on failure, in the envelope seen on the wire (reference 1.4).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::fields::Invalid;

/// A request that is not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No method of the API has this path and verb.
    WrongPath,
    /// The channel is unknown, or not connected to this account, or the account may not use it.
    NotRegistered(&'static str),
    /// The signature, the date or the checksum is wrong; the answer is the same for all of them.
    Signature(&'static str),
    Invalid(Invalid),
    NoMessage,
}

/// An answer before it is HTTP.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Option<Value>,
}

impl Answer {
    pub(crate) fn json(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Some(body) }
    }

    /// Only a status.
    pub(crate) fn bare(status: StatusCode) -> Self {
        Self { status, body: None }
    }
}

impl Refusal {
    /// What really was the matter, for the record of calls: amojo itself says less.
    pub(crate) fn why(&self) -> String {
        match self {
            Self::WrongPath => "no method has this path".to_owned(),
            Self::NotRegistered(why) | Self::Signature(why) => (*why).to_owned(),
            Self::Invalid(invalid) => invalid.to_string(),
            Self::NoMessage => "there is no such message".to_owned(),
        }
    }

    pub(crate) fn answer(&self) -> Answer {
        match self {
            Self::WrongPath => Answer::bare(StatusCode::NOT_FOUND),
            Self::NotRegistered(_) => envelope(StatusCode::NOT_FOUND, "ORIGIN_NOT_REGISTERED", "NOT_FOUND"),
            Self::Signature(_) => {
                envelope(StatusCode::FORBIDDEN, "ORIGIN_INVALID_SIGNATURE", "invalid signature")
            }
            Self::Invalid(invalid) => {
                envelope(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", &invalid.to_string())
            }
            Self::NoMessage => envelope(StatusCode::NOT_FOUND, "MESSAGE_NOT_FOUND", "NOT_FOUND"),
        }
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self.body {
            None => self.status.into_response(),
            Some(body) => {
                (self.status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
            }
        }
    }
}

/// amojo's error body.
pub(crate) fn envelope(status: StatusCode, error_type: &str, description: &str) -> Answer {
    let body = json!({
        "status": 0,
        "error_code": status.as_u16(),
        "error_type": error_type,
        "error_description": description,
    });
    Answer { status, body: Some(body) }
}
