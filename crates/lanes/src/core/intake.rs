//! Reading on: what is read when, and where each event goes.

use tandem_journal::{LaneState, Page};
use tandem_model::{Event, OrderKey, PauseReason, Seq, Timestamp};

use super::{
    Core, LaneRead, Read,
    key::{Key, Phase},
};
use crate::gate::Loaded;

/// How many events are read ahead at a time.
const PAGE_EVENTS: usize = 128;
/// And how many bytes of them.
const PAGE_BYTES: usize = 1 << 20;
/// What a lane may read when there is no memory left.
const SMALL_PAGE: Page = Page { events: 4, bytes: 16 << 10 };
/// How many events wait in memory behind a row.
const QUEUE_BEHIND_ROW: usize = 16;

impl Core {
    /// The next stretch of the lane, if there is room for it.
    pub(super) fn lane_read(&mut self, now: Timestamp) -> Option<Read> {
        if let Some(probe) = self.probe_read(now) {
            return Some(probe);
        }
        let wanted = self.standing == LaneState::Running
            && !self.stopping
            && self.more
            && self.buffer.len() < PAGE_EVENTS / 4
            // What comes after a full window is looked at: it may be full of one conversation.
            && (self.buffer.is_empty() || self.window.len() < self.env.config.window);
        wanted.then(|| {
            self.appended_to = Seq::ZERO;
            Read::Lane { after: self.buffered_to, page: self.page(), purpose: LaneRead::Deliver }
        })
    }

    /// How much may be read ahead now.
    pub(super) fn page(&self) -> Page {
        let left = self.env.memory.left();
        if left < SMALL_PAGE.bytes {
            return SMALL_PAGE;
        }
        Page { events: PAGE_EVENTS.min(self.env.config.window), bytes: PAGE_BYTES.min(left) }
    }

    /// A stretch of the lane was read.
    pub(super) fn on_page(&mut self, events: Vec<Event>, scanned_to: Seq, head: Seq) {
        for event in events {
            let loaded = self.take_in(event);
            self.buffer.push_back(loaded);
        }
        self.buffered_to = self.buffered_to.max(scanned_to);
        self.more = scanned_to < head.max(self.appended_to);
    }

    /// Gives what was read to its keys, as far as there is room.
    pub(super) fn advance(&mut self, now: Timestamp) {
        loop {
            let Some(loaded) = self.buffer.pop_front() else {
                self.scanned = self.buffered_to;
                return;
            };
            let seq = loaded.event.seq;
            if let Some(loaded) = self.place_event(loaded, now) {
                self.buffer.push_front(loaded);
                return;
            }
            self.scanned = seq;
        }
    }

    /// Passes it, queues it or begins it; gives it back when there is no room.
    pub(super) fn place_event(&mut self, loaded: Loaded, now: Timestamp) -> Option<Loaded> {
        let seq = loaded.event.seq;
        let key = self.spec.key(&loaded.event);
        let entry = self.keys.get(&key);
        let (known, covered) = (entry.is_some(), entry.is_some_and(Key::covered));
        let seen = entry.map(|entry| entry.seen);
        if self.is_passed(&loaded.event, seen, now) {
            return None;
        }
        if !known {
            return self.place_fresh(key, loaded, now);
        }
        if covered {
            return self.place_covered(&key, loaded, now);
        }
        if self.window.len() >= self.env.config.window {
            let queued = self.keys.get(&key).map_or(0, |entry| entry.queue.len());
            if queued <= self.env.config.window / 2 {
                return Some(loaded);
            }
            // One busy conversation fills the window. It gets a row, so that the lane can read on for the others.
            self.cover(&key, "");
            return self.place_covered(&key, loaded, now);
        }
        if let Some(entry) = self.keys.get_mut(&key) {
            entry.push(loaded);
            self.window.insert(seq);
        }
        None
    }

    /// Passes an event that this lane need not deliver (again).
    pub(super) fn pass_known(&mut self, event: &Event, now: Timestamp) -> bool {
        let seen = self.keys.get(&self.spec.key(event)).map(|entry| entry.seen);
        self.is_passed(event, seen, now)
    }

    /// The same, for one who knows how far its key goes.
    pub(super) fn is_passed(&mut self, event: &Event, seen: Option<Seq>, now: Timestamp) -> bool {
        if self.aside.contains(&event.seq) || seen.is_some_and(|seen| event.seq <= seen) {
            return true;
        }
        if self.expired(event, now) {
            self.batch.passed.expired += 1;
            return true;
        }
        false
    }

    /// An event of a key with which nothing goes on.
    fn place_fresh(&mut self, key: OrderKey, loaded: Loaded, now: Timestamp) -> Option<Loaded> {
        let seq = loaded.event.seq;
        if self.covered >= self.env.config.max_held {
            self.crowd(now);
            return Some(loaded);
        }
        if self.recognised() {
            if self.window.len() >= self.env.config.window {
                return Some(loaded);
            }
            let mut entry = Key::fresh(seq);
            entry.push(loaded);
            self.keys.insert(key.clone(), entry);
            self.window.insert(seq);
            self.ready.push_back(key);
            return None;
        }
        // Its row is committed before it begins, together with a cursor that has passed it: so it must begin now or
        // the lane reads no further.
        let Some(place) = self.place().filter(|_| !self.redo_is_at(&key)) else { return Some(loaded) };
        self.keys.insert(key.clone(), Key::fresh(seq));
        self.start_run(&key, vec![loaded], None, place, now);
        None
    }

    /// An event of a key that has a row: it waits in memory or in the journal.
    fn place_covered(&mut self, key: &OrderKey, loaded: Loaded, now: Timestamp) -> Option<Loaded> {
        let loaded = match self.join_run(key, loaded, now) {
            Ok(()) => return None,
            Err(loaded) => loaded,
        };
        let entry = self.keys.get_mut(key)?;
        let away = matches!(entry.phase, Phase::Waiting(_) | Phase::Fetching(_) | Phase::Seeking);
        if away || entry.gap || entry.queue.len() >= QUEUE_BEHIND_ROW {
            entry.pass(loaded.event.seq);
        } else {
            entry.push(loaded);
        }
        None
    }

    /// Stops reading on: too many conversations are held.
    pub(super) fn crowd(&mut self, now: Timestamp) {
        if self.standing == LaneState::Running {
            let detail =
                format!("{} conversations are held; the lane reads no further until some go", self.covered);
            self.stand(PauseReason::Crowded, now, None, detail);
        }
    }

    /// Reads on once a tenth of the room for held conversations is free again.
    pub(super) fn uncrowd(&mut self) {
        let room = self.env.config.max_held - self.env.config.max_held / 10;
        if let LaneState::Paused { reason: PauseReason::Crowded, .. } = self.standing
            && self.covered < room
        {
            self.run_on();
        }
    }
}
