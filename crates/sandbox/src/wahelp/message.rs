//! Messages: how one comes to be, where it goes from there, and how it is shown.

use serde::Serialize;
use serde_json::{Value, json};

use super::Wahelp;
use super::client::{Line, Side};
use super::output::moscow;
use super::state::State;
use super::users::Reached;

/// One entry of a dialogue.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) channel: i64,
    pub(crate) user: i64,
    pub(crate) destination: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) text: String,
    /// The address of its file.
    pub(crate) file: Option<String>,
    pub(crate) at_ms: i64,
    pub(crate) status: Option<String>,
    /// Telegram's number of it, in a bot channel.
    pub(crate) telegram: Option<i64>,
    /// amojo's id, of what was written in amoCRM.
    pub(crate) amojo: Option<String>,
    /// Why it did not reach the client.
    pub(crate) error: Option<String>,
}

/// Where a message was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// By the client; with Telegram's number of it in a bot channel.
    Client(Option<i64>),
    /// By a request.
    Api,
    /// By an employee in the service.
    Panel,
    /// By an employee in the messenger itself.
    Phone,
    /// By a manager in amoCRM, under amojo's id.
    Amocrm(String),
    /// By nobody for nobody: a notice, an inner comment.
    Entry,
}

impl Origin {
    /// Whose it is to the client's eyes, if he sees it.
    fn side(&self) -> Option<Side> {
        match self {
            Self::Client(_) => Some(Side::Client),
            Self::Api | Self::Panel | Self::Phone | Self::Amocrm(_) => Some(Side::Company),
            Self::Entry => None,
        }
    }
}

/// A message that is not there yet.
#[derive(Debug, Clone)]
pub(crate) struct NewMessage {
    pub(crate) user: i64,
    pub(crate) origin: Origin,
    pub(crate) destination: String,
    pub(crate) kind: String,
    pub(crate) text: String,
    pub(crate) file: Option<String>,
}

/// A message that is there now, and the hooks that tell of it.
pub(crate) struct Added {
    pub(crate) id: i64,
    pub(crate) hooks: Vec<u64>,
}

/// What changes on a message later.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Text(String),
    /// Deleted by whoever wrote it.
    Deleted,
    Status(String),
}

/// What a deleted message says instead (reference 8.2).
const DELETED: &str = "_Message deleted_";

impl Wahelp {
    /// Adds a message and sends it everywhere it belongs: to the client, to subscribers, to amoCRM.
    pub(crate) fn add_message(&self, state: &mut State, new: NewMessage, now_ms: i64) -> Option<Added> {
        let user = state.users.get(&new.user)?.clone();
        let id = state.next_message();
        let side = new.origin.side();
        let outgoing = side == Some(Side::Company);
        let message = Message {
            id,
            channel: user.channel,
            user: user.id,
            destination: new.destination,
            kind: new.kind,
            text: new.text,
            file: new.file,
            at_ms: now_ms,
            status: outgoing.then(|| state.switches.status_words.sent.clone()),
            telegram: match new.origin {
                Origin::Client(telegram) => telegram,
                _ => None,
            },
            amojo: match &new.origin {
                Origin::Amocrm(id) => Some(id.clone()),
                _ => None,
            },
            error: None,
        };
        if let (Some(side), Reached::Client(client)) = (side, user.reached)
            && let Some(channel) = state.channels.get_mut(&user.channel)
            && let Some(client) = channel.clients.get_mut(&client)
        {
            client.chat.push(Line {
                message: id,
                side,
                text: message.text.clone(),
                file: message.file.clone(),
                at_ms: now_ms,
                deleted: false,
            });
        }
        let by_bot = outgoing && matches!(user.reached, Reached::Telegram(_));
        state.messages.insert(id, message);
        let hooks = self.announce_message(state, "channel.message.created", id);
        match new.origin {
            Origin::Client(_) | Origin::Panel | Origin::Phone => self.tell_message(state, id),
            Origin::Api if state.switches.mirror_api => self.tell_message(state, id),
            Origin::Amocrm(_) if !by_bot => self.tell_delivered(state, id),
            Origin::Api | Origin::Amocrm(_) | Origin::Entry => {}
        }
        if by_bot {
            self.send_by_bot(state, user.id, id);
        }
        Some(Added { id, hooks })
    }

    /// Changes a message; subscribers and amoCRM hear of it.
    pub(crate) fn change_message(&self, state: &mut State, id: i64, change: Change) -> Option<Vec<u64>> {
        let (deleted, text, status) = match change {
            Change::Text(text) => (false, Some(text), None),
            Change::Deleted => (true, Some(DELETED.to_owned()), None),
            Change::Status(status) => (false, None, Some(status)),
        };
        let message = state.messages.get_mut(&id)?;
        if let Some(text) = &text {
            message.text.clone_from(text);
        }
        if status.is_some() {
            message.status.clone_from(&status);
        }
        let (user, channel) = (message.user, message.channel);
        if let Some(text) = &text
            && let Some(Reached::Client(client)) = state.users.get(&user).map(|user| user.reached)
            && let Some(channel) = state.channels.get_mut(&channel)
            && let Some(line) = channel.clients.get_mut(&client).and_then(|client| client.find_line(id))
        {
            line.deleted = deleted;
            if !deleted {
                line.text.clone_from(text);
            }
        }
        if text.is_some() {
            self.tell_edit(state, id);
        }
        if let Some(status) = status {
            self.tell_status(state, id, &status);
        }
        Some(self.announce_message(state, "channel.message.updated", id))
    }
}

impl State {
    /// The message object of answers and hooks.
    pub(crate) fn shown_message(&self, id: i64) -> Value {
        let Some(message) = self.messages.get(&id) else { return Value::Null };
        let channel = self.channels.get(&message.channel);
        let text =
            if self.switches.message_as_object { json!({"text": message.text}) } else { json!(message.text) };
        json!({
            "id": message.id,
            "channel_id": message.channel,
            "user_id": message.user,
            "destination": message.destination,
            "message_type": message.kind,
            "message": text,
            "created_at": moscow(message.at_ms),
            "file_url": message.file,
            "status": message.status,
            "operator_id": null,
            "comment_user_id": null,
            "channel": channel.map(|channel| json!({"id": channel.id, "uuid": channel.uuid, "name": channel.name})),
            "user": self.shown_user(message.user),
        })
    }
}
