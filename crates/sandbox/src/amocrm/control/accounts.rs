//! The account as a whole: who it is, and whether anybody answers.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::views;
use crate::amocrm::AmoCrm;
use crate::amocrm::door::Door;
use crate::amocrm::pipelines;
use crate::clock::millis;
use crate::control::error::{Body, Refusal};

/// `GET /amocrm`.
pub(crate) async fn show(State(amocrm): State<AmoCrm>) -> Json<Value> {
    let state = amocrm.lock();
    let account = &state.account;
    let bots: Vec<Value> =
        state.connections.values().map(|connection| views::connection(&amocrm, connection)).collect();
    Json(json!({
        "url": amocrm.url(),
        "up": amocrm.door() == Door::Open,
        "account": {
            "id": account.id,
            "subdomain": account.subdomain,
            "rate_limit": state.limits.on,
            "search_lag_ms": account.search_lag_ms,
            "api_filter": account.api_filter,
            "paid": account.paid,
            "amojo_id": account.amojo_id,
            "pipeline_id": account.pipeline_id,
            "manager_id": account.manager_id,
            "access_token": account.access_token,
            "users": account.users,
            "pipelines": pipelines::ALL,
        },
        "bots": bots,
        "channels": state.amojo.channels.values().collect::<Vec<_>>(),
        "integrations": account.integrations.values().collect::<Vec<_>>(),
        "faults": state.faults,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Down {
    #[serde(default = "refuse")]
    how: How,
    for_ms: Option<u64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum How {
    Refuse,
    Reset,
}

fn refuse() -> How {
    How::Refuse
}

/// `POST /amocrm/down`.
pub(crate) async fn down(State(amocrm): State<AmoCrm>, Body(down): Body<Down>) -> StatusCode {
    let movement = amocrm.move_door(match down.how {
        How::Refuse => Door::Refuse,
        How::Reset => Door::Reset,
    });
    if let Some(ms) = down.for_ms {
        let until_ms = amocrm.clock().now_ms() + millis(std::time::Duration::from_millis(ms));
        let later = amocrm.clone();
        amocrm.spawn(async move {
            later.clock().sleep_until(until_ms).await;
            later.reopen_door(movement);
        });
    }
    StatusCode::NO_CONTENT
}

/// `POST /amocrm/up`.
pub(crate) async fn up(State(amocrm): State<AmoCrm>) -> StatusCode {
    amocrm.move_door(Door::Open);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    amojo_id: Option<String>,
    subdomain: Option<String>,
    /// Whether REST counts requests.
    rate_limit: Option<bool>,
    /// How old a contact must be for `query` to find it.
    search_lag_ms: Option<u32>,
    /// Whether the paid filters are there.
    api_filter: Option<bool>,
    /// Whether the account is paid for; else REST answers 402.
    paid: Option<bool>,
}

/// `POST /amocrm/account`: who the account is, for tests that bring ids of their own.
pub(crate) async fn change(
    State(amocrm): State<AmoCrm>,
    Body(change): Body<Change>,
) -> Result<Json<Value>, Refusal> {
    {
        let mut state = amocrm.lock();
        let state = &mut *state;
        if let Some(amojo_id) = change.amojo_id {
            let before = std::mem::replace(&mut state.account.amojo_id, amojo_id.clone());
            for listed in state.amojo.channels.values_mut().flat_map(|channel| &mut channel.accounts) {
                if *listed == before {
                    listed.clone_from(&amojo_id);
                }
            }
        }
        if let Some(on) = change.rate_limit {
            state.limits.on = on;
        }
        let account = &mut state.account;
        account.search_lag_ms = change.search_lag_ms.map_or(account.search_lag_ms, i64::from);
        account.api_filter = change.api_filter.unwrap_or(account.api_filter);
        account.paid = change.paid.unwrap_or(account.paid);
        if let Some(subdomain) = change.subdomain {
            if subdomain.is_empty() || !subdomain.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err(Refusal::bad(format!("subdomain: {subdomain}"), "Latin letters and digits"));
            }
            state.account.subdomain = subdomain;
        }
    }
    Ok(show(State(amocrm)).await)
}
