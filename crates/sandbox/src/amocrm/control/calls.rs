//! `GET /amocrm/calls`: what amojo, REST, OAuth and the attachments were asked.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::amocrm::AmoCrm;
use crate::amocrm::calls::{Call, Part};
use crate::control::error::Asked;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    #[serde(default)]
    after: u64,
    on: Option<Part>,
    endpoint: Option<String>,
    channel: Option<String>,
}

impl Wanted {
    fn takes(&self, call: &Call) -> bool {
        self.on.is_none_or(|on| on == call.on)
            && self.endpoint.as_ref().is_none_or(|endpoint| *endpoint == call.endpoint)
            && (self.channel.is_none() || self.channel == call.channel)
    }
}

/// Oldest first.
pub(crate) async fn list(State(amocrm): State<AmoCrm>, Asked(wanted): Asked<Wanted>) -> Json<Value> {
    let state = amocrm.lock();
    let calls: Vec<&Call> = state.calls.after(wanted.after).filter(|call| wanted.takes(call)).collect();
    Json(json!({"calls": calls, "forgotten": state.calls.forgotten()}))
}
