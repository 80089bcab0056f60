//! Keeping a store well: retention, space, backups, checks, health.

use std::{path::PathBuf, time::Duration};

use async_trait::async_trait;
use tandem_model::{BotId, LaneId, Seq};
use tokio::sync::watch;

use super::{CommitSpread, Lease, Lost};
use crate::{ReadError, WriteError};

/// How long a bot's events are kept (DESIGN section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// An event older than this goes once every route has passed it and nothing held needs it.
    pub keep: Duration,
    /// An event older than this goes in any case.
    pub at_most: Duration,
    /// The oldest events go in any case when the journal's bodies are larger than this.
    pub max_bytes: Option<u64>,
}

/// What one step of a sweep did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// So many events are gone.
    pub deleted: u64,
    /// Everything up to here has been looked at.
    pub swept_to: Seq,
    /// What route lanes lost by it, beyond what they had lost before.
    pub lost: Vec<(LaneId, Lost)>,
    /// There is more to do: call again.
    pub more: bool,
}

/// What one step of giving space back did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vacuumed {
    /// Bytes given back to the file system.
    pub freed_bytes: u64,
    /// Bytes that could still be given back.
    pub left_bytes: u64,
}

/// How the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It takes everything.
    Good,
    /// The disk is nearly full: what can wait is refused.
    LowDisk,
    /// The disk is full: everything is refused.
    Full,
    /// The disk has failed or the store is damaged: nothing is written any more. Close the store and open it
    /// again, which finds out what the disk really has; a service best does that by being started anew.
    Failed {
        /// For people.
        reason: String,
    },
}

/// Figures for people and metrics. Cheap to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// What the store occupies on disk.
    pub bytes: u64,
    /// Of it, free for reuse.
    pub free_bytes: u64,
    /// Space left on its disk, where that is known.
    pub disk_free_bytes: Option<u64>,
    /// Writes waiting for their commit.
    pub waiting: u64,
    /// Commits since the store was opened.
    pub commits: u64,
    /// Writes those commits carried.
    pub writes: u64,
    /// Events among them that were appended.
    pub events: u64,
    /// The time all those commits took together, from the first statement until the disk had confirmed.
    pub commit_time: Duration,
    /// How their times and sizes are spread.
    pub commit_spread: CommitSpread,
    /// Reads for lanes since the store was opened.
    pub lane_reads: LaneReads,
}

/// Reads for lanes ([`Events::read_lane`](super::Events::read_lane)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneReads {
    /// All of them.
    pub all: u64,
    /// Of them, answered from memory: by the end of the journal that lanes which keep up share.
    pub in_memory: u64,
}

/// Upkeep.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// One bounded step of deleting what has lived its time in a bot's journal, with the links that are older than
    /// `at_most`. `limit`: how many events to delete at most.
    ///
    /// When a route had not had an event that goes, its cursor moves past it and the gap is one [`Lost`] record;
    /// an app's cursor moves too, and the event counts as expired.
    async fn sweep(
        &self,
        lease: Lease,
        bot: BotId,
        retention: Retention,
        limit: usize,
    ) -> Result<Swept, WriteError>;

    /// Gives up to so many bytes of free space back to the file system.
    async fn vacuum(&self, max_bytes: u64) -> Result<Vacuumed, WriteError>;

    /// Writes a consistent copy of everything to a new file, in the engine's own format, while the store goes on.
    async fn backup(&self, to: PathBuf) -> Result<(), WriteError>;

    /// Reads everything and says what is damaged; empty when nothing is. Takes as long as it takes.
    async fn check(&self) -> Result<Vec<String>, ReadError>;

    /// How the store is, now and later.
    fn health(&self) -> watch::Receiver<Health>;

    /// Figures.
    async fn stats(&self) -> Result<Stats, ReadError>;

    /// Finishes what was begun, refuses everything after it, and lets go of the files. Idempotent.
    async fn close(&self);
}
