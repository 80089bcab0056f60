//! `/api/v4/webhooks`: subscribing over REST, with the account's bearer token (reference 4.1, 5.1).

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::subscription::{Stamp, SubscribeError, Subscription};
use crate::amocrm::AmoCrm;

/// What REST answers when it does not do what was asked.
enum Refusal {
    Unauthorized,
    BadJson,
    Invalid(SubscribeError),
    NotFound,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, title, detail) = match self {
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "Unauthorized", "Wrong or absent access token".to_owned())
            }
            Self::BadJson => (StatusCode::BAD_REQUEST, "Bad Request", "Request body is not valid".to_owned()),
            Self::Invalid(error) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "Unprocessable Entity", error.to_string())
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "Not Found", "There is no such webhook".to_owned()),
        };
        let body = json!({
            "title": title,
            "type": "https://httpstatus.es/".to_owned() + status.as_str(),
            "status": status.as_u16(),
            "detail": detail,
        });
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

#[derive(Deserialize)]
struct Subscribe {
    destination: String,
    settings: BTreeSet<String>,
    sort: Option<i64>,
}

#[derive(Deserialize)]
struct Unsubscribe {
    destination: String,
}

/// `GET /api/v4/webhooks?filter[destination]=…`.
pub(crate) async fn list(
    State(amocrm): State<AmoCrm>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if let Err(refusal) = authorise(&amocrm, &headers) {
        return refusal.into_response();
    }
    let wanted = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "filter[destination]")
        .map(|(_, destination)| destination.into_owned());
    let state = amocrm.lock();
    let found: Vec<&Subscription> = state
        .subscriptions
        .list()
        .filter(|subscription| wanted.as_ref().is_none_or(|wanted| *wanted == subscription.destination))
        .collect();
    let body = json!({"_total_items": found.len(), "_embedded": {"webhooks": found}});
    hal(StatusCode::OK, &body)
}

/// `POST /api/v4/webhooks`: adds a destination or changes its settings.
pub(crate) async fn subscribe(State(amocrm): State<AmoCrm>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refusal) = authorise(&amocrm, &headers) {
        return refusal.into_response();
    }
    let Ok(wanted) = serde_json::from_slice::<Subscribe>(&body) else {
        return Refusal::BadJson.into_response();
    };
    let mut state = amocrm.lock();
    let stamp = Stamp {
        account_id: state.account.id,
        user_id: state.account.manager_id,
        now_secs: amocrm.clock().now_secs(),
    };
    match state.subscriptions.upsert(&wanted.destination, wanted.settings, wanted.sort, stamp) {
        Ok(subscription) => hal(StatusCode::CREATED, &json!(subscription)),
        Err(error) => Refusal::Invalid(error).into_response(),
    }
}

/// `DELETE /api/v4/webhooks`.
pub(crate) async fn unsubscribe(State(amocrm): State<AmoCrm>, headers: HeaderMap, body: Bytes) -> Response {
    if let Err(refusal) = authorise(&amocrm, &headers) {
        return refusal.into_response();
    }
    let Ok(wanted) = serde_json::from_slice::<Unsubscribe>(&body) else {
        return Refusal::BadJson.into_response();
    };
    if amocrm.lock().subscriptions.remove(&wanted.destination) {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Refusal::NotFound.into_response()
    }
}

fn authorise(amocrm: &AmoCrm, headers: &HeaderMap) -> Result<(), Refusal> {
    let token = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if token == Some(amocrm.lock().account.access_token.as_str()) {
        Ok(())
    } else {
        Err(Refusal::Unauthorized)
    }
}

fn hal(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/hal+json")], body.to_string()).into_response()
}
