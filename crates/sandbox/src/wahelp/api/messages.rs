//! Sending, and reading what was said (reference 7, 8).

use serde_json::{Value, json};

use super::Asked;
use super::answer::{Done, Refusal};
use super::channels::find;
use super::users::{NO_USER, PAGE};
use crate::wahelp::Wahelp;
use crate::wahelp::files::File;
use crate::wahelp::message::{NewMessage, Origin};
use crate::wahelp::state::State;

/// `POST …/channels/{uuid}/send_message/{user}`: always towards the client.
pub(super) fn send(
    wahelp: &Wahelp,
    project: i64,
    channel: &str,
    user: i64,
    asked: &Asked<'_>,
) -> Result<Done, Refusal> {
    let mut state = wahelp.lock();
    let state = &mut *state;
    let channel = find(state, project, channel)?;
    if !channel.active || channel.status != "connected" {
        return Err(Refusal::DISCONNECTED);
    }
    let channel = channel.id;
    if state.users.get(&user).is_none_or(|user| user.channel != channel) {
        return Err(NO_USER);
    }
    let text = asked.given.text("text").unwrap_or_default();
    let file = asked.given.file.clone();
    if text.is_empty() && file.is_none() {
        return Err(Refusal::Invalid("The text field is required.".to_owned()));
    }
    let destination = asked.given.text("destination").filter(|given| !given.is_empty());
    let new = NewMessage {
        user,
        origin: Origin::Api,
        destination: destination.unwrap_or_else(|| state.switches.api_destination.clone()),
        kind: file.as_ref().map_or("text", File::message_type).to_owned(),
        text: text.clone(),
        file: file.map(|file| wahelp.keep_file(state, file)),
    };
    let added = wahelp.add_message(state, new, asked.now_ms).ok_or(NO_USER)?;
    let status = state.messages.get(&added.id).and_then(|message| message.status.clone());
    let done = Done::data(json!({"id": added.id, "text": text, "status": status}));
    Ok(Done { hooks: added.hooks, ..done })
}

/// `GET …/channels/{uuid}/messages`.
pub(super) fn list(state: &State, project: i64, channel: &str, asked: &Asked<'_>) -> Result<Done, Refusal> {
    let channel = find(state, project, channel)?.id;
    let ids = state.messages.values().filter(|message| message.channel == channel).map(|message| message.id);
    let mut messages: Vec<Value> = ids.map(|id| state.shown_message(id)).collect();
    if state.switches.newest_first {
        messages.reverse();
    }
    Ok(Done::page(&messages, asked.number("page").unwrap_or(1), asked.number("limit").unwrap_or(PAGE)))
}

/// `GET …/channels/{uuid}/messages/{id}`.
pub(super) fn show(state: &State, project: i64, channel: &str, id: i64) -> Result<Done, Refusal> {
    let channel = find(state, project, channel)?.id;
    if state.messages.get(&id).is_none_or(|message| message.channel != channel) {
        return Err(Refusal::NotFound("the channel has no such message"));
    }
    Ok(Done::data(state.shown_message(id)))
}
