//! Channels: connecting a messenger account as the owner would in the cabinet, and linking it to amoCRM.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::amocrm::{BotApiError, in_words};
use crate::control::error::{Body, Named, Refusal};
use crate::wahelp::Wahelp;
use crate::wahelp::amocrm::LinkError;
use crate::wahelp::channel::Channel;
use crate::wahelp::state::State as Held;

/// `GET /wahelp/channels`.
pub(crate) async fn list(State(wahelp): State<Wahelp>) -> Json<Value> {
    let state = wahelp.lock();
    let channels: Vec<Value> = state.channels.values().map(|channel| shown(&wahelp, channel)).collect();
    Json(json!({"channels": channels}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewChannel {
    /// The first project unless given.
    project: Option<i64>,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Makes it a bot channel: the bot's webhook is taken.
    token: Option<String>,
    /// The Bot API server of the bot; the sandbox's own unless given.
    telegram: Option<String>,
}

/// `POST /wahelp/channels`.
pub(crate) async fn add(
    State(wahelp): State<Wahelp>,
    Body(new): Body<NewChannel>,
) -> Result<Json<Value>, Refusal> {
    let bot = match &new.token {
        None => None,
        Some(token) => Some(wahelp.meet_bot(token, new.telegram).await.map_err(|error| disagreed(&error))?),
    };
    let default_kind = if bot.is_some() { "telegram_bot" } else { "telegram" };
    let (id, uuid) = {
        let mut state = wahelp.lock();
        let project = new.project.unwrap_or_else(|| state.first_project());
        if !state.projects.contains_key(&project) {
            return Err(Refusal::not_found(format!("there is no project {project}"), "one of GET /wahelp"));
        }
        let (id, uuid) = state.next_channel();
        let kind = new.kind.unwrap_or_else(|| default_kind.to_owned());
        let channel = Channel {
            id,
            uuid: uuid.clone(),
            project,
            name: new.name.unwrap_or_else(|| kind.clone()),
            kind,
            active: true,
            status: "connected".to_owned(),
            bot: bot.clone(),
            clients: BTreeMap::new(),
            linked: false,
        };
        state.channels.insert(id, channel);
        (id, uuid)
    };
    // Telegram is told last: its first delivery may be faster than its answer.
    if let Some(bot) = &bot
        && let Err(error) = wahelp.hold_webhook(bot, &uuid).await
    {
        wahelp.lock().channels.remove(&id);
        return Err(disagreed(&error));
    }
    Ok(Json(shown(&wahelp, find(&wahelp.lock(), &uuid)?)))
}

/// `GET /wahelp/channels/{channel}`, by number or uuid.
pub(crate) async fn show(
    State(wahelp): State<Wahelp>,
    Named(channel): Named<String>,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(shown(&wahelp, find(&wahelp.lock(), &channel)?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    name: Option<String>,
    active: Option<bool>,
    /// Sending works while it is `connected`.
    status: Option<String>,
}

/// `POST /wahelp/channels/{channel}`: what is not given stays.
pub(crate) async fn change(
    State(wahelp): State<Wahelp>,
    Named(name): Named<String>,
    Body(change): Body<Change>,
) -> Result<Json<Value>, Refusal> {
    let mut state = wahelp.lock();
    let id = state.channel_id(&name).ok_or_else(|| unknown(&name))?;
    let channel = state.channels.get_mut(&id).ok_or_else(|| unknown(&name))?;
    channel.active = change.active.unwrap_or(channel.active);
    for (field, given) in [(&mut channel.name, change.name), (&mut channel.status, change.status)] {
        if let Some(given) = given {
            *field = given;
        }
    }
    let (payload, answer) = (
        json!({"id": id, "uuid": channel.uuid, "name": channel.name,
        "type": channel.kind, "active": channel.active, "status": channel.status}),
        shown(&wahelp, channel),
    );
    wahelp.announce(&mut state, id, "channel.updated", payload);
    Ok(Json(answer))
}

/// `DELETE /wahelp/channels/{channel}`: a bot's webhook is given up.
pub(crate) async fn remove(
    State(wahelp): State<Wahelp>,
    Named(name): Named<String>,
) -> Result<StatusCode, Refusal> {
    let removed = {
        let mut state = wahelp.lock();
        let id = state.channel_id(&name).ok_or_else(|| unknown(&name))?;
        state.channels.remove(&id)
    };
    if let Some(bot) = removed.and_then(|channel| channel.bot) {
        wahelp.leave_webhook(&bot).await.map_err(|error| disagreed(&error))?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /wahelp/channels/{channel}/reconnect`: takes the bot's webhook once more, whoever has it by now.
pub(crate) async fn reconnect(
    State(wahelp): State<Wahelp>,
    Named(name): Named<String>,
) -> Result<Json<Value>, Refusal> {
    let (uuid, bot) = {
        let state = wahelp.lock();
        let channel = find(&state, &name)?;
        (channel.uuid.clone(), channel.bot.clone())
    };
    let bot = bot.ok_or_else(|| Refusal::bad("this channel has no bot", "a channel made with a token"))?;
    wahelp.hold_webhook(&bot, &uuid).await.map_err(|error| disagreed(&error))?;
    Ok(Json(shown(&wahelp, find(&wahelp.lock(), &uuid)?)))
}

/// `POST /wahelp/channels/{channel}/link`: its dialogues are shown in the sandbox's amoCRM from now on.
pub(crate) async fn link(
    State(wahelp): State<Wahelp>,
    Named(name): Named<String>,
) -> Result<Json<Value>, Refusal> {
    let id = find(&wahelp.lock(), &name)?.id;
    wahelp.link(id).await.map_err(|error| not_linked(&error))?;
    let state = wahelp.lock();
    Ok(Json(json!(state.project_of_channel(id).and_then(|project| project.amocrm.as_ref()))))
}

/// `DELETE /wahelp/channels/{channel}/link`.
pub(crate) async fn unlink(
    State(wahelp): State<Wahelp>,
    Named(name): Named<String>,
) -> Result<StatusCode, Refusal> {
    let id = find(&wahelp.lock(), &name)?.id;
    wahelp.unlink(id).map_err(|error| not_linked(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) fn find<'a>(state: &'a Held, channel: &str) -> Result<&'a Channel, Refusal> {
    state.channel(channel).ok_or_else(|| unknown(channel))
}

pub(crate) fn unknown(channel: &str) -> Refusal {
    Refusal::not_found(format!("there is no channel {channel}"), "a number or uuid of GET /wahelp/channels")
}

fn disagreed(error: &BotApiError) -> Refusal {
    Refusal::bad(in_words(error), "a token of a bot of the Bot API server")
}

fn not_linked(error: &LinkError) -> Refusal {
    Refusal::bad(in_words(error), "an amoCRM that answers")
}

/// A channel, with the address of its webhook if it is a bot's.
pub(crate) fn shown(wahelp: &Wahelp, channel: &Channel) -> Value {
    let mut shown = json!(channel);
    shown["clients"] = channel.clients.values().map(|client| json!(client.id)).collect();
    if channel.bot.is_some() {
        shown["webhook"] = json!(wahelp.bot_address(&channel.uuid));
    }
    shown
}
