//! What the guard notes in a bot's journal. Hosts only, never addresses: those of amoCRM hold the bot's token.

use serde::{Deserialize, Serialize};
use tandem_model::{Conversation, EventKind, Flags, Lifetime, NewEvent, Timestamp, Topic};
use tandem_telegram::update::Family;

use super::numbers::Hole;
use crate::{HolderKind, Taker};

/// The body of a `Mark` event of the guard's. The gateway has marks of its own, with other words in `mark`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mark", rename_all = "snake_case")]
pub enum GuardMark {
    /// Somebody else has the stream.
    Taken {
        /// Who.
        by: Taker,
    },
    /// It was taken back.
    Retaken {
        /// From whom.
        by: Taker,
        /// The so manieth time within an hour.
        nth: usize,
        /// The route whose address was learned, or that was made for him.
        route: Option<String>,
    },
    /// The guard gives way.
    StoodDown {
        /// To whom.
        by: Taker,
    },
    /// The stream became free by itself, and comes to us.
    Free,
    /// Updates with these numbers never came.
    Hole {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
        /// How many.
        updates: i64,
        /// Who had the stream then, if anybody was seen.
        by: Option<Taker>,
    },
    /// One of them came after all.
    CameLate {
        /// Who was thought to have it.
        by: Option<HolderKind>,
        /// Its number.
        update_id: i64,
    },
}

impl GuardMark {
    /// The topics of the guard's marks; the gateway has 0.
    const fn topic(&self) -> Topic {
        let number = match self {
            Self::Taken { .. } => 1,
            Self::Retaken { .. } => 2,
            Self::StoodDown { .. } => 3,
            Self::Free => 4,
            Self::Hole { .. } => 5,
            Self::CameLate { .. } => 6,
        };
        Topic::new(number).expect("a topic is at most 63")
    }

    pub(crate) fn event(&self, now: Timestamp) -> NewEvent {
        NewEvent {
            kind: EventKind::Mark,
            topic: self.topic(),
            conversation: Conversation::bot(),
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

impl From<&Hole> for GuardMark {
    fn from(hole: &Hole) -> Self {
        Self::Hole { from: hole.from, to: hole.to, updates: hole.updates(), by: hole.by.clone() }
    }
}
