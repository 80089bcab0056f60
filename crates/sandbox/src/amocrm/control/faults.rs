//! Planning faults of the hook, for one bot or for all.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use super::bots::find_mut;
use crate::amocrm::AmoCrm;
use crate::amocrm::fault::{Fault, Faults, Planned};
use crate::control::error::{Body, Named, Refusal};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    fault: Fault,
    times: Option<u64>,
    for_ms: Option<i64>,
    percent: Option<u8>,
}

impl Plan {
    fn at(self, now_ms: i64) -> Result<Planned, Refusal> {
        if let Fault::Status { code, .. } = self.fault
            && !(200..=599).contains(&code)
        {
            return Err(Refusal::bad(format!("code: {code}"), "an HTTP status from 200 to 599"));
        }
        if let Some(percent) = self.percent
            && !(1..=100).contains(&percent)
        {
            return Err(Refusal::bad(format!("percent: {percent}"), "a share from 1 to 100"));
        }
        let until_ms = self.for_ms.map(|ms| now_ms.saturating_add(ms));
        Ok(Planned { fault: self.fault, times: self.times, until_ms, percent: self.percent })
    }
}

/// `POST /amocrm/faults`.
pub(crate) async fn plan(
    State(amocrm): State<AmoCrm>,
    Body(plan): Body<Plan>,
) -> Result<Json<Faults>, Refusal> {
    let planned = plan.at(amocrm.clock().now_ms())?;
    let mut state = amocrm.lock();
    state.faults.plan(planned);
    Ok(Json(state.faults.clone()))
}

/// `DELETE /amocrm/faults`.
pub(crate) async fn clear(State(amocrm): State<AmoCrm>) -> StatusCode {
    amocrm.lock().faults.clear();
    StatusCode::NO_CONTENT
}

/// `POST /amocrm/{bot}/faults`.
pub(crate) async fn plan_for_bot(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
    Body(plan): Body<Plan>,
) -> Result<Json<Faults>, Refusal> {
    let planned = plan.at(amocrm.clock().now_ms())?;
    let mut state = amocrm.lock();
    let connection = find_mut(&mut state.connections, bot)?;
    connection.faults.plan(planned);
    Ok(Json(connection.faults.clone()))
}

/// `DELETE /amocrm/{bot}/faults`.
pub(crate) async fn clear_for_bot(
    State(amocrm): State<AmoCrm>,
    Named(bot): Named<i64>,
) -> Result<StatusCode, Refusal> {
    find_mut(&mut amocrm.lock().connections, bot)?.faults.clear();
    Ok(StatusCode::NO_CONTENT)
}
