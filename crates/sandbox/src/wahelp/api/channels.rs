//! Channels of a project and how they are.

use serde_json::{Value, json};

use super::answer::{Done, Refusal};
use crate::wahelp::channel::Channel;
use crate::wahelp::state::State;

/// `GET /projects/{pid}/channels/`.
pub(super) fn list(state: &State, project: i64) -> Done {
    Done::data(state.channels.values().filter(|channel| channel.project == project).map(shown).collect())
}

/// `GET /projects/{pid}/channels/{uuid}`.
pub(super) fn show(state: &State, project: i64, channel: &str) -> Result<Done, Refusal> {
    Ok(Done::data(shown(find(state, project, channel)?)))
}

/// `GET /projects/{pid}/channels/{uuid}/status`.
pub(super) fn status(state: &State, project: i64, channel: &str) -> Result<Done, Refusal> {
    let channel = find(state, project, channel)?;
    Ok(Done::data(json!({"status": channel.status, "active": channel.active})))
}

/// A channel of the project, by uuid alone: the number is not a name in paths.
pub(super) fn find<'a>(state: &'a State, project: i64, uuid: &str) -> Result<&'a Channel, Refusal> {
    state
        .channels
        .values()
        .find(|channel| channel.project == project && channel.uuid == uuid)
        .ok_or(Refusal::NotFound("there is no such channel"))
}

fn shown(channel: &Channel) -> Value {
    json!({
        "id": channel.id,
        "uuid": channel.uuid,
        "name": channel.name,
        "type": channel.kind,
        "active": channel.active,
        "settings": {},
    })
}
