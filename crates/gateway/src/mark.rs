//! What the gateway notes in a journal beside what was said.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tandem_model::{Conversation, EventKind, Flags, Lifetime, NewEvent, Timestamp, Topic};
use tandem_telegram::update::Family;

use crate::ConversationState;

/// The body of a `Mark` event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mark", rename_all = "snake_case")]
pub enum MarkDocument<'a> {
    /// An app asked to drop what was pending, and was obeyed.
    Dropped {
        /// Which app.
        #[serde(borrow)]
        app: Cow<'a, str>,
        /// How many updates.
        events: u64,
    },
    /// An app has said what it is doing in the mark's conversation.
    Conversation {
        /// Which app.
        #[serde(borrow)]
        app: Cow<'a, str>,
        /// What.
        state: ConversationState,
        /// In its own words.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        note: Option<Cow<'a, str>>,
    },
    /// A manager has begun to talk in the mark's conversation; the event's cause is his route's lane.
    HandOffBegun {
        /// Until when, as far as his first message goes; each further one lengthens it.
        until: Timestamp,
    },
    /// He talks there no more.
    HandOffEnded {
        /// The app that took the conversation back, by name; where there is none his time was over, or his talk was closed.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        app: Option<Cow<'a, str>>,
    },
}

impl MarkDocument<'_> {
    /// The topic of marks about dropped updates.
    pub const DROPPED: Topic = Topic::new(0).expect("a topic is at most 63");
    /// The topic of marks about conversations.
    pub const CONVERSATION: Topic = Topic::new(1).expect("a topic is at most 63");
    /// The topic of marks about hand-offs, begun and ended.
    pub const HAND_OFF: Topic = Topic::new(8).expect("a topic is at most 63");

    pub(crate) fn event(&self, now: Timestamp) -> NewEvent {
        self.event_in(Conversation::bot(), now)
    }

    pub(crate) fn event_in(&self, conversation: Conversation, now: Timestamp) -> NewEvent {
        NewEvent {
            kind: EventKind::Mark,
            topic: match self {
                Self::Dropped { .. } => Self::DROPPED,
                Self::Conversation { .. } => Self::CONVERSATION,
                Self::HandOffBegun { .. } | Self::HandOffEnded { .. } => Self::HAND_OFF,
            },
            conversation,
            family: Family::Chat.number(),
            at: now,
            lifetime: Lifetime::Backlog,
            flags: Flags::NONE,
            upstream: None,
            cause: None,
            owner: None,
            body: serde_json::to_vec(self).expect("texts and numbers always serialise").into(),
        }
    }
}
