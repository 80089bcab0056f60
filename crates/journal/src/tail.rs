//! The end of the journals in memory, once for all lanes that keep up: what was committed a moment ago need not be
//! read from the store, verified and copied by each of them.
//!
//! **How it works.** An engine tells it what each commit has changed ([`Tail::absorb`]), after the commit and before
//! anybody is answered, in the order of the commits. So per bot it holds a stretch of the journal without gaps up to
//! its end. A lane that stands within the stretch is answered from it, any other one by the store; the engine asks
//! [`Tail::read`] first. Nothing of it belongs to one engine: the owner of a bot alone appends.
//!
//! **Promises** the store's own answers: the filter is the one that was in force at each `seq`. The filter of a lane is
//! learnt from a read of the store ([`Tail::learn`]) and forgotten when anything about the lane changes, whichever of
//! both the lock sees first. What retention has passed is not here. Memory is bounded over all bots; the oldest goes
//! first, whosever it is.
//!
//! **Does not** hold anything that is not committed, nor know who owns a bot: an engine whose bots move to other
//! replicas has to [`forget`](Tail::forget_all) with the lease. Two reads of which one is answered here and one by the
//! store can differ in a write that nobody was told of yet, as any two reads can that run beside a write.

mod events;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tandem_model::{BotId, Event, Filter, LaneId, Seq};

use self::events::Stretches;
use crate::{LanePage, Page};

/// Events looked at in one call, wanted or not.
const SCAN_EVENTS: usize = 4096;

/// About what a known filter needs.
const FILTER_BYTES: usize = 96;

/// Something that a commit has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// An event stands at the end of its bot's journal.
    Appended(Event),
    /// A lane was made or removed, or has got another filter.
    Lane(BotId, LaneId),
    /// Retention has passed everything up to here.
    Swept(BotId, Seq),
}

/// The filter of a lane that holds for everything appended from `from` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatestFilter {
    /// From which event on.
    pub from: Seq,
    /// Which.
    pub filter: Filter,
}

/// What nobody found here. It makes sure that what the store says next is still true when it is learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    changes: u64,
}

/// The end of the journals in memory.
#[derive(Debug)]
pub struct Tail {
    limit_bytes: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    events: Stretches,
    filters: HashMap<(BotId, LaneId), LatestFilter>,
    /// How often something about some lane has changed.
    changes: u64,
    closed: bool,
}

impl Tail {
    /// Keeps at most so many bytes; 0: nothing.
    pub fn new(limit_bytes: usize) -> Self {
        Self { limit_bytes, state: Mutex::default() }
    }

    /// Takes in what one commit has changed.
    pub fn absorb(&self, changes: impl IntoIterator<Item = Change>) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        for change in changes {
            match change {
                Change::Appended(event) => state.events.push(event, self.limit_bytes - self.filter_bytes()),
                Change::Lane(bot, lane) => {
                    state.filters.remove(&(bot, lane));
                    state.changes += 1;
                }
                Change::Swept(bot, to) => state.events.forget_to(bot, to),
            }
        }
    }

    /// What a lane sees after `after`, as the store would say; `Err` when it has to be asked.
    pub fn read(&self, bot: BotId, lane: LaneId, after: Seq, page: Page) -> Result<LanePage, Missed> {
        let state = self.lock();
        let missed = Missed { changes: state.changes };
        let known = state.filters.get(&(bot, lane)).filter(|known| after >= known.from.previous());
        let (Some(known), Some((head, rest))) = (known, state.events.after(bot, after)) else {
            return Err(missed);
        };
        let (mut events, mut bytes, mut scanned_to) = (Vec::new(), 0, after);
        for event in rest.take(SCAN_EVENTS) {
            if page.is_full(events.len(), bytes) {
                break;
            }
            scanned_to = event.seq;
            if known.filter.admits(lane, &event.new) {
                bytes += event.new.body.len();
                events.push(event.clone());
            }
        }
        Ok(LanePage { events, scanned_to, head })
    }

    /// Remembers a lane's filter that was read after [`Tail::read`] had missed, unless something has changed since.
    pub fn learn(&self, missed: Missed, bot: BotId, lane: LaneId, latest: LatestFilter) {
        let mut state = self.lock();
        if state.changes != missed.changes || state.closed {
            return;
        }
        let most = self.filter_bytes() / FILTER_BYTES;
        if state.filters.len() >= most {
            // All of them are learnt again with the next read of each.
            state.filters.clear();
        }
        if most > 0 {
            state.filters.insert((bot, lane), latest);
        }
    }

    /// The part of the memory that is for filters.
    const fn filter_bytes(&self) -> usize {
        self.limit_bytes / 4
    }

    /// Forgets everything: from here on the store is asked until there is something new.
    pub fn forget_all(&self) {
        let mut state = self.lock();
        let changes = state.changes + 1;
        *state = State { changes, closed: state.closed, ..State::default() };
    }

    /// Forgets everything for good.
    pub fn close(&self) {
        self.lock().closed = true;
        self.forget_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
