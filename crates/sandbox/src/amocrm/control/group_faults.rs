//! Planning faults of amojo, REST, OAuth, the attachments and the chat hooks.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::amocrm::AmoCrm;
use crate::amocrm::calls::Part;
use crate::amocrm::group_fault::{GroupFault, GroupFaults, PlannedGroupFault};
use crate::control::error::{Body, Named, Refusal};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    fault: GroupFault,
    endpoint: Option<String>,
    channel: Option<String>,
    times: Option<u64>,
    for_ms: Option<i64>,
    percent: Option<u8>,
}

/// `GET /amocrm/faults/{part}`: of all parts, in the order they decide.
pub(crate) async fn list(State(amocrm): State<AmoCrm>, Named(_part): Named<Part>) -> Json<GroupFaults> {
    Json(amocrm.lock().group_faults.clone())
}

/// `POST /amocrm/faults/{part}`.
pub(crate) async fn plan(
    State(amocrm): State<AmoCrm>,
    Named(on): Named<Part>,
    Body(plan): Body<Plan>,
) -> Result<Json<GroupFaults>, Refusal> {
    if !plan.fault.fits(on) {
        return Err(Refusal::bad(
            "this fault means nothing there",
            "a fault that docs/sandbox-amocrm.md lists",
        ));
    }
    if let GroupFault::Status { code, .. } = plan.fault
        && !(200..=599).contains(&code)
    {
        return Err(Refusal::bad(format!("code: {code}"), "an HTTP status from 200 to 599"));
    }
    if let Some(percent) = plan.percent
        && !(1..=100).contains(&percent)
    {
        return Err(Refusal::bad(format!("percent: {percent}"), "a share from 1 to 100"));
    }
    let now_ms = amocrm.clock().now_ms();
    let mut state = amocrm.lock();
    state.group_faults.plan(PlannedGroupFault {
        on,
        fault: plan.fault,
        endpoint: plan.endpoint,
        channel: plan.channel,
        times: plan.times,
        until_ms: plan.for_ms.map(|ms| now_ms.saturating_add(ms)),
        percent: plan.percent,
    });
    Ok(Json(state.group_faults.clone()))
}

/// `DELETE /amocrm/faults/{part}`.
pub(crate) async fn clear(State(amocrm): State<AmoCrm>, Named(on): Named<Part>) -> StatusCode {
    amocrm.lock().group_faults.clear(on);
    StatusCode::NO_CONTENT
}
