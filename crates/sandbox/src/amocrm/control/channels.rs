//! Channels: making them as support would, and looking at their chats, hooks and complaints.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::amocrm::amojo::Channel;
use crate::amocrm::amojo::channel::{Fixture, FixtureError};
use crate::amocrm::amojo::chat::{ChannelChat, Person};
use crate::amocrm::bot_api::in_words;
use crate::amocrm::{AmoCrm, State as Held};
use crate::control::After;
use crate::control::error::{Asked, Body, Named, Refusal};

/// `GET /amocrm/channels`.
pub(crate) async fn list(State(amocrm): State<AmoCrm>) -> Json<Value> {
    let state = amocrm.lock();
    Json(json!({"channels": state.amojo.channels.values().map(shown).collect::<Vec<_>>()}))
}

/// `POST /amocrm/channels`: what is not given is made up.
pub(crate) async fn add(
    State(amocrm): State<AmoCrm>,
    Body(fixture): Body<Fixture>,
) -> Result<Json<Value>, Refusal> {
    let mut state = amocrm.lock();
    let state = &mut *state;
    let account = &state.account;
    let channel = Channel::new(fixture, account.random(), &account.amojo_id, &account.first_integration());
    let channel = channel.map_err(|error| refused(&error))?;
    if state.amojo.channels.contains_key(&channel.id) {
        return Err(Refusal::bad(format!("there is a channel {}", channel.id), "another id"));
    }
    let answer = shown(&channel);
    state.amojo.channels.insert(channel.id.clone(), channel);
    Ok(Json(answer))
}

/// `GET /amocrm/channels/{channel}`.
pub(crate) async fn show(
    State(amocrm): State<AmoCrm>,
    Named(channel): Named<String>,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(shown(find(&amocrm.lock(), &channel)?)))
}

/// `POST /amocrm/channels/{channel}`: what is not given stays.
pub(crate) async fn change(
    State(amocrm): State<AmoCrm>,
    Named(channel): Named<String>,
    Body(fixture): Body<Fixture>,
) -> Result<Json<Value>, Refusal> {
    let mut state = amocrm.lock();
    let found = state.amojo.channels.get_mut(&channel).ok_or_else(|| unknown(&channel))?;
    found.change(fixture).map_err(|error| refused(&error))?;
    Ok(Json(shown(found)))
}

/// `DELETE /amocrm/channels/{channel}`: support has taken it away; its chats stay.
pub(crate) async fn remove(
    State(amocrm): State<AmoCrm>,
    Named(channel): Named<String>,
) -> Result<StatusCode, Refusal> {
    match amocrm.lock().amojo.channels.remove(&channel) {
        Some(_) => Ok(StatusCode::NO_CONTENT),
        None => Err(unknown(&channel)),
    }
}

/// `GET /amocrm/channels/{channel}/chats`.
pub(crate) async fn chats(
    State(amocrm): State<AmoCrm>,
    Named(channel): Named<String>,
) -> Result<Json<Value>, Refusal> {
    let state = amocrm.lock();
    find(&state, &channel)?;
    let chats = state.account.channel_chats.values().filter(|chat| chat.channel == channel);
    let chats: Vec<Value> = chats.map(|chat| shown_chat(&state, chat)).collect();
    Ok(Json(json!({"chats": chats})))
}

/// `GET /amocrm/channels/{channel}/chats/{chat}`, by amojo's id or by the integration's.
pub(crate) async fn chat(
    State(amocrm): State<AmoCrm>,
    Named((channel, name)): Named<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let state = amocrm.lock();
    Ok(Json(shown_chat(&state, find_chat(&state, &channel, &name)?)))
}

/// `GET /amocrm/channels/{channel}/messages/{message}`, by amojo's id or by the integration's.
pub(crate) async fn message(
    State(amocrm): State<AmoCrm>,
    Named((channel, name)): Named<(String, String)>,
) -> Result<Json<Value>, Refusal> {
    let state = amocrm.lock();
    find(&state, &channel)?;
    let found = state.find_message(&channel, &name);
    let (chat, line) =
        found.ok_or_else(|| Refusal::not_found("there is no such message", "an id that a chat shows"))?;
    let mut shown = json!(line);
    shown["chat"] = json!(chat.id);
    Ok(Json(shown))
}

/// `GET /amocrm/channels/{channel}/hooks?after=N`.
pub(crate) async fn hooks(
    State(amocrm): State<AmoCrm>,
    Named(channel): Named<String>,
    Asked(asked): Asked<After>,
) -> Result<Json<Value>, Refusal> {
    let state = amocrm.lock();
    find(&state, &channel)?;
    let outbox = &state.amojo.outbox;
    let hooks: Vec<_> = outbox.after(asked.after).filter(|hook| hook.channel == channel).collect();
    Ok(Json(json!({"hooks": hooks, "forgotten": outbox.forgotten()})))
}

/// `GET /amocrm/channels/{channel}/complaints?after=N`.
pub(crate) async fn complaints(
    State(amocrm): State<AmoCrm>,
    Named(channel): Named<String>,
    Asked(asked): Asked<After>,
) -> Result<Json<Value>, Refusal> {
    let state = amocrm.lock();
    find(&state, &channel)?;
    let complaints = state.amojo.complaints.after(asked.after);
    let complaints: Vec<_> = complaints.filter(|complaint| complaint.channel == channel).collect();
    Ok(Json(json!({"complaints": complaints})))
}

pub(crate) fn find<'a>(state: &'a Held, channel: &str) -> Result<&'a Channel, Refusal> {
    state.amojo.channel(channel).ok_or_else(|| unknown(channel))
}

/// A chat of the channel by either id.
pub(crate) fn find_chat<'a>(state: &'a Held, channel: &str, name: &str) -> Result<&'a ChannelChat, Refusal> {
    find(state, channel)?;
    let chats = &state.account.channel_chats;
    let by_name =
        || chats.values().find(|chat| chat.channel == channel && chat.client_id.as_deref() == Some(name));
    chats.get(name).filter(|chat| chat.channel == channel).or_else(by_name).ok_or_else(|| {
        Refusal::not_found("the channel has no such chat", "amojo's id of a chat, or a conversation_id")
    })
}

fn unknown(channel: &str) -> Refusal {
    Refusal::not_found(format!("there is no channel {channel}"), "an id of GET /amocrm/channels")
}

fn refused(error: &FixtureError) -> Refusal {
    Refusal::bad(in_words(error), "the channel that /openapi.json describes")
}

fn shown(channel: &Channel) -> Value {
    let mut shown = json!(channel);
    shown["scope_id"] = json!(channel.scope_id());
    shown
}

/// A chat with its client.
fn shown_chat(state: &Held, chat: &ChannelChat) -> Value {
    let mut shown = json!(chat);
    let person: Option<&Person> = state.account.persons.get(&chat.person_id);
    shown["person"] = json!(person);
    shown
}
