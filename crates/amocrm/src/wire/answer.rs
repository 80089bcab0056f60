//! What the chat service answers (1.4 to 1.9). Only what the documentation guarantees is required.

use serde::Deserialize;

use super::hook::{HookMessage, HookPerson};

/// An error's envelope.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorEnvelope {
    #[serde(default)]
    pub(crate) error_type: Option<String>,
    #[serde(default)]
    pub(crate) error_description: Option<String>,
}

/// Of `connect`.
#[derive(Debug, Deserialize)]
pub(crate) struct Connected {
    pub(crate) scope_id: String,
}

/// Of `chats`.
#[derive(Debug, Deserialize)]
pub(crate) struct CreatedChat {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) user: Option<CreatedUser>,
}

/// The client of a new chat.
#[derive(Debug, Deserialize)]
pub(crate) struct CreatedUser {
    #[serde(default)]
    pub(crate) id: Option<String>,
}

/// Of a message: `{"new_message": {…}}`; older pages have no envelope.
#[derive(Debug, Deserialize)]
pub(crate) struct TakenMessage {
    #[serde(default, alias = "edit_message")]
    pub(crate) new_message: Option<TakenIds>,
    #[serde(flatten)]
    pub(crate) bare: TakenIds,
}

/// Its ids.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct TakenIds {
    /// Theirs, in an answer.
    #[serde(default)]
    pub(crate) msgid: Option<String>,
}

/// Of `history`, newest first.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct History {
    #[serde(default)]
    pub(crate) messages: Vec<HistoryItem>,
}

/// One message of it.
#[derive(Debug, Deserialize)]
pub(crate) struct HistoryItem {
    #[serde(default)]
    pub(crate) timestamp: i64,
    #[serde(default)]
    pub(crate) msec_timestamp: Option<i64>,
    pub(crate) sender: HookPerson,
    #[serde(default)]
    pub(crate) receiver: Option<HookPerson>,
    pub(crate) message: HookMessage,
}
