//! Planning faults of the API, the files, the bot channels' hook and the hooks that go out.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::control::error::{Body, Refusal};
use crate::wahelp::Wahelp;
use crate::wahelp::fault::{Fault, Faults, Planned};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    fault: Fault,
    endpoint: Option<String>,
    times: Option<u64>,
    for_ms: Option<i64>,
}

/// `GET /wahelp/faults`: those still due, in the order they decide.
pub(crate) async fn list(State(wahelp): State<Wahelp>) -> Json<Faults> {
    Json(wahelp.lock().faults.clone())
}

/// `POST /wahelp/faults`.
pub(crate) async fn plan(
    State(wahelp): State<Wahelp>,
    Body(plan): Body<Plan>,
) -> Result<Json<Faults>, Refusal> {
    if let Fault::Status { code, .. } | Fault::Unsuccessful { code, .. } = plan.fault
        && !(200..=599).contains(&code)
    {
        return Err(Refusal::bad(format!("code: {code}"), "an HTTP status from 200 to 599"));
    }
    let now_ms = wahelp.clock().now_ms();
    let mut state = wahelp.lock();
    state.faults.plan(Planned {
        fault: plan.fault,
        endpoint: plan.endpoint,
        times: plan.times,
        until_ms: plan.for_ms.map(|ms| now_ms.saturating_add(ms)),
    });
    Ok(Json(state.faults.clone()))
}

/// `DELETE /wahelp/faults`.
pub(crate) async fn clear(State(wahelp): State<Wahelp>) -> StatusCode {
    wahelp.lock().faults.clear();
    StatusCode::NO_CONTENT
}
