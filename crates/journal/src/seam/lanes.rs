//! A lane's durable progress: its cursor, what it has set aside, its filters, what it lost.

use std::{num::NonZeroU64, ops::BitOr};

use async_trait::async_trait;
use tandem_model::{
    BotId, Conversation, Filter, Held, HeldState, LaneId, OrderKey, PauseReason, Seq, Timestamp,
};

use super::{Fact, Lease};
use crate::{LaneError, ReadError};

/// Whether deletion waits for a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LaneKind {
    /// An app's: events that have lived their time go, read or not.
    App,
    /// A route's: events stay until it has passed them, within [`Retention`](super::Retention).
    Route,
}

/// Where a new lane begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the oldest event there is.
    Beginning,
    /// With the next event.
    Now,
    /// After this event.
    After(Seq),
}

/// A lane to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLane {
    /// Unique within the bot.
    pub name: String,
    /// Whether deletion waits for it.
    pub kind: LaneKind,
    /// Where it begins.
    pub start: Start,
    /// What it wants, of the past too when it begins there.
    pub filter: Filter,
}

/// What a lane is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LaneState {
    /// Delivering, or waiting for events.
    #[default]
    Running,
    /// Standing still.
    Paused {
        /// Why.
        reason: PauseReason,
        /// Since when.
        since: Timestamp,
        /// When it is to be tried again; `None` when somebody has to act.
        until: Option<Timestamp>,
        /// For people: bounded, without secrets.
        detail: String,
    },
}

/// The latest failure of a lane, for people. Later success does not clear it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneFault {
    /// When.
    pub at: Timestamp,
    /// What: bounded, without secrets.
    pub text: String,
}

/// Events a lane passed without delivering them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    /// An operator or a dropped backlog skipped them.
    pub skipped: u64,
    /// Their lifetime had ended.
    pub expired: u64,
}

/// A lane as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// Of which bot.
    pub bot: BotId,
    /// Its number within the bot; never reused.
    pub id: LaneId,
    /// Its name.
    pub name: String,
    /// Whether deletion waits for it.
    pub kind: LaneKind,
    /// Everything up to here is done or held.
    pub acked: Seq,
    /// The filter for what is appended from now on.
    pub filter: Filter,
    /// What it is doing.
    pub state: LaneState,
    /// Its latest failure.
    pub last_fault: Option<LaneFault>,
    /// What it passed, since it was made.
    pub passed: Passed,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What changes about a lane, in one commit. Repeating it is harmless except for `passed`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settlement {
    /// Everything up to here is done or held now. A smaller one than before changes nothing: the cursor goes
    /// back only by [`Lanes::move_cursor`]. One past the end of the journal stops at the end.
    pub acked: Option<Seq>,
    /// Held rows to write, in place of those of the same `seq`.
    pub put: Vec<Held>,
    /// Held rows that are no longer needed; those that do not exist are passed over.
    pub drop: Vec<Seq>,
    /// Added to the lane's counters.
    pub passed: Passed,
    /// The new state.
    pub state: Option<LaneState>,
    /// The new latest failure.
    pub fault: Option<LaneFault>,
    /// What else is known from now on.
    pub facts: Vec<Fact>,
    /// Whether it can wait for a commit that others need anyway.
    pub haste: Haste,
}

/// How soon something has to be committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Haste {
    /// With the next commit.
    #[default]
    AtOnce,
    /// With the next commit of somebody else, or after some milliseconds: a cursor, say, that is only repeated when a
    /// crash takes it.
    WithOthers,
}

/// A set of [`HeldState`]s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldStates(u8);

impl HeldStates {
    /// Every state.
    pub const ALL: Self = Self(0b1111);
    /// Those that later events of the same order key wait for.
    pub const BLOCKING: Self = Self::only(HeldState::Sending).and(HeldState::Retrying);
    /// Those that a person should look at.
    pub const FOR_PEOPLE: Self = Self::only(HeldState::Unknown).and(HeldState::Dead);

    /// This state.
    pub const fn only(state: HeldState) -> Self {
        Self(1 << state as u8)
    }

    /// And this one.
    #[must_use]
    pub const fn and(self, state: HeldState) -> Self {
        Self(self.0 | 1 << state as u8)
    }

    /// Whether the state is in the set.
    pub const fn contains(self, state: HeldState) -> bool {
        self.0 & 1 << state as u8 != 0
    }
}

impl BitOr for HeldStates {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// How many rows a lane holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeldCounts {
    /// Attempts begun.
    pub sending: u64,
    /// To be tried again.
    pub retrying: u64,
    /// Maybe arrived.
    pub unknown: u64,
    /// Given up.
    pub dead: u64,
}

/// Events that retention took from a lane before it had them. A gap that grows is one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// The first.
    pub from: Seq,
    /// The last.
    pub to: Seq,
    /// How many the lane would have been given; events between them that it had, or did not want, are not
    /// counted.
    pub count: NonZeroU64,
    /// When it happened last.
    pub at: Timestamp,
}

/// How far a lane is, as figures show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneGlance {
    /// Of which bot.
    pub bot: BotId,
    /// Its number within the bot.
    pub lane: LaneId,
    /// Its name.
    pub name: String,
    /// Whether deletion waits for it.
    pub kind: LaneKind,
    /// Why it stands still, if it does.
    pub paused: Option<PauseReason>,
    /// How many events the journal has after its cursor, wanted or not.
    pub behind: u64,
    /// When the first of them was appended.
    pub oldest: Option<Timestamp>,
    /// What it holds.
    pub held: HeldCounts,
    /// What it passed, since it was made.
    pub passed: Passed,
    /// How many events retention took from it before it had them, since it was made.
    pub lost: u64,
}

/// A look over all lanes of all bots.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Those that hold most or are furthest behind, in this order.
    pub lanes: Vec<LaneGlance>,
    /// How many lanes there are.
    pub all: u64,
}

/// Lanes and what they hold.
#[async_trait]
pub trait Lanes: Send + Sync {
    /// Makes a lane.
    async fn create_lane(&self, lease: Lease, bot: BotId, lane: NewLane) -> Result<Lane, LaneError>;

    /// One lane.
    async fn find_lane(&self, bot: BotId, lane: LaneId) -> Result<Option<Lane>, ReadError>;

    /// A bot's lanes by id, after `after`.
    async fn list_lanes(
        &self,
        bot: BotId,
        after: Option<LaneId>,
        limit: usize,
    ) -> Result<Vec<Lane>, ReadError>;

    /// Gives a lane another filter for what is appended from now on, and says from where it holds. What was
    /// appended before keeps the filter it had (invariant 7).
    async fn set_filter(
        &self,
        lease: Lease,
        bot: BotId,
        lane: LaneId,
        filter: Filter,
    ) -> Result<Seq, LaneError>;

    /// Notes what a lane has done.
    async fn settle(
        &self,
        lease: Lease,
        bot: BotId,
        lane: LaneId,
        settlement: Settlement,
    ) -> Result<(), LaneError>;

    /// Puts the cursor after `to`, forwards or backwards: an operator's replay. Held rows stay.
    async fn move_cursor(&self, lease: Lease, bot: BotId, lane: LaneId, to: Seq) -> Result<(), LaneError>;

    /// Removes a lane with what it holds. Its id is not given again.
    async fn remove_lane(&self, lease: Lease, bot: BotId, lane: LaneId) -> Result<(), LaneError>;

    /// Held rows in these states by `seq`, after `after`.
    async fn list_held(
        &self,
        bot: BotId,
        lane: LaneId,
        states: HeldStates,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Held>, ReadError>;

    /// One held row.
    async fn find_held(&self, bot: BotId, lane: LaneId, seq: Seq) -> Result<Option<Held>, ReadError>;

    /// The first held row of an order key that [blocks](HeldState::blocks). A key without a family means every
    /// family.
    async fn find_blocking(&self, bot: BotId, lane: LaneId, key: OrderKey)
    -> Result<Option<Held>, ReadError>;

    /// The conversations (and families) for which held rows block, by conversation, after `after`: for people, who
    /// ask which customers wait.
    async fn list_blocked(
        &self,
        bot: BotId,
        lane: LaneId,
        after: Option<Conversation>,
        limit: usize,
    ) -> Result<Vec<OrderKey>, ReadError>;

    /// How many rows a lane holds.
    async fn count_held(&self, bot: BotId, lane: LaneId) -> Result<HeldCounts, ReadError>;

    /// A look over all lanes of all bots, for figures: at most `limit` of them, those that need somebody first (by
    /// the number of events held, then by how far they are behind).
    async fn survey(&self, limit: usize) -> Result<Survey, ReadError>;

    /// What retention took from a lane, oldest first; at most `limit`.
    async fn list_lost(
        &self,
        bot: BotId,
        lane: LaneId,
        after: Seq,
        limit: usize,
    ) -> Result<Vec<Lost>, ReadError>;
}
