//! REST's errors: problem JSON in the shapes seen on the wire, and the bare page of a rate ban (reference 4.1, 6.3).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::amocrm::oauth::Hint;

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    body: Value,
}

/// One thing that is wrong with an item of a batch.
#[derive(Debug, Clone)]
pub(crate) struct ItemError {
    pub(crate) request_id: String,
    pub(crate) code: &'static str,
    pub(crate) path: String,
    pub(crate) detail: String,
    /// Whom a chat belongs to already.
    pub(crate) entity_id: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, detail: &str) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let kind = format!("https://httpstatus.es/{}", status.as_u16());
        Self {
            status,
            body: json!({"title": title, "type": kind, "status": status.as_u16(), "detail": detail}),
        }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Invalid user name or password")
    }

    /// The account, or a feature that is asked for, is not paid for.
    pub(crate) fn payment() -> Self {
        Self::new(StatusCode::PAYMENT_REQUIRED, "Account is not paid")
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Access denied")
    }

    pub(crate) fn not_found(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(crate) fn no_method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
    }

    pub(crate) fn bad(detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    pub(crate) fn unprocessable(detail: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// The limit of requests is reached.
    pub(crate) fn too_many(retry_after_secs: u32) -> Self {
        let mut problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "Request limit exceeded");
        problem.body["retry_after"] = json!(retry_after_secs);
        problem
    }

    /// The answer of a planned fault.
    pub(crate) fn planned(status: StatusCode, retry_after: Option<u32>) -> Self {
        match status.as_u16() {
            429 => Self::too_many(retry_after.unwrap_or(1)),
            500.. => {
                let body = json!({"title": "ErrInternalServer", "status": status.as_u16(), "detail": "planned",
                    "trace_id": "0"});
                Self { status, body }
            }
            401 => Self::unauthorized(),
            _ => Self::new(status, "planned"),
        }
    }

    /// Items of a batch that are not as they must be.
    pub(crate) fn invalid(errors: Vec<ItemError>) -> Self {
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "Request validation failed");
        let shown: Vec<Value> = errors
            .into_iter()
            .map(|error| {
                let mut one = json!({"code": error.code, "path": error.path, "detail": error.detail});
                if let Some(entity_id) = error.entity_id {
                    one["entity_id"] = json!(entity_id);
                }
                json!({"request_id": error.request_id, "errors": [one]})
            })
            .collect();
        problem.body["validation-errors"] = json!(shown);
        problem
    }

    /// The token endpoint's own shape.
    pub(crate) fn oauth(hint: Hint) -> Self {
        let body = json!({
            "hint": hint.to_string(),
            "title": "Некорректный запрос",
            "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
            "status": 400,
            "detail": "В запросе отсутствует ряд параметров или параметры невалидны",
        });
        Self { status: StatusCode::BAD_REQUEST, body }
    }

    /// What the record says of it.
    pub(crate) fn detail(&self) -> String {
        let text = self.body["hint"].as_str().or_else(|| self.body["detail"].as_str());
        text.unwrap_or_default().to_owned()
    }

    /// Another body under the same status.
    pub(crate) fn with(status: StatusCode, body: Value) -> Self {
        Self { status, body }
    }
}

impl ItemError {
    pub(crate) fn new(request_id: &str, code: &'static str, path: impl Into<String>, detail: &str) -> Self {
        Self {
            request_id: request_id.to_owned(),
            code,
            path: path.into(),
            detail: detail.to_owned(),
            entity_id: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        (self.status, kind, self.body.to_string()).into_response()
    }
}

/// What nginx says for an address that was banned.
pub(crate) fn ban_page() -> Response {
    let page = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1>\
                </center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}
