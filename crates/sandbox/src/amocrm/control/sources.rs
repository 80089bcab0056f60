//! `POST /amocrm/sources`: an entry point of a channel without REST and its token.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::amocrm::AmoCrm;
use crate::amocrm::sources::Source;
use crate::control::error::{Body, Refusal};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSource {
    name: String,
    external_id: String,
    pipeline_id: Option<u64>,
    #[serde(default)]
    default: bool,
    origin_code: Option<String>,
    /// The integration it belongs to; the first one unless given.
    client_id: Option<String>,
}

/// Adds it; an `external_id` is an integration's once.
pub(crate) async fn add(
    State(amocrm): State<AmoCrm>,
    Body(new): Body<NewSource>,
) -> Result<Json<Value>, Refusal> {
    let mut state = amocrm.lock();
    let account = &mut state.account;
    let client_id = new.client_id.unwrap_or_else(|| account.first_integration());
    if account.sources.find_external(&client_id, &new.external_id).is_some() {
        return Err(Refusal::bad(format!("external_id: {} exists", new.external_id), "another external_id"));
    }
    let source = account.sources.add(Source {
        id: 0,
        client_id,
        name: new.name,
        external_id: new.external_id,
        pipeline_id: new.pipeline_id.unwrap_or(account.pipeline_id),
        default: new.default,
        origin_code: new.origin_code,
        services: json!([]),
    });
    Ok(Json(json!(source)))
}
