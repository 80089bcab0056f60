//! `/clock`: what time it is in the sandbox, and moving it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::{Body, Refusal};
use crate::clock::ClockMode;
use crate::telegram::Telegram;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    now_ms: Option<i64>,
    advance_ms: Option<u64>,
    mode: Option<ClockMode>,
}

pub(super) async fn show(State(telegram): State<Telegram>) -> Json<Value> {
    let clock = telegram.clock();
    Json(json!({"now_ms": clock.now_ms(), "mode": clock.mode()}))
}

pub(super) async fn set(
    State(telegram): State<Telegram>,
    Body(change): Body<Change>,
) -> Result<Json<Value>, Refusal> {
    let clock = telegram.clock();
    match change {
        Change { now_ms: Some(now_ms), advance_ms: None, mode: None } if now_ms >= clock.now_ms() => {
            clock.set(now_ms);
        }
        Change { now_ms: Some(_), advance_ms: None, mode: None } => {
            let now = clock.now_ms();
            return Err(Refusal::bad("the clock does not go back", format!("now_ms of at least {now}")));
        }
        Change { now_ms: None, advance_ms: Some(by), mode: None } => clock.advance(Duration::from_millis(by)),
        Change { now_ms: None, advance_ms: None, mode: Some(mode) } => clock.set_mode(mode),
        _ => {
            return Err(Refusal::bad(
                "the clock takes one change at a time",
                "{\"now_ms\": …}, {\"advance_ms\": …} or {\"mode\": \"system\" | \"manual\"}",
            ));
        }
    }
    Ok(show(State(telegram)).await)
}
