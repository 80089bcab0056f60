//! What a manager wants done in a conversation, and what became of it: the bodies of `Reply` and `Outcome` events.

use serde::{Deserialize, Serialize};

use super::MessagePlace;
use crate::{Seq, Timestamp};

/// The body of a `Reply` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyDocument {
    /// Where it came from.
    pub origin: ReplyOrigin,
    /// Whose it is.
    pub by: Manager,
    /// The business connection of the chat, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business: Option<String>,
    /// To which Telegram chat.
    pub chat: i64,
    /// When he did it, by the vendor's clock.
    pub at: Timestamp,
    /// What.
    pub act: ReplyAct,
}

/// Where a reply came from: how its route reports what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyOrigin {
    /// The bot's route, by name.
    pub route: String,
    /// The vendor's id of the message; empty for what has none (typing).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The vendor's id of the chat.
    pub chat: String,
    /// The vendor's id of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

/// A manager at a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manager {
    /// The vendor's id of him.
    pub id: String,
    /// His name, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a manager wants done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum ReplyAct {
    /// Say something.
    Say {
        /// The text, or what stands under the file; may be empty with a file.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        text: String,
        /// A file to send.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<RemoteFile>,
        /// Buttons to show.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keyboard: Option<Keyboard>,
        /// What it answers.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quote: Option<Quoted>,
        /// What several files that were sent at once have in common.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        album: Option<String>,
    },
    /// Show that he types.
    Type {
        /// Until when; later it is worth nothing.
        until: Timestamp,
    },
    /// React to a message.
    React {
        /// Which message.
        of: Quoted,
        /// With what; nothing takes the reaction back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        emoji: Option<String>,
    },
}

/// A message that a manager points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quoted {
    /// Our key of it, where the vendor gave it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<String>,
    /// The vendor's id of it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub theirs: String,
}

/// A file at a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteFile {
    /// What it is.
    pub kind: super::AttachmentKind,
    /// Where it can be fetched.
    pub url: String,
    /// Its name; may be empty.
    pub name: String,
    /// Its size as the vendor says, which is not to be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
}

/// Buttons that a manager shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keyboard {
    /// Of which kind.
    pub kind: KeyboardKind,
    /// The buttons, row by row.
    pub rows: Vec<Vec<KeyboardButton>>,
}

/// Where buttons stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyboardKind {
    /// In place of the client's keyboard: a press is a message with the button's text.
    #[default]
    Reply,
    /// Under the message: a press is a callback query, which we answer ourselves.
    Inline,
}

/// A button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyboardButton {
    /// What stands on it.
    pub text: String,
    /// Where it leads; without it a press comes back as a message with exactly the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The body of an `Outcome` event: what became of a [`ReplyDocument`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeDocument {
    /// The reply's place in the journal.
    pub reply: Seq,
    /// Where it came from.
    pub origin: ReplyOrigin,
    /// What became of it.
    pub result: ReplyResult,
}

/// What became of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case", deny_unknown_fields)]
pub enum ReplyResult {
    /// Telegram took it.
    Sent {
        /// The messages it became, in order: several for a long text; none for typing and reactions.
        messages: Vec<MessagePlace>,
    },
    /// It was not and will not be carried out.
    Failed {
        /// Why, for the vendor.
        why: ReplyFailure,
        /// Why, for the manager: Telegram's words, or ours.
        words: String,
        /// What had been sent before it failed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        messages: Vec<MessagePlace>,
    },
    /// Nobody can say whether the client has got it.
    Unknown {
        /// For people.
        words: String,
    },
}

/// Why a reply was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyFailure {
    /// The client has blocked the bot, or is gone.
    Blocked,
    /// There is no such chat: nobody who could be written to.
    NoChat,
    /// The file could not be fetched or is not allowed.
    File,
    /// Telegram refuses what was asked for.
    Refused,
    /// The bot itself cannot speak: its token is revoked.
    Bot,
}
