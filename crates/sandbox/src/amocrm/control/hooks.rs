//! Account hooks by control route: subscribing without a token, switching on again, and what was sent.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::amocrm::AmoCrm;
use crate::amocrm::hooks::subscription::Stamp;
use crate::control::After;
use crate::control::error::{Asked, Body, Named, Refusal};

/// `GET /amocrm/hooks`.
pub(crate) async fn list(State(amocrm): State<AmoCrm>) -> Json<Value> {
    let state = amocrm.lock();
    Json(json!({"hooks": state.subscriptions.list().collect::<Vec<_>>()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subscribe {
    destination: String,
    settings: BTreeSet<String>,
}

/// `POST /amocrm/hooks`.
pub(crate) async fn subscribe(
    State(amocrm): State<AmoCrm>,
    Body(asked): Body<Subscribe>,
) -> Result<Json<Value>, Refusal> {
    let now_secs = amocrm.clock().now_secs();
    let mut state = amocrm.lock();
    let stamp = Stamp { account_id: state.account.id, user_id: state.account.manager_id, now_secs };
    let subscription = state
        .subscriptions
        .upsert(&asked.destination, asked.settings, None, stamp)
        .map_err(|error| Refusal::bad("the subscription is refused", error.to_string()))?;
    Ok(Json(json!(subscription)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unsubscribe {
    destination: String,
}

/// `DELETE /amocrm/hooks`.
pub(crate) async fn unsubscribe(
    State(amocrm): State<AmoCrm>,
    Body(asked): Body<Unsubscribe>,
) -> Result<StatusCode, Refusal> {
    if amocrm.lock().subscriptions.remove(&asked.destination) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal::not_found("nobody has subscribed with it", "a destination of GET /amocrm/hooks"))
    }
}

/// `POST /amocrm/hooks/{hook}/enable`: what an administrator does after it was switched off.
pub(crate) async fn enable(
    State(amocrm): State<AmoCrm>,
    Named(hook): Named<u64>,
) -> Result<Json<Value>, Refusal> {
    let mut state = amocrm.lock();
    let found = state.subscriptions.find_mut(hook);
    let found =
        found.ok_or_else(|| Refusal::not_found(format!("no hook {hook}"), "an id of GET /amocrm/hooks"))?;
    found.enable();
    Ok(Json(json!(found)))
}

/// `GET /amocrm/hooks/attempts?after=N`.
pub(crate) async fn attempts(State(amocrm): State<AmoCrm>, Asked(asked): Asked<After>) -> Json<Value> {
    let state = amocrm.lock();
    Json(json!({"attempts": state.attempts.after(asked.after).collect::<Vec<_>>()}))
}
