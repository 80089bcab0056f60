//! What happened in a conversation, as a CRM is told of it.

use serde::{Deserialize, Serialize};

use super::{ChatKey, Manager, MessageKey, PersonKey};
use crate::Timestamp;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The message: the new one, or the one that was edited or reacted to. What has no message of its own (a press) has
    /// the update's.
    pub key: MessageKey,
    /// In which chat.
    pub chat: ChatKey,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: Speaker,
    /// What.
    pub act: Act,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speaker {
    /// The client.
    Client(Client),
    /// The bot: an app spoke for it.
    Bot {
        /// Which app, by name; `None` where nobody knows.
        app: Option<String>,
    },
    /// A manager, through another route or past us.
    Manager(Manager),
}

/// A client as Telegram shows him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Who.
    pub person: PersonKey,
    /// First and last name; never empty.
    pub name: String,
    /// Without the `@`.
    pub username: Option<String>,
    /// The number he shared himself, if he ever did.
    pub phone: Option<String>,
    /// Where his picture can be fetched, for some hours.
    pub avatar: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A new message.
    Said(Body),
    /// The message as it is now.
    Edited(Body),
    /// Reactions changed. Both lists are emoji; what is no emoji (a custom or a paid reaction) is left out.
    Reacted {
        /// Which there are now.
        now: Vec<String>,
        /// Which there were.
        before: Vec<String>,
    },
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// What it carries.
    pub content: Content,
    /// Its text or caption; empty when there is none. Links that stood behind words are written out.
    pub text: String,
    /// What it answers.
    pub quote: Option<Quote>,
    /// Whom it was forwarded from, by name.
    pub forwarded_from: Option<String>,
    /// What groups the pictures of an album.
    pub album: Option<String>,
    /// What stands on the buttons under it, row by row.
    pub buttons: Vec<Vec<String>>,
}

/// What a message carries beside its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing.
    Text,
    /// A file.
    File(Attachment),
    /// A place.
    Place(Place),
    /// A contact card.
    Contact(ContactCard),
    /// No message of people's: what happened, in one readable line, which is the [text](Body::text). A press, a poll, a
    /// payment, a service message, a kind that nobody knows.
    Line,
}

/// What a file is to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// A picture.
    Picture,
    /// A film, round or not.
    Video,
    /// Words spoken.
    Voice,
    /// Music.
    Audio,
    /// Anything.
    File,
    /// A sticker that is a still picture.
    Sticker,
}

/// A file at Telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// Where it is.
    pub file: FileRef,
    /// Its name; one is made up where Telegram knows none.
    pub name: String,
    /// Its media type, as Telegram says.
    pub mime: Option<String>,
    /// Its size, as Telegram says.
    pub size_bytes: Option<u64>,
    /// How long it plays.
    pub duration_secs: Option<u32>,
    /// Where a vendor can fetch it; `None` until whoever serves it has signed one, and for what cannot be served.
    pub link: Option<String>,
}

/// Telegram's names of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// By which this bot can fetch it.
    pub id: String,
    /// The same for every bot and for good.
    pub unique_id: String,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Degrees, as Telegram wrote them.
    pub latitude: String,
    /// Degrees, as Telegram wrote them.
    pub longitude: String,
    /// A venue's name and address.
    pub title: Option<String>,
}

/// A contact card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactCard {
    /// The name on it.
    pub name: String,
    /// The number on it.
    pub phone: String,
    /// Whether it is the sender's own.
    pub own: bool,
}

/// What a message answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Which message, if it is one of this chat.
    pub key: Option<MessageKey>,
    /// What it said, shortened.
    pub text: String,
    /// Who said it, by name.
    pub by: Option<String>,
}
