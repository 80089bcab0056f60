//! What the API answers: `success` and `data`, or an error whose shape is a guess (reference 4.1, 4.2).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::amocrm::door::Kill;
use crate::amocrm::with_retry_after;
use crate::wahelp::fault::Fault;
use crate::wahelp::switches::Switches;

/// What was asked is done.
pub(super) struct Done {
    pub(super) body: Value,
    /// The hooks that tell of it.
    pub(super) hooks: Vec<u64>,
}

impl Done {
    pub(super) fn data(data: Value) -> Self {
        let mut body = json!({"success": true});
        body["data"] = data;
        Self::body(body)
    }

    pub(super) fn body(body: Value) -> Self {
        Self { body, hooks: Vec::new() }
    }

    /// A page of a list that goes on or does not.
    pub(super) fn page(items: &[Value], page: usize, limit: usize) -> Self {
        let limit = limit.max(1);
        let first = page.saturating_sub(1).saturating_mul(limit);
        let has_more = items.len() > first.saturating_add(limit);
        let data: Vec<Value> = items.iter().skip(first).take(limit).cloned().collect();
        Self::body(json!({"success": true, "data": data, "has_more": has_more}))
    }
}

/// What was asked is not done.
#[derive(Debug, Clone)]
pub(super) enum Refusal {
    Unauthorized(&'static str),
    NotFound(&'static str),
    /// Not as the operation wants it.
    Invalid(String),
    /// Something the messenger does not allow, in the words that clients match on (reference 4.2).
    Unsuccessful(&'static str),
}

impl Refusal {
    /// The recipient does not have this messenger.
    pub(super) const UNREACHABLE: Self = Self::Unsuccessful("Мессенджер не подключен");
    /// The account itself is not connected.
    pub(super) const DISCONNECTED: Self = Self::Unsuccessful("Канал отключен");

    /// What really was the matter, for the record of calls.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Unauthorized(why) | Self::NotFound(why) | Self::Unsuccessful(why) => (*why).to_owned(),
            Self::Invalid(why) => why.clone(),
        }
    }

    pub(super) fn answer(&self, switches: &Switches) -> Answer {
        let (status, message) = match self {
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "Unauthenticated."),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "Not found"),
            Self::Invalid(why) => (StatusCode::UNPROCESSABLE_ENTITY, why.as_str()),
            Self::Unsuccessful(text) => {
                (StatusCode::from_u16(switches.refusal_status).unwrap_or(StatusCode::OK), *text)
            }
        };
        Answer { status, body: unsuccessful(message) }
    }
}

fn unsuccessful(message: &str) -> Value {
    json!({"success": false, "message": message})
}

/// An answer before it is HTTP.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, [(header::CONTENT_TYPE, "application/json")], self.body.to_string()).into_response()
    }
}

/// The answer of a fault, or none.
pub(crate) async fn bad_answer(fault: Fault, kill: Kill) -> Response {
    let of = |code: u16| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match fault {
        Fault::Status { code, body, retry_after, .. } => {
            let answer = match body {
                Some(body) => (of(code), body).into_response(),
                None if code >= 500 => {
                    let page = format!("<html><head><title>{code}</title></head><body>nginx</body></html>");
                    (of(code), [(header::CONTENT_TYPE, "text/html")], page).into_response()
                }
                None => Answer { status: of(code), body: unsuccessful("planned") }.into_response(),
            };
            with_retry_after(answer, retry_after)
        }
        Fault::Unsuccessful { text, code } => {
            Answer { status: of(code), body: unsuccessful(&text) }.into_response()
        }
        Fault::Silence { .. } => std::future::pending().await,
        Fault::Reset { .. } => match kill.now().await {},
        // These answer nothing themselves.
        Fault::Slow { .. } | Fault::Lost | Fault::Late { .. } | Fault::Twice => {
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
