//! The account as a whole: who it is, and whether anybody answers.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::views;
use crate::amocrm::AmoCrm;
use crate::amocrm::door::Door;
use crate::clock::millis;
use crate::control::error::Body;

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
            "amojo_id": account.amojo_id,
            "pipeline_id": account.pipeline_id,
            "manager_id": account.manager_id,
            "access_token": account.access_token,
        },
        "bots": bots,
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
