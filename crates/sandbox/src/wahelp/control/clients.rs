//! Clients of a messenger account that is no bot: they write, call, read, and look at their phone.
//!
//! The clients of a bot channel are users of the sandbox's Telegram and act there.

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::channels::{find, unknown};
use crate::control::error::{Body, Named, Refusal};
use crate::wahelp::Wahelp;
use crate::wahelp::client::{Client, Side, digits};
use crate::wahelp::files::File;
use crate::wahelp::message::{Change, NewMessage, Origin};
use crate::wahelp::state::State as Held;

/// `GET /wahelp/channels/{channel}/clients`.
pub(crate) async fn list(
    State(wahelp): State<Wahelp>,
    Named(channel): Named<String>,
) -> Result<Json<Value>, Refusal> {
    let state = wahelp.lock();
    Ok(Json(json!({"clients": find(&state, &channel)?.clients.values().collect::<Vec<_>>()})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewClient {
    name: String,
    phone: Option<String>,
    #[serde(default)]
    hides_phone: bool,
    username: Option<String>,
}

/// `POST /wahelp/channels/{channel}/clients`: somebody who has the messenger.
pub(crate) async fn add(
    State(wahelp): State<Wahelp>,
    Named(name): Named<String>,
    Body(new): Body<NewClient>,
) -> Result<Json<Value>, Refusal> {
    let mut state = wahelp.lock();
    let id = state.channel_id(&name).ok_or_else(|| unknown(&name))?;
    let channel = state.channels.get_mut(&id).ok_or_else(|| unknown(&name))?;
    if channel.bot.is_some() {
        return Err(Refusal::bad(
            "the clients of a bot are users of the sandbox's Telegram",
            "POST /users, and their acts there",
        ));
    }
    let client = Client {
        id: channel.clients.keys().last().copied().unwrap_or_default() + 1,
        name: new.name,
        phone: new.phone.map(|phone| digits(&phone)),
        shows_phone: !new.hides_phone,
        username: new.username,
        chat: Vec::new(),
    };
    let shown = json!(client);
    channel.clients.insert(client.id, client);
    Ok(Json(shown))
}

/// `GET /wahelp/channels/{channel}/clients/{client}`: what he sees, and who he is at Wahelp.
pub(crate) async fn show(
    State(wahelp): State<Wahelp>,
    Named((channel, client)): Named<(String, u64)>,
) -> Result<Json<Value>, Refusal> {
    let state = wahelp.lock();
    let channel = find(&state, &channel)?;
    let mut shown = json!(channel.clients.get(&client).ok_or_else(|| nobody(client))?);
    shown["user"] = json!(state.find_reached(channel.id, crate::wahelp::users::Reached::Client(client)));
    Ok(Json(shown))
}

/// A file as it is given to an act.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GivenFile {
    #[serde(default = "file_name")]
    name: String,
    content_type: String,
    /// Some bytes unless given.
    base64: Option<String>,
}

fn file_name() -> String {
    "file.bin".to_owned()
}

impl GivenFile {
    pub(crate) fn decode(self) -> Result<File, Refusal> {
        let bytes = match self.base64 {
            None => b"sandbox".to_vec(),
            Some(text) => STANDARD
                .decode(text)
                .map_err(|error| Refusal::bad(error.to_string(), "standard base64 in `base64`"))?,
        };
        Ok(File { name: self.name, content_type: self.content_type, bytes: bytes.into() })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Say {
    #[serde(default)]
    text: String,
    file: Option<GivenFile>,
    /// Instead of the type of the file, or `text`.
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// `POST /wahelp/channels/{channel}/clients/{client}/say`.
pub(crate) async fn say(
    State(wahelp): State<Wahelp>,
    Named((channel, client)): Named<(String, u64)>,
    Body(say): Body<Say>,
) -> Result<Json<Value>, Refusal> {
    let file = say.file.map(GivenFile::decode).transpose()?;
    if say.text.is_empty() && file.is_none() {
        return Err(Refusal::bad("nothing is said", "`text`, or `file`, or both"));
    }
    write(&wahelp, &channel, client, say.text, file, say.kind)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    #[serde(default = "incoming_call")]
    text: String,
}

fn incoming_call() -> String {
    "_Incoming call_".to_owned()
}

/// `POST /wahelp/channels/{channel}/clients/{client}/call`: a call is a message with a mark for its text.
pub(crate) async fn call(
    State(wahelp): State<Wahelp>,
    Named((channel, client)): Named<(String, u64)>,
    Body(call): Body<Call>,
) -> Result<Json<Value>, Refusal> {
    write(&wahelp, &channel, client, call.text, None, None)
}

/// `POST /wahelp/channels/{channel}/clients/{client}/read`: he has seen everything the company wrote.
pub(crate) async fn read(
    State(wahelp): State<Wahelp>,
    Named((name, client)): Named<(String, u64)>,
) -> Result<Json<Value>, Refusal> {
    let mut state = wahelp.lock();
    let seen: Vec<i64> = {
        let channel = find(&state, &name)?;
        let client = channel.clients.get(&client).ok_or_else(|| nobody(client))?;
        client.chat.iter().filter(|line| line.side == Side::Company).map(|line| line.message).collect()
    };
    let word = state.switches.status_words.read.clone();
    let unread = |state: &Held, id: i64| {
        state.messages.get(&id).is_some_and(|message| message.status.as_ref() != Some(&word))
    };
    let read: Vec<i64> = seen.into_iter().filter(|id| unread(&state, *id)).collect();
    for id in &read {
        wahelp.change_message(&mut state, *id, Change::Status(word.clone()));
    }
    Ok(Json(json!({"read": read})))
}

fn write(
    wahelp: &Wahelp,
    channel: &str,
    client: u64,
    text: String,
    file: Option<File>,
    kind: Option<String>,
) -> Result<Json<Value>, Refusal> {
    let now_ms = wahelp.clock().now_ms();
    let mut state = wahelp.lock();
    let state = &mut *state;
    let channel = find(state, channel)?.id;
    let before = state.users.len();
    let user = state.user_of_client(channel, client, now_ms).ok_or_else(|| nobody(client))?;
    wahelp.announce_user(state, before, user);
    let of_file = file.as_ref().map_or("text", File::message_type).to_owned();
    let new = NewMessage {
        user,
        origin: Origin::Client(None),
        destination: "from".to_owned(),
        kind: kind.unwrap_or(of_file),
        text,
        file: file.map(|file| wahelp.keep_file(state, file)),
    };
    let added = wahelp.add_message(state, new, now_ms).ok_or_else(|| nobody(client))?;
    Ok(Json(json!(state.messages.get(&added.id))))
}

fn nobody(client: u64) -> Refusal {
    Refusal::not_found(format!("the channel has no client {client}"), "an id of GET …/clients")
}
