//! What Wahelp was asked, and what it told.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::After;
use crate::control::error::Asked;
use crate::wahelp::Wahelp;

/// `GET /wahelp/hooks?after=N`.
pub(crate) async fn hooks(State(wahelp): State<Wahelp>, Asked(asked): Asked<After>) -> Json<Value> {
    let state = wahelp.lock();
    let hooks: Vec<_> = state.hooks.after(asked.after).collect();
    Json(json!({"hooks": hooks, "forgotten": state.hooks.forgotten()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichCalls {
    #[serde(default)]
    after: u64,
    endpoint: Option<String>,
}

/// `GET /wahelp/calls?after=N&endpoint=E`.
pub(crate) async fn calls(State(wahelp): State<Wahelp>, Asked(asked): Asked<WhichCalls>) -> Json<Value> {
    let state = wahelp.lock();
    let meant = |endpoint: &str| asked.endpoint.as_deref().is_none_or(|wanted| wanted == endpoint);
    let calls: Vec<_> = state.calls.after(asked.after).filter(|call| meant(&call.endpoint)).collect();
    Json(json!({"calls": calls, "forgotten": state.calls.forgotten()}))
}
