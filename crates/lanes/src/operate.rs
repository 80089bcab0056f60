//! What an operator can do with a push lane: look, pause, resume, retry, skip, replay.
//!
//! The verbs are carried out by the lane's worker, between its other work, and answer once what they say is
//! committed. So they need [`Lanes::run`] to be running.

use std::ops::RangeInclusive;

use tandem_journal::{HeldStates, ReadError};
use tandem_model::{Held, Seq};
use tokio::sync::oneshot;

use crate::{
    LaneAddress, Lanes,
    core::{Request, Wish},
};

/// What became of a verb about one held event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was delivered, and is held no more.
    Delivered,
    /// Its conversation waits for it: it is tried next.
    Scheduled,
    /// It was let go; what waited behind it goes on.
    Skipped,
    /// It was tried and is held as before.
    Failed {
        /// What the destination said.
        reason: String,
    },
    /// An attempt is under way: ask again after it.
    Busy,
    /// No such event is held.
    Missing,
    /// It is held, but its event has been deleted.
    Gone,
}

/// Whether a replay only counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayMode {
    /// Count what would be delivered.
    DryRun,
    /// Deliver.
    Deliver,
}

/// What became of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replayed {
    /// So many events the lane has had, and its filter let through.
    pub events: u64,
    /// So many of them were delivered again; none in a dry run.
    pub delivered: u64,
    /// So many were not, and are held as dead or unknown now.
    pub failed: u64,
    /// So many more are left alone: they wait behind a held event and come in their turn.
    pub to_come: u64,
}

/// Why an operator's verb got no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OperateError {
    /// Nothing delivers this lane.
    #[error("lane {lane} is not attached")]
    NotAttached {
        /// Which lane.
        lane: LaneAddress,
    },
    /// The store failed, the lane was detached or the service stopped. What was done is noted at the held events.
    #[error("lane {lane} was interrupted before it could answer")]
    Interrupted {
        /// Which lane.
        lane: LaneAddress,
    },
}

impl Lanes {
    /// What a lane holds, by `seq`, after `after`.
    pub async fn list_held(
        &self,
        lane: LaneAddress,
        states: HeldStates,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Held>, ReadError> {
        self.shared.store.list_held(lane.bot, lane.lane, states, after, limit).await
    }

    /// Delivers a held event now. One that is dead or unknown is delivered outside the order of its conversation,
    /// which has gone on; when that fails it stays what it was.
    pub async fn retry(&self, lane: LaneAddress, seq: Seq) -> Result<Answer, OperateError> {
        self.ask(lane, |reply| Request::Retry { seq, reply }).await
    }

    /// Lets go of a held event and counts it as skipped.
    pub async fn skip(&self, lane: LaneAddress, seq: Seq) -> Result<Answer, OperateError> {
        self.ask(lane, |reply| Request::Skip { seq, reply }).await
    }

    /// Delivers again, one by one, what the lane has had in a stretch of the journal. The cursor stays where it is;
    /// events beyond it are not concerned. What fails is held as dead, so that it can be seen and retried.
    ///
    /// Dropping the future does not end it; detaching the lane does.
    pub async fn replay(
        &self,
        lane: LaneAddress,
        stretch: RangeInclusive<Seq>,
        mode: ReplayMode,
    ) -> Result<Replayed, OperateError> {
        let (after, to) = (stretch.start().previous(), *stretch.end());
        self.ask(lane, |reply| Request::Replay { after, to, mode, reply }).await
    }

    /// Has a lane stand still; what is under way is finished. `detail` says why, for people.
    pub async fn pause(&self, lane: LaneAddress, detail: String) -> Result<(), OperateError> {
        self.ask(lane, |reply| Request::Wish { wish: Wish::Pause { detail }, reply }).await
    }

    /// Has a lane go on, whatever made it stand still.
    pub async fn resume(&self, lane: LaneAddress) -> Result<(), OperateError> {
        self.ask(lane, |reply| Request::Wish { wish: Wish::Resume, reply }).await
    }

    async fn ask<T>(
        &self,
        lane: LaneAddress,
        request: impl FnOnce(oneshot::Sender<T>) -> Request,
    ) -> Result<T, OperateError> {
        let (reply, answer) = oneshot::channel();
        let asked = self.shared.registry().ask(lane, request(reply));
        if asked.is_err() {
            return Err(OperateError::NotAttached { lane });
        }
        self.shared.wake.notify_one();
        answer.await.or(Err(OperateError::Interrupted { lane }))
    }
}
