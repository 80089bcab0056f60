//! The account as a whole: its login, its projects, its switches, and whether anybody answers.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channels::shown;
use crate::amocrm::door::Door;
use crate::amocrm::in_words;
use crate::clock::millis;
use crate::control::error::{Body, Refusal};
use crate::wahelp::Wahelp;

/// `GET /wahelp`.
pub(crate) async fn show(State(wahelp): State<Wahelp>) -> Json<Value> {
    let state = wahelp.lock();
    Json(json!({
        "url": wahelp.url(),
        "api": format!("{}/api", wahelp.url()),
        "up": wahelp.door() == Door::Open,
        "login": state.login,
        "password": state.password,
        "projects": state.projects.values().collect::<Vec<_>>(),
        "channels": state.channels.values().map(|channel| shown(&wahelp, channel)).collect::<Vec<_>>(),
        "switches": state.switches,
        "faults": state.faults,
    }))
}

/// `POST /wahelp/switches`: what is not given stays.
pub(crate) async fn switch(
    State(wahelp): State<Wahelp>,
    Body(given): Body<Map<String, Value>>,
) -> Result<Json<Value>, Refusal> {
    let mut state = wahelp.lock();
    let changed = state.switches.with(given);
    state.switches =
        changed.map_err(|error| Refusal::bad(in_words(&error), "switches as GET /wahelp shows them"))?;
    Ok(Json(json!(state.switches)))
}

/// `POST /wahelp/tokens/expire`: every token handed out until now is good for nothing.
pub(crate) async fn expire(State(wahelp): State<Wahelp>) -> StatusCode {
    let now_ms = wahelp.clock().now_ms();
    for token in &mut wahelp.lock().tokens {
        token.until_ms = token.until_ms.min(now_ms);
    }
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewProject {
    name: String,
}

/// `POST /wahelp/projects`.
pub(crate) async fn add_project(State(wahelp): State<Wahelp>, Body(new): Body<NewProject>) -> Json<Value> {
    let mut state = wahelp.lock();
    let id = state.add_project(new.name);
    Json(json!(state.projects.get(&id)))
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

/// `POST /wahelp/down`.
pub(crate) async fn down(State(wahelp): State<Wahelp>, Body(down): Body<Down>) -> StatusCode {
    let movement = wahelp.move_door(match down.how {
        How::Refuse => Door::Refuse,
        How::Reset => Door::Reset,
    });
    if let Some(ms) = down.for_ms {
        let until_ms = wahelp.clock().now_ms().saturating_add(millis(Duration::from_millis(ms)));
        let later = wahelp.clone();
        wahelp.spawn(async move {
            later.clock().sleep_until(until_ms).await;
            later.reopen_door(movement);
        });
    }
    StatusCode::NO_CONTENT
}

/// `POST /wahelp/up`.
pub(crate) async fn up(State(wahelp): State<Wahelp>) -> StatusCode {
    wahelp.move_door(Door::Open);
    StatusCode::NO_CONTENT
}
