//! What a destination says of a delivery, and what a lane sets aside because of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Conversation, Family, OrderKey, Seq, Timestamp};

/// What became of a run of events at a destination. A connector decides, the lane acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Taken.
    Done,
    /// Not tried yet, and not before this moment; no attempt is counted.
    Wait {
        /// When to ask again.
        until: Timestamp,
    },
    /// Failed; try again.
    Retry {
        /// The destination's own wish; otherwise the lane's ladder decides.
        after: Option<Duration>,
        /// Whose fault it was.
        blame: Blame,
        /// For people: bounded, without secrets.
        reason: String,
    },
    /// This event will never be taken: it becomes dead and its conversation goes on.
    Reject {
        /// For people: bounded, without secrets.
        reason: String,
    },
    /// Nobody can say whether it was taken, and a repeat would be seen: it is shown, and its conversation goes on.
    Unknown {
        /// For people: bounded, without secrets.
        reason: String,
    },
    /// Nothing at all can be delivered until somebody acts or the reason goes away: credentials, scope.
    Stop {
        /// Which state the lane takes.
        reason: PauseReason,
        /// For people: bounded, without secrets.
        detail: String,
    },
}

impl Verdict {
    /// The word used in logs, metrics and on the console.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Wait { .. } => "wait",
            Self::Retry { .. } => "retry",
            Self::Reject { .. } => "reject",
            Self::Unknown { .. } => "unknown",
            Self::Stop { .. } => "stop",
        }
    }
}

/// Whose fault a failed attempt was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// This event's, or its conversation's: others go on.
    Event,
    /// The destination's: no connection could be made. The lane pauses.
    Destination,
    /// It cannot be said (a 500, a time-out). The lane pauses when it happens in several conversations with no
    /// success between.
    Unclear,
}

/// Why a whole lane stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PauseReason {
    /// The destination cannot be reached or fails for everybody; probed with one event.
    Down,
    /// It refuses our credentials or rights.
    Refused,
    /// An operator asked for it.
    Operator,
    /// Too many conversations are held.
    Crowded,
}

/// The state of something a lane has set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldState {
    /// An attempt has begun at a destination that cannot recognise a repeat. Blocks its order key.
    Sending,
    /// To be tried (again) at `next_at`. Blocks its order key.
    Retrying,
    /// It may or may not have arrived. Blocks nothing; for a person to look at.
    Unknown,
    /// Given up for a reason. Blocks nothing; for a person to look at.
    Dead,
}

impl HeldState {
    /// Whether later events of the same order key wait for this one.
    pub const fn blocks(self) -> bool {
        match self {
            Self::Sending | Self::Retrying => true,
            Self::Unknown | Self::Dead => false,
        }
    }

    /// The word used in the store, logs, metrics and on the console.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Retrying => "retrying",
            Self::Unknown => "unknown",
            Self::Dead => "dead",
        }
    }
}

/// One try at delivering one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took_ms: u32,
    /// What came of it: bounded, without secrets.
    pub outcome: String,
}

/// An event that a lane has set aside. While its state [blocks](HeldState::blocks), later events of its order
/// key need no rows: they are read from the journal when their turn comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The event.
    pub seq: Seq,
    /// Its conversation.
    pub conversation: Conversation,
    /// Its family, in lanes that keep families apart.
    pub family: Option<Family>,
    /// The state.
    pub state: HeldState,
    /// How often it was tried, the forgotten tries included.
    pub tries: u32,
    /// The last [`Held::MAX_ATTEMPTS`] tries, oldest first.
    pub attempts: Vec<Attempt>,
    /// When it is due; meaningful while [`HeldState::Retrying`].
    pub next_at: Timestamp,
    /// Why it is here: bounded, without secrets.
    pub reason: String,
}

impl Held {
    /// How many attempts are remembered.
    pub const MAX_ATTEMPTS: usize = 10;

    /// What waits behind it.
    pub fn key(&self) -> OrderKey {
        OrderKey { conversation: self.conversation.clone(), family: self.family }
    }

    /// Counts and remembers a try, and forgets the oldest one past the limit.
    pub fn note(&mut self, attempt: Attempt) {
        self.tries = self.tries.saturating_add(1);
        self.attempts.push(attempt);
        if self.attempts.len() > Self::MAX_ATTEMPTS {
            self.attempts.remove(0);
        }
    }
}
