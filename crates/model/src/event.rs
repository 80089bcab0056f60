//! What stands in a journal: events, and what is decided about each of them when it happens.

use std::{fmt, ops, sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{BotId, LaneId, Seq, SourceId, Timestamp, UpstreamId, UserId, VirtualId};

/// The five kinds of event (DESIGN section 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// Telegram delivered it.
    Update,
    /// The company's side said something: an app, a manager through us, a manager past us.
    Sent,
    /// A manager's action that we must carry out.
    Reply,
    /// What became of a [`EventKind::Reply`].
    Outcome,
    /// Hand-off begun or ended, blocked, dropped, hole.
    Mark,
}

impl EventKind {
    /// All kinds, in the order of their codes.
    pub const ALL: [Self; 5] = [Self::Update, Self::Sent, Self::Reply, Self::Outcome, Self::Mark];

    /// The number that stands in the store. Never changes.
    pub const fn code(self) -> u8 {
        match self {
            Self::Update => 0,
            Self::Sent => 1,
            Self::Reply => 2,
            Self::Outcome => 3,
            Self::Mark => 4,
        }
    }

    /// The kind with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The word used in logs, metrics and on the console.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Sent => "sent",
            Self::Reply => "reply",
            Self::Outcome => "outcome",
            Self::Mark => "mark",
        }
    }
}

/// Which sort of its [`EventKind`] an event is, as numbered by whoever appends it: for updates one number per
/// update kind of the Bot API and one for kinds nobody knew at the time. Filters are sets of topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Topic(u8);

impl Topic {
    /// The largest topic.
    pub const MAX: u8 = 63;

    /// The topic with this number; `None` above [`Topic::MAX`].
    pub const fn new(number: u8) -> Option<Self> {
        if number > Self::MAX { None } else { Some(Self(number)) }
    }

    /// Its number, 0 to 63.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// The source's own queue family of an event (reference/telegram.md 3.3), numbered by whoever appends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Family(pub u8);

/// What belongs together for people: the chat (with its business connection), else the user, else the poll.
///
/// A short text that is compared, indexed and never taken apart.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conversation(Arc<str>);

impl Conversation {
    /// A chat of the bot's own.
    pub fn chat(chat: i64) -> Self {
        Self(chat.to_string().into())
    }

    /// A chat of a business account: its ids can equal those of the bot's own chats (reference/telegram.md 4.1).
    pub fn business(connection: &str, chat: i64) -> Self {
        Self(format!("b:{connection}:{chat}").into())
    }

    /// Events of a user outside any chat.
    pub fn user(user: UserId) -> Self {
        Self(format!("u:{user}").into())
    }

    /// Events of a poll whose chat is not known.
    pub fn poll(poll: &str) -> Self {
        Self(format!("p:{poll}").into())
    }

    /// Events that belong to the bot as a whole.
    pub fn bot() -> Self {
        Self("bot".into())
    }

    /// As it was stored.
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// For storage.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Conversation({})", self.0)
    }
}

impl fmt::Display for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What must stay in order within one lane: a conversation for a CRM, a conversation and a family for an app's
/// webhook (invariant 2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey {
    /// The conversation.
    pub conversation: Conversation,
    /// The family, where families do not wait for each other.
    pub family: Option<Family>,
}

/// What was true when an event happened (invariant 7): a set of bits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flags(u32);

impl Flags {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// What `while_manager_talks = "skip"` skips: a client's free words or media while a manager was talking, and a press
    /// of a button that a manager had shown.
    pub const MANAGER_TALKS: Self = Self(1);
    /// A press of a button that the last reply keyboard showed.
    pub const KNOWN_BUTTON: Self = Self(1 << 1);
    /// Part of one text to many chats.
    pub const CAMPAIGN: Self = Self(1 << 2);
    /// Kept so that the history is whole, and to be shown to nobody as new.
    pub const SILENT: Self = Self(1 << 3);
    /// No update, and an app is shown it all the same: it takes an `update_id` like one.
    pub const SHOWN_TO_APPS: Self = Self(1 << 4);
    /// In a conversation of which an app had said that it is in a dialogue there.
    pub const IN_DIALOGUE: Self = Self(1 << 5);
    /// In a conversation that a manager had: a hand-off was in force, or an app had said so. Whether it is free words,
    /// too, is for [`Flags::MANAGER_TALKS`] to say.
    pub const WITH_MANAGER: Self = Self(1 << 6);
    /// A press of a button that a manager had shown, in a reply keyboard or under a message.
    pub const MANAGERS_BUTTON: Self = Self(1 << 7);

    /// From storage; unknown bits are kept.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// For storage.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether any bit is in both.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl ops::BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flags({:#b})", self.0)
    }
}

/// How long an event is worth delivering to apps, counted from [`NewEvent::at`] (reference/telegram.md 2.4).
/// Routes take no notice of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lifetime {
    /// As long as the app's `backlog` setting says: Telegram's 24 hours unless set otherwise.
    Backlog,
    /// So many seconds, whatever the setting: a query that nobody can answer later.
    Seconds(u32),
}

impl Lifetime {
    /// The moment from which on an event of time `at` is worth nothing to an app with this backlog.
    pub fn ends(self, at: Timestamp, backlog: Duration) -> Timestamp {
        match self {
            Self::Backlog => at.plus(backlog),
            Self::Seconds(seconds) => at.plus(Duration::from_secs(seconds.into())),
        }
    }
}

/// Where an update came from and the number it had there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Upstream {
    /// The source.
    pub source: SourceId,
    /// Its `update_id`.
    pub id: UpstreamId,
}

/// An event before the journal has numbered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Which of the five.
    pub kind: EventKind,
    /// Which sort of that kind.
    pub topic: Topic,
    /// What it belongs to.
    pub conversation: Conversation,
    /// Its queue family.
    pub family: Family,
    /// When it happened by its own account: a message's or edit's date, else its arrival.
    pub at: Timestamp,
    /// How long apps want it.
    pub lifetime: Lifetime,
    /// What was true when it happened.
    pub flags: Flags,
    /// Set for updates: the source's number, by which a repeat is recognised.
    pub upstream: Option<Upstream>,
    /// The lane through which the company's side caused it, if it did; so that nobody is told his own words.
    pub cause: Option<LaneId>,
    /// The one app that may answer it, if that is known; other apps are not shown it.
    pub owner: Option<LaneId>,
    /// For updates Telegram's own bytes; otherwise a document of the kind.
    pub body: Bytes,
}

impl NewEvent {
    /// Whether apps can be shown it: it is an update, or stands for one.
    pub fn takes_update_id(&self) -> bool {
        self.kind == EventKind::Update || self.flags.intersects(Flags::SHOWN_TO_APPS)
    }
}

/// An event as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Whose journal.
    pub bot: BotId,
    /// Its position.
    pub seq: Seq,
    /// The `update_id` apps see; set for what [takes one](NewEvent::takes_update_id).
    pub virtual_id: Option<VirtualId>,
    /// When it was appended, by the store's clock.
    pub appended_at: Timestamp,
    /// The event as it was given.
    pub new: NewEvent,
}

impl ops::Deref for Event {
    type Target = NewEvent;
    fn deref(&self) -> &NewEvent {
        &self.new
    }
}
