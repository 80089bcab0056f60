//! Subscriptions (reference 9.1). Nothing keeps anybody from subscribing the same address twice.

use serde_json::json;

use super::Asked;
use super::answer::{Done, Refusal};
use crate::amocrm::ids::uuid;
use crate::wahelp::project::Webhook;
use crate::wahelp::state::State;

/// `GET …/webhooks/`.
pub(super) fn list(state: &State, project: i64) -> Done {
    let webhooks = state.projects.get(&project).map(|project| project.webhooks.values().collect::<Vec<_>>());
    Done::data(json!(webhooks.unwrap_or_default()))
}

/// `POST …/webhooks/`.
pub(super) fn add(state: &mut State, project: i64, asked: &Asked<'_>) -> Result<Done, Refusal> {
    let url = address(asked)?.ok_or_else(|| Refusal::Invalid("The url field is required.".to_owned()))?;
    let entities = asked.given.texts("entities").filter(|entities| !entities.is_empty());
    let entities = entities.ok_or_else(|| Refusal::Invalid("The entities field is required.".to_owned()))?;
    let webhook = Webhook { uuid: uuid(&state.random), url, entities };
    let shown = json!(webhook);
    if let Some(project) = state.projects.get_mut(&project) {
        project.webhooks.insert(webhook.uuid.clone(), webhook);
    }
    Ok(Done::data(shown))
}

/// `PUT …/webhooks/{uuid}`: what is not given stays.
pub(super) fn change(
    state: &mut State,
    project: i64,
    uuid: &str,
    asked: &Asked<'_>,
) -> Result<Done, Refusal> {
    let url = address(asked)?;
    let webhook = state.projects.get_mut(&project).and_then(|project| project.webhooks.get_mut(uuid));
    let webhook = webhook.ok_or(NO_WEBHOOK)?;
    if let Some(url) = url {
        webhook.url = url;
    }
    if let Some(entities) = asked.given.texts("entities") {
        webhook.entities = entities;
    }
    Ok(Done::data(json!(webhook)))
}

/// `DELETE …/webhooks/{uuid}`.
pub(super) fn remove(state: &mut State, project: i64, uuid: &str) -> Result<Done, Refusal> {
    let removed = state.projects.get_mut(&project).and_then(|project| project.webhooks.remove(uuid));
    removed.map(|_| Done::data(json!([]))).ok_or(NO_WEBHOOK)
}

const NO_WEBHOOK: Refusal = Refusal::NotFound("the project has no such webhook");

/// Plain http and bare addresses are taken, as they were at the real one.
fn address(asked: &Asked<'_>) -> Result<Option<String>, Refusal> {
    match asked.given.text("url") {
        None => Ok(None),
        Some(url) if url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) => {
            Ok(Some(url))
        }
        Some(_) => Err(Refusal::Invalid("The url format is invalid.".to_owned())),
    }
}
