//! The state of one push lane and what follows from each thing that happens to it. No I/O, no waiting, no tasks:
//! a worker carries out what is asked for here and tells what came of it.
//!
//! **How it works.** The lane reads on from its cursor. Each event belongs to an order key; of a key at most one run
//! is under way, what follows waits in the key's queue. The window holds what was read and is not
//! covered; the cursor stands before the first event in it that is not done.
//!
//! A key is *covered* when it has a row in `held`: the row stands for its event and, without rows of their own, for
//! all later events of the key that the cursor has passed; they are found in the journal by order key when the row
//! is done with. A run gets a row when it fails, when it lasts long, or, at destinations that do not recognise a
//! repeat, before it begins.
//!
//! Everything to be noted is gathered in a batch. There is one settlement under way at a time, so that what happens
//! meanwhile becomes one commit.
//!
//! **What holds at any moment of a crash.** Every event up to the cursor is done, passed, or covered by a row that is
//! committed with or before that cursor. Every event that was delivered and is after the cursor is within the window.
//! At destinations that do not recognise a repeat nothing is at the destination without a `sending` row, and such a
//! row goes only together with a cursor that has passed it.

mod batch;
mod chain;
mod intake;
mod key;
mod landing;
mod load;
mod pause;
mod redo;
mod runs;
#[cfg(test)]
mod simulation;
mod straight;
mod traffic;
mod window;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use tandem_journal::{Haste, LaneState, Settlement};
use tandem_model::{Event, Held, HeldState, OrderKey, PauseReason, Rng, Seq, Timestamp};
use tokio::sync::oneshot;

use self::{
    batch::{Batch, Then},
    key::{Key, Phase},
    pause::Probe,
    redo::Redo,
    window::Window,
};
pub(crate) use self::{
    load::Rows,
    pause::Wish,
    redo::Request,
    traffic::{Found, Landed, LaneRead, Launch, Read, Slot},
};
use crate::{
    Config, LaneAddress, PushSpec, Repeats,
    gate::{Gate, Loaded},
    metrics::DeliveryMetrics,
};

/// What all lanes share.
#[derive(Debug)]
pub(crate) struct Env {
    pub(crate) config: Config,
    /// Places at destinations.
    pub(crate) places: Arc<Gate>,
    /// Bytes of events in memory.
    pub(crate) memory: Arc<Gate>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) metrics: DeliveryMetrics,
}

/// A lane's state. Small while nothing is going on, and kept by the registry between two workers.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each with its own writer and reader")]
pub(crate) struct Core {
    lane: LaneAddress,
    spec: Arc<PushSpec>,
    env: Arc<Env>,
    standing: LaneState,
    /// Nothing may begin any more.
    stopping: bool,

    /// The cursor as the store has it.
    acked: Seq,
    /// Everything up to here has been looked at.
    scanned: Seq,
    /// What was read beyond it.
    buffer: VecDeque<Loaded>,
    /// How far the buffer goes.
    buffered_to: Seq,
    /// There may be more in the journal than the buffer has.
    more: bool,
    /// What was appended since the last read began goes up to here.
    appended_to: Seq,
    /// Set aside for people before a crash while the cursor stood before them: few, as the window is small.
    aside: BTreeSet<Seq>,
    /// Where the cursor stood when the lane was loaded.
    loaded_at: Seq,

    keys: BTreeMap<OrderKey, Key>,
    covered: usize,
    ready: VecDeque<OrderKey>,
    seeking: VecDeque<OrderKey>,
    due: BTreeSet<(Timestamp, OrderKey)>,
    /// Runs without a row, by the moment from which on they need one.
    slow_at: BTreeSet<(Timestamp, OrderKey)>,
    window: Window,
    /// The last event that is done.
    done_to: Seq,
    in_flight: usize,
    unclear: BTreeSet<OrderKey>,
    probe: Option<Box<Probe>>,
    wish: Option<(Wish, oneshot::Sender<()>)>,
    redo: Option<Box<Redo>>,

    batch: Batch,
    sent: Option<Box<Sent>>,
    launches: Vec<Launch>,
    reading: bool,
    /// Whose turn it is to read when both the lane and its keys want to.
    keys_turn: bool,
    /// The store fails: nothing new begins.
    held_back: bool,
}

/// A settlement under way.
#[derive(Debug)]
struct Sent {
    settlement: Settlement,
    then: Then,
}

impl Core {
    /// The journal goes up to `last` now.
    pub(crate) fn on_appended(&mut self, last: Seq, now: Timestamp) {
        if self.has_seen(last) {
            return;
        }
        self.more = true;
        self.appended_to = self.appended_to.max(last);
        self.hope(now);
    }

    /// Whether the lane has read this far.
    pub(crate) fn has_seen(&self, last: Seq) -> bool {
        last <= self.seen()
    }

    /// How far the lane has read. A lane that probes reads ahead only to look for something to try.
    pub(crate) fn seen(&self) -> Seq {
        self.buffered_to
    }

    /// Does whatever can be done now without waiting for anything.
    pub(crate) fn step(&mut self, now: Timestamp) {
        if self.in_flight == 0
            && let Some((wish, reply)) = self.wish.take()
        {
            self.wish(wish, reply, now);
        }
        self.cover_slow(now);
        if self.standing_still() {
            self.fold(now);
        } else {
            self.advance(now);
        }
        self.begin_redo(now);
        self.begin_ready(now);
        self.uncrowd();
    }

    /// Runs to be handed over.
    pub(crate) fn take_launches(&mut self) -> Vec<Launch> {
        std::mem::take(&mut self.launches)
    }

    /// What to read next, if anything and if nothing is being read.
    pub(crate) fn next_read(&mut self, now: Timestamp) -> Option<Read> {
        if self.reading {
            return None;
        }
        self.keys_turn = !self.keys_turn;
        let read = self.redo_read().or_else(|| {
            if self.keys_turn {
                self.key_read(now).or_else(|| self.lane_read(now))
            } else {
                self.lane_read(now).or_else(|| self.key_read(now))
            }
        });
        self.reading = read.is_some();
        read
    }

    /// What was asked for has been read.
    pub(crate) fn on_found(&mut self, found: Found, now: Timestamp) {
        self.reading = false;
        match found {
            Found::Lane { events, scanned_to, head, purpose } => match purpose {
                LaneRead::Deliver => self.on_page(events, scanned_to, head),
                LaneRead::Probe => self.on_probe_page(events, scanned_to, head, now),
                LaneRead::Replay => self.on_replay_page(events, scanned_to, head, now),
            },
            Found::Key { key, events, scanned_to, until } => {
                self.on_sought(&key, events, scanned_to, until, now);
            }
            Found::Row { key, seq, held, events, scanned_to } => {
                self.on_row(&key, seq, held, events, scanned_to, now);
            }
            Found::Single { seq, held, event } => self.on_single(seq, held, event, now),
        }
    }

    /// It could not be read; nothing changes.
    pub(crate) fn on_read_failed(&mut self, now: Timestamp) {
        self.reading = false;
        self.give_back_fetching(now);
        self.give_back_redo();
    }

    /// The next settlement, if it is worth a commit and none is under way.
    pub(crate) fn next_settlement(&mut self) -> Option<Settlement> {
        if self.sent.is_some() {
            return None;
        }
        let cursor = self.cursor();
        let advanced = cursor > self.acked;
        let idle = self.in_flight == 0 && self.ready.is_empty() && self.buffer.is_empty();
        let worth = !self.batch.is_empty()
            || (advanced
                && (idle
                    || self.window.unnoted() >= self.env.config.window / 4
                    || self.exposed()
                    || self.standing_still()));
        if !worth {
            return None;
        }
        // The cursor of a lane that keeps up goes along with what is appended next. A lane that is behind would stand
        // still until then; and where repeats are not recognised, what begins next would have to wait for it.
        let can_wait = self.batch.is_empty() && self.recognised() && !self.more && !self.standing_still();
        let haste = if can_wait { Haste::WithOthers } else { Haste::AtOnce };
        self.window.note();
        let acked = advanced.then_some(cursor);
        let (settlement, then) = std::mem::take(&mut self.batch).into_settlement(acked, haste);
        self.sent = Some(Box::new(Sent { settlement: settlement.clone(), then }));
        Some(settlement)
    }

    /// The settlement that has to be repeated after it failed.
    pub(crate) fn unsettled(&self) -> Option<Settlement> {
        self.sent.as_ref().map(|sent| sent.settlement.clone())
    }

    /// The settlement is committed.
    pub(crate) fn on_settled(&mut self, now: Timestamp) {
        let Some(sent) = self.sent.take() else { return };
        self.window.noted();
        if let Some(acked) = sent.settlement.acked {
            self.acked = self.acked.max(acked);
        }
        for key in sent.then.begins {
            self.take_off(&key, now);
        }
        if sent.then.redo {
            self.launch_redo();
        }
        for reply in sent.then.replies {
            reply.send();
        }
    }

    /// Whether nothing is under way and nothing can be done before something happens.
    pub(crate) fn at_rest(&self) -> bool {
        self.in_flight == 0
            && !self.reading
            && self.sent.is_none()
            && self.launches.is_empty()
            && self.wish.is_none()
            && self.redo.is_none()
            && self.seeking.is_empty()
    }

    /// When something has to be done, if nothing happens before.
    pub(crate) fn deadline(&self) -> Option<Timestamp> {
        let due = (self.may_begin() && self.has_place())
            .then(|| self.due.iter().find(|(_, key)| self.may_fetch(key)).map(|(at, _)| *at))
            .flatten();
        let slow = self.slow_at.first().map(|(at, _)| *at);
        [due, slow, self.probe_at()].into_iter().flatten().min()
    }

    /// Prepares for a rest between two workers: what can be read again is forgotten, and so is an order to finish.
    pub(crate) fn rest(&mut self) {
        self.stopping = false;
        if !self.buffer.is_empty() {
            self.buffer = VecDeque::new();
            self.buffered_to = self.scanned;
            self.more = true;
        }
    }

    /// Begins nothing new as long as what comes of it could not be noted.
    pub(crate) fn hold_back(&mut self, held_back: bool) {
        self.held_back = held_back;
    }

    /// Whether runs are under way.
    pub(crate) fn in_flight(&self) -> bool {
        self.in_flight > 0
    }

    /// Whether something was done that is not committed.
    pub(crate) fn unnoted(&self) -> bool {
        self.sent.is_some() || !self.batch.is_empty() || self.cursor() > self.acked
    }

    /// Finishes what is under way and begins nothing more.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
    }

    /// Order keys in memory.
    pub(crate) fn keys_in_memory(&self) -> usize {
        self.keys.len()
    }

    /// Everything up to here is done, passed or covered.
    fn cursor(&self) -> Seq {
        self.window.first().map_or(self.scanned, Seq::previous)
    }

    /// Whether its destination recognises repeats.
    pub(crate) fn repeats_are_recognised(&self) -> bool {
        self.recognised()
    }

    fn recognised(&self) -> bool {
        self.spec.repeats == Repeats::Recognised
    }

    /// Whether runs may begin.
    fn may_begin(&self) -> bool {
        !self.stopping
            && match &self.standing {
                LaneState::Running => true,
                LaneState::Paused { reason, .. } => *reason == PauseReason::Crowded,
            }
    }

    /// Whether the lane is to be folded up.
    fn standing_still(&self) -> bool {
        !self.may_begin()
    }

    fn expired(&self, event: &Event, now: Timestamp) -> bool {
        self.spec.ends(event).is_some_and(|end| end <= now)
    }

    fn take_in(&self, event: Event) -> Loaded {
        Loaded::new(event, &self.env.memory)
    }

    /// A row for this event as it is now; `known` is what was known of earlier tries.
    fn row(&self, event: &Event, known: Option<Held>, state: HeldState, next_at: Timestamp) -> Held {
        if let Some(known) = known {
            return Held { state, next_at, ..known };
        }
        let OrderKey { conversation, family } = self.spec.key(event);
        Held {
            seq: event.seq,
            conversation,
            family,
            state,
            tries: 0,
            attempts: Vec::new(),
            next_at,
            reason: String::new(),
        }
    }

    /// Gives a key exactly these rows instead of those it has.
    fn set_rows(&mut self, key: &OrderKey, rows: Vec<Held>) {
        let Some(entry) = self.keys.get_mut(key) else { return };
        let was = entry.covered();
        let old = std::mem::replace(&mut entry.rows, rows.iter().map(|row| row.seq).collect());
        match (was, entry.covered()) {
            (false, true) => self.covered += 1,
            (true, false) => self.covered -= 1,
            _ => {}
        }
        for seq in old {
            if !entry.rows.contains(&seq) {
                self.batch.drop(seq);
            }
        }
        for row in rows {
            self.batch.put(row);
        }
        for row in std::mem::take(&mut entry.parting) {
            self.batch.put(row);
        }
    }

    /// Sets when a waiting key's row is due.
    fn set_waiting(&mut self, key: &OrderKey, until: Timestamp) {
        let Some(entry) = self.keys.get_mut(key) else { return };
        if let Phase::Waiting(before) = entry.phase {
            self.due.remove(&(before, key.clone()));
        }
        entry.phase = Phase::Waiting(until);
        self.due.insert((until, key.clone()));
    }

    /// A key with which nothing goes on any more.
    fn remove_key(&mut self, key: &OrderKey) {
        self.set_rows(key, Vec::new());
        self.keys.remove(key);
    }
}
