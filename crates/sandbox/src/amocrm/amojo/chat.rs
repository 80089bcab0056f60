//! Chats of channels as a manager sees them: people, messages, what became of each.
//!
//! Data only, and how it looks as JSON on the control API. Contacts, leads and talks are the account's, shared
//! with the built-in integration.

use std::collections::VecDeque;

use serde::Serialize;
use serde_json::Value;

use super::given::{DeliveryStatus, GivenError, Kind, Stamps};

/// Messages kept per chat. Older ones are counted, not kept.
const MESSAGES_PER_CHAT: usize = 10_000;

/// The thread with one client of one channel.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ChannelChat {
    pub(crate) id: String,
    pub(crate) channel: String,
    /// The integration's id; absent for chats begun with "Write first" until they are bound.
    pub(crate) client_id: Option<String>,
    /// The client, by amojo's id.
    pub(crate) person_id: String,
    pub(crate) contact_id: Option<u64>,
    /// The source a message named; a chat that was labelled once never goes back to the default one.
    pub(crate) source: Option<String>,
    /// Oldest first; only the last one can be open.
    pub(crate) talk_ids: Vec<u64>,
    pub(crate) typing: Option<Typing>,
    pub(crate) messages: VecDeque<Line>,
    /// Messages no longer kept because the chat grew past its bound.
    pub(crate) messages_forgotten: u64,
}

/// Somebody who writes in chats of a channel.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Person {
    /// amojo's id.
    pub(crate) id: String,
    pub(crate) channel: String,
    pub(crate) client_id: Option<String>,
    pub(crate) name: String,
    pub(crate) avatar: Option<Fetched>,
    pub(crate) phone: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) profile_link: Option<String>,
}

/// The client is typing, or was.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Typing {
    pub(crate) sender: String,
    pub(crate) until_ms: i64,
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Speaker {
    Client,
    Manager,
    Bot,
}

/// One message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    /// amojo's id.
    pub(crate) id: String,
    /// The integration's `msgid`; absent for what was written in amoCRM.
    pub(crate) msgid: Option<String>,
    pub(crate) speaker: Speaker,
    /// Written in amoCRM, not imported.
    pub(crate) written_here: bool,
    pub(crate) sender_id: String,
    pub(crate) sender_name: String,
    pub(crate) receiver_id: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) media: Option<LineMedia>,
    /// A place, a contact, a post.
    pub(crate) extra: Value,
    pub(crate) silent: bool,
    #[serde(flatten)]
    pub(crate) at: Stamps,
    /// When amoCRM had it.
    pub(crate) shown_at_ms: i64,
    pub(crate) edited: bool,
    /// The texts before each edit, oldest first.
    pub(crate) earlier_texts: Vec<String>,
    pub(crate) reply_to: Option<Quote>,
    pub(crate) forwards: Option<Quote>,
    pub(crate) reactions: Vec<Reaction>,
    pub(crate) media_group_id: Option<String>,
    pub(crate) markup: Option<Value>,
    pub(crate) template: Option<Value>,
    /// For what was written here: begins as `sent`.
    pub(crate) delivery_status: Option<DeliveryStatus>,
    pub(crate) error: Option<GivenError>,
    /// Every status that came, oldest first.
    pub(crate) statuses: Vec<StatusChange>,
}

/// The file of a message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LineMedia {
    /// Where amoCRM gives it out; empty as long as it was not fetched.
    pub(crate) link: String,
    pub(crate) thumbnail: String,
    pub(crate) file_name: String,
    pub(crate) file_size: u64,
    pub(crate) duration: Option<i64>,
    /// How the integration's address behaved; absent for files that were put in here.
    pub(crate) fetched: Option<Fetched>,
}

/// What came of fetching an address that an integration gave.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fetched {
    pub(crate) url: String,
    pub(crate) state: FetchState,
    pub(crate) status: Option<u16>,
    pub(crate) content_type: Option<String>,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) sha256: Option<String>,
    /// Why it has no file.
    pub(crate) error: Option<String>,
}

/// How far that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FetchState {
    Waiting,
    Fetched,
    Failed,
}

/// A quoted or forwarded message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Quote {
    /// amojo's id, if the message was found.
    pub(crate) id: Option<String>,
    /// What was given: an id that is unknown, or the message written out.
    pub(crate) given: Value,
}

/// A reaction of one person; the last one wins.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Reaction {
    /// amojo's id.
    pub(crate) user_id: String,
    pub(crate) emoji: String,
}

/// A delivery status with its time.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StatusChange {
    pub(crate) at_ms: i64,
    pub(crate) status: DeliveryStatus,
    pub(crate) error: Option<GivenError>,
}

impl Fetched {
    pub(crate) fn waiting(url: String) -> Self {
        Self {
            url,
            state: FetchState::Waiting,
            status: None,
            content_type: None,
            size_bytes: None,
            sha256: None,
            error: None,
        }
    }
}

impl ChannelChat {
    /// Adds a message in the order of arrival. The answer is the message that fell out, if one did.
    pub(crate) fn push(&mut self, line: Line) -> Option<Line> {
        self.messages.push_back(line);
        if self.messages.len() <= MESSAGES_PER_CHAT {
            return None;
        }
        self.messages_forgotten += 1;
        self.messages.pop_front()
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Line> {
        self.messages.iter().rev().find(|line| line.id == id)
    }

    pub(crate) fn find_mut(&mut self, id: &str) -> Option<&mut Line> {
        self.messages.iter_mut().rev().find(|line| line.id == id)
    }
}

impl Line {
    pub(crate) fn set_status(&mut self, status: DeliveryStatus, error: Option<GivenError>, at_ms: i64) {
        self.delivery_status = Some(status);
        self.error.clone_from(&error);
        self.statuses.push(StatusChange { at_ms, status, error });
    }

    /// The last reaction of a person wins; `None` takes it away.
    pub(crate) fn react(&mut self, user_id: &str, emoji: Option<String>) {
        self.reactions.retain(|reaction| reaction.user_id != user_id);
        if let Some(emoji) = emoji {
            self.reactions.push(Reaction { user_id: user_id.to_owned(), emoji });
        }
    }
}

impl ChannelChat {
    pub(crate) fn new(id: String, channel: &str, client_id: Option<String>, person_id: &str) -> Self {
        Self {
            id,
            channel: channel.to_owned(),
            client_id,
            person_id: person_id.to_owned(),
            contact_id: None,
            source: None,
            talk_ids: Vec::new(),
            typing: None,
            messages: VecDeque::new(),
            messages_forgotten: 0,
        }
    }
}

impl Person {
    /// Somebody of whom nothing is known yet.
    pub(crate) fn new(id: &str, channel: &str) -> Self {
        Self {
            id: id.to_owned(),
            channel: channel.to_owned(),
            client_id: None,
            name: String::new(),
            avatar: None,
            phone: None,
            email: None,
            profile_link: None,
        }
    }
}
