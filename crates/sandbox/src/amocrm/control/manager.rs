//! A manager in the chats of a channel: says, types, reacts, writes first.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::channels::{find, find_chat};
use super::files::sample;
use crate::amocrm::AmoCrm;
use crate::amocrm::amojo::given::Kind;
use crate::amocrm::amojo::manager::{Button, ManagerError, MediaFrom, Saying, SentMedia};
use crate::amocrm::attachments::{Manner, Stored};
use crate::control::error::{Body, Named, Refusal, read};

/// A media name of a manager: what amoCRM can send.
const KINDS: &str = "a file like {\"type\": \"picture\"}, or \"picture\"";

#[derive(Deserialize)]
pub(crate) struct Say {
    /// amojo's id of a chat, or a `conversation_id`.
    chat: String,
    #[serde(flatten)]
    what: What,
}

/// What is said. Everything but the target, which differs.
#[derive(Deserialize)]
struct What {
    manager: Option<u64>,
    #[serde(default)]
    by_bot: bool,
    #[serde(default)]
    text: String,
    media: Option<Value>,
    #[serde(default)]
    album: Vec<Value>,
    #[serde(default)]
    buttons: Vec<Vec<Button>>,
    quote: Option<String>,
    forward: Option<String>,
    template: Option<Value>,
}

/// A file, besides how it misbehaves.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(rename = "file_name")]
    name: Option<String>,
    base64: Option<String>,
    /// Filled up to this size.
    size_bytes: Option<u64>,
    /// The hook has this address; nothing is stored.
    url: Option<String>,
    /// The rest is a [`Manner`].
    #[serde(flatten)]
    manner: Map<String, Value>,
}

/// `POST /amocrm/channels/{channel}/say`.
pub(crate) async fn say(
    State(amocrm): State<AmoCrm>,
    Named(channel): Named<String>,
    Body(say): Body<Say>,
) -> Result<Json<Value>, Refusal> {
    let chat_id = find_chat(&amocrm.lock(), &channel, &say.chat)?.id.clone();
    let messages = amocrm.manager_says(&chat_id, say.what.saying()?).map_err(|error| refused(&error))?;
    Ok(Json(json!({"chat": chat_id, "messages": messages})))
}

#[derive(Deserialize)]
pub(crate) struct WriteFirst {
    phone: String,
    /// The `external_id` of the source the manager chose.
    source: Option<String>,
    #[serde(flatten)]
    what: What,
}

/// `POST /amocrm/channels/{channel}/write-first`.
pub(crate) async fn write_first(
    State(amocrm): State<AmoCrm>,
    Named(channel): Named<String>,
    Body(asked): Body<WriteFirst>,
) -> Result<Json<Value>, Refusal> {
    find(&amocrm.lock(), &channel)?;
    let said = amocrm.write_first(&channel, &asked.phone, asked.source, asked.what.saying()?);
    let (chat_id, messages) = said.map_err(|error| refused(&error))?;
    Ok(Json(json!({"chat": chat_id, "messages": messages})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Type {
    chat: String,
    manager: Option<u64>,
}

/// `POST /amocrm/channels/{channel}/typing`.
pub(crate) async fn typing(
    State(amocrm): State<AmoCrm>,
    Named(channel): Named<String>,
    Body(asked): Body<Type>,
) -> Result<StatusCode, Refusal> {
    let chat_id = find_chat(&amocrm.lock(), &channel, &asked.chat)?.id.clone();
    amocrm.manager_types(&chat_id, asked.manager).map_err(|error| refused(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct React {
    chat: String,
    manager: Option<u64>,
    /// amojo's id or the integration's.
    message: String,
    /// Without one the reaction is taken back.
    emoji: Option<String>,
}

/// `POST /amocrm/channels/{channel}/react`.
pub(crate) async fn react(
    State(amocrm): State<AmoCrm>,
    Named(channel): Named<String>,
    Body(asked): Body<React>,
) -> Result<StatusCode, Refusal> {
    let chat_id = find_chat(&amocrm.lock(), &channel, &asked.chat)?.id.clone();
    let reacted = amocrm.manager_reacts(&chat_id, asked.manager, &asked.message, asked.emoji.as_deref());
    reacted.map_err(|error| refused(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

impl What {
    fn saying(self) -> Result<Saying, Refusal> {
        if self.media.is_some() && !self.album.is_empty() {
            return Err(Refusal::bad("media and album", "one of them"));
        }
        let media = self.media.into_iter().chain(self.album).map(media).collect::<Result<_, _>>()?;
        Ok(Saying {
            manager: self.manager,
            by_bot: self.by_bot,
            text: self.text,
            media,
            buttons: self.buttons,
            quote: self.quote,
            forward: self.forward,
            template: self.template,
        })
    }
}

fn media(given: Value) -> Result<SentMedia, Refusal> {
    let given = if given.is_string() { json!({"type": given}) } else { given };
    let file: File = read(given, KINDS)?;
    if !file.kind.has_media() {
        return Err(Refusal::bad(format!("{} is no file", file.kind.name()), KINDS));
    }
    let manner: Manner = read(Value::Object(file.manner), "a way to misbehave that /openapi.json lists")?;
    let (bytes, name, content_type) = sample(file.kind);
    let file_name = file.name.unwrap_or_else(|| name.to_owned());
    if let Some(address) = file.url {
        return Ok(SentMedia { kind: file.kind, file_name, from: MediaFrom::Address(address) });
    }
    let beginning = match file.base64 {
        None => bytes,
        Some(text) => STANDARD
            .decode(text)
            .map_err(|error| Refusal::bad(error.to_string(), "standard base64 in `base64`"))?
            .into(),
    };
    let stored = Stored::of_manager(beginning, file.size_bytes, content_type, manner);
    Ok(SentMedia { kind: file.kind, file_name, from: MediaFrom::Stored(stored) })
}

fn refused(error: &ManagerError) -> Refusal {
    match error {
        ManagerError::NoChat | ManagerError::NoChannel | ManagerError::NoMessage => {
            Refusal::not_found(error.to_string(), "an id that GET /amocrm/channels/{channel}/chats shows")
        }
        ManagerError::NoUser(_)
        | ManagerError::SwitchedOff(_)
        | ManagerError::Nothing
        | ManagerError::MixedButtons
        | ManagerError::Phone => {
            Refusal::bad(error.to_string(), "something that a manager can do in amoCRM's chat")
        }
    }
}
