//! Employees: they see dialogues and answer, in the service or in the messenger itself; and what the service notes.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::channels::find;
use super::clients::GivenFile;
use crate::control::error::{Body, Named, Refusal};
use crate::wahelp::Wahelp;
use crate::wahelp::files::File;
use crate::wahelp::message::{NewMessage, Origin};
use crate::wahelp::state::State as Held;
use crate::wahelp::users::User;

/// `GET /wahelp/channels/{channel}/users`: with what was said, oldest first.
pub(crate) async fn users(
    State(wahelp): State<Wahelp>,
    Named(channel): Named<String>,
) -> Result<Json<Value>, Refusal> {
    let state = wahelp.lock();
    let channel = find(&state, &channel)?.id;
    let users = state.users.values().filter(|user| user.channel == channel);
    let users: Vec<Value> = users.map(|user| with_messages(&state, user)).collect();
    Ok(Json(json!({"users": users})))
}

/// `GET /wahelp/channels/{channel}/users/{user}`.
pub(crate) async fn user(
    State(wahelp): State<Wahelp>,
    Named((channel, user)): Named<(String, i64)>,
) -> Result<Json<Value>, Refusal> {
    let state = wahelp.lock();
    Ok(Json(with_messages(&state, find_user(&state, &channel, user)?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    name: Option<String>,
    blocked: Option<bool>,
}

/// `POST /wahelp/channels/{channel}/users/{user}`: what is not given stays.
pub(crate) async fn change(
    State(wahelp): State<Wahelp>,
    Named((channel, id)): Named<(String, i64)>,
    Body(change): Body<Change>,
) -> Result<Json<Value>, Refusal> {
    let mut state = wahelp.lock();
    let channel = find_user(&state, &channel, id)?.channel;
    if let Some(user) = state.users.get_mut(&id) {
        user.blocked = change.blocked.unwrap_or(user.blocked);
        user.name = change.name.unwrap_or_else(|| user.name.clone());
    }
    let payload = state.shown_user(id);
    wahelp.announce(&mut state, channel, "channel.user.updated", payload);
    Ok(Json(state.shown_user(id)))
}

/// Where an employee writes.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Where {
    /// In the service.
    Panel,
    /// In the messenger itself.
    Phone,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Say {
    #[serde(default)]
    text: String,
    file: Option<GivenFile>,
    #[serde(rename = "in", default = "panel")]
    place: Where,
    /// Instead of the word that belongs to the place.
    destination: Option<String>,
}

fn panel() -> Where {
    Where::Panel
}

/// `POST /wahelp/channels/{channel}/users/{user}/say`.
pub(crate) async fn say(
    State(wahelp): State<Wahelp>,
    Named((channel, user)): Named<(String, i64)>,
    Body(say): Body<Say>,
) -> Result<Json<Value>, Refusal> {
    let file = say.file.map(GivenFile::decode).transpose()?;
    let now_ms = wahelp.clock().now_ms();
    let mut state = wahelp.lock();
    let state = &mut *state;
    find_user(state, &channel, user)?;
    let channel = find(state, &channel)?;
    if matches!(say.place, Where::Phone) && channel.bot.is_some() {
        return Err(Refusal::bad("nobody can type as a bot outside the service", "{\"in\": \"panel\"}"));
    }
    let (origin, destination) = match say.place {
        Where::Panel => (Origin::Panel, "from_operator".to_owned()),
        Where::Phone => (Origin::Phone, channel.typed_outside()),
    };
    let new = NewMessage {
        user,
        origin,
        destination: say.destination.unwrap_or(destination),
        kind: file.as_ref().map_or("text", File::message_type).to_owned(),
        text: say.text,
        file: file.map(|file| wahelp.keep_file(state, file)),
    };
    added(&wahelp, state, new, now_ms)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    destination: String,
    #[serde(default)]
    text: String,
    #[serde(rename = "type", default = "text")]
    kind: String,
}

fn text() -> String {
    "text".to_owned()
}

/// `POST /wahelp/channels/{channel}/users/{user}/entry`: what the service itself notes, for nobody's eyes outside.
pub(crate) async fn entry(
    State(wahelp): State<Wahelp>,
    Named((channel, user)): Named<(String, i64)>,
    Body(entry): Body<Entry>,
) -> Result<Json<Value>, Refusal> {
    let now_ms = wahelp.clock().now_ms();
    let mut state = wahelp.lock();
    find_user(&state, &channel, user)?;
    let Entry { destination, text, kind } = entry;
    let new = NewMessage { user, origin: Origin::Entry, destination, kind, text, file: None };
    added(&wahelp, &mut state, new, now_ms)
}

fn added(wahelp: &Wahelp, state: &mut Held, new: NewMessage, now_ms: i64) -> Result<Json<Value>, Refusal> {
    let user = new.user;
    let added = wahelp.add_message(state, new, now_ms).ok_or_else(|| nobody(user))?;
    Ok(Json(json!(state.messages.get(&added.id))))
}

fn find_user<'a>(state: &'a Held, channel: &str, user: i64) -> Result<&'a User, Refusal> {
    let channel = find(state, channel)?.id;
    state.users.get(&user).filter(|user| user.channel == channel).ok_or_else(|| nobody(user))
}

fn nobody(user: i64) -> Refusal {
    Refusal::not_found(format!("the channel has no user {user}"), "an id of GET …/users")
}

fn with_messages(state: &Held, user: &User) -> Value {
    let mut shown = json!(user);
    shown["messages"] =
        state.messages.values().filter(|message| message.user == user.id).map(|it| json!(it)).collect();
    shown
}
