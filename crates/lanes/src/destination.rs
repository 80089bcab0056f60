//! What a push lane delivers to.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tandem_journal::Fact;
use tandem_model::{BotId, Event, LaneId, Verdict};

/// A lane of a bot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneAddress {
    /// The bot.
    pub bot: BotId,
    /// Its lane.
    pub lane: LaneId,
}

impl fmt::Display for LaneAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.bot, self.lane)
    }
}

impl fmt::Debug for LaneAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LaneAddress({self})")
    }
}

/// Consecutive events of one order key, handed over together.
#[derive(Debug, Clone)]
pub struct Run {
    /// The lane they come through.
    pub lane: LaneAddress,
    /// The events, in order; never empty.
    pub events: Vec<Arc<Event>>,
    /// How often the first of them was tried before.
    pub tries: u32,
}

/// What became of a [`Run`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// So many events, from the first on, were taken.
    pub taken: usize,
    /// What is to be said of the event after those; of no event when all were taken. Events behind it were not
    /// touched: their turn comes.
    pub verdict: Verdict,
    /// What became known by it, to be committed together with the lane's progress.
    pub facts: Vec<Fact>,
}

impl Delivered {
    /// The whole run was taken.
    pub fn all(run: &Run) -> Self {
        Self { taken: run.events.len(), verdict: Verdict::Done, facts: Vec::new() }
    }

    /// None was taken before the first event got this verdict.
    pub fn first(verdict: Verdict) -> Self {
        Self { taken: 0, verdict, facts: Vec::new() }
    }
}

/// A place that events are delivered to. It decides, the lane acts.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Tries once. Called for several order keys at a time, never twice at a time for one. The future is dropped
    /// when the service ends at once or a lane of [`Repeats::Recognised`](crate::Repeats) is detached, so it must
    /// bear that; it should have a time limit of its own. A panic counts as an unclear failure.
    async fn deliver(&self, run: &Run) -> Delivered;
}
