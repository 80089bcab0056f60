//! What comes next of a key: its row when that is due, its queue, what waits for it in the journal.

use std::{cmp::Reverse, sync::Arc};

use tandem_journal::Page;
use tandem_model::{Event, Held, HeldState, OrderKey, Seq, Timestamp};

use super::{
    Core, Read,
    key::{Flight, Phase, Purpose},
};
use crate::gate::{Charge, Loaded};

impl Core {
    /// The next read for one of the keys.
    pub(super) fn key_read(&mut self, now: Timestamp) -> Option<Read> {
        let page = Page { events: self.spec.run_events.max(1), bytes: self.spec.run_bytes };
        while let Some(key) = self.seeking.pop_front() {
            if let Some(entry) = self.keys.get(&key)
                && matches!(entry.phase, Phase::Seeking)
            {
                let (after, until) = (entry.position, entry.seen);
                self.seeking.push_front(key.clone());
                // A few runs at a time: a conversation that waited long has much to catch up with.
                let page = Page { events: page.events.max(8), ..page };
                return Some(Read::Key { key, after, until, page, aside_to: self.loaded_at });
            }
        }
        if let Some(key) = self.probe.as_mut().and_then(|probe| probe.held.take())
            && self.probing()
            && !self.stopping
            && self.may_fetch(&key)
        {
            let place = self.place()?;
            return self.fetch(&key, place, page);
        }
        if !self.may_begin() {
            return None;
        }
        let key = self.due_key(now)?;
        let place = self.place()?;
        self.fetch(&key, place, page)
    }

    /// The earliest due key that may begin.
    pub(super) fn due_key(&self, now: Timestamp) -> Option<OrderKey> {
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        due.map(|(_, key)| key).find(|key| self.may_fetch(key)).cloned()
    }

    /// Whether a waiting key may be tried: what stands before its row in the journal must have been read again
    /// after a restart, or an event could be taken for a new one once its row is gone.
    pub(super) fn may_fetch(&self, key: &OrderKey) -> bool {
        let waiting = self.keys.get(key).filter(|entry| matches!(entry.phase, Phase::Waiting(_)));
        let Some(row) = waiting.and_then(|entry| entry.rows.first()) else { return false };
        *row <= self.scanned && !self.in_the_making(*row) && !self.redo_is_at(key)
    }

    /// Whether the store does not have a row yet as it should be.
    pub(super) fn in_the_making(&self, row: Seq) -> bool {
        let sent = self.sent.as_ref().map(|sent| &sent.settlement);
        self.batch.touches(row) || sent.is_some_and(|sent| sent.put.iter().any(|put| put.seq == row))
    }

    /// Reads a waiting key's row and event, to try it.
    pub(super) fn fetch(&mut self, key: &OrderKey, place: Charge, page: Page) -> Option<Read> {
        let entry = self.keys.get_mut(key)?;
        if let Phase::Waiting(at) = entry.phase {
            self.due.remove(&(at, key.clone()));
        }
        let seq = *entry.rows.first()?;
        entry.phase = Phase::Fetching(place);
        self.in_flight += 1;
        let (until, aside_to) = (entry.seen, self.loaded_at);
        Some(Read::Row { key: key.clone(), seq, until, page, aside_to })
    }

    /// A waiting key's row and event were read.
    pub(super) fn on_row(
        &mut self,
        key: &OrderKey,
        seq: Seq,
        held: Option<Held>,
        events: Vec<Event>,
        scanned_to: Seq,
        now: Timestamp,
    ) {
        let probing = self.probing();
        let mut run = self.take_in_all(events);
        let Some(entry) = self.keys.get_mut(key) else { return };
        let Phase::Fetching(place) = std::mem::replace(&mut entry.phase, Phase::Ready) else { return };
        self.in_flight -= 1;
        entry.position = run.last().map_or(seq, |last| last.event.seq);
        entry.gap = scanned_to < entry.seen;
        if run.is_empty() {
            // Retention took the event, and looked no further than one call may.
            entry.position = scanned_to.max(seq);
        }
        if !(self.may_begin() || probing && !self.stopping) {
            self.set_waiting(key, now);
            self.forget(key, seq);
            return;
        }
        let gone = run.first().is_none_or(|first| first.event.seq != seq);
        let expired = run.first().is_some_and(|first| self.expired(&first.event, now));
        if gone || expired {
            if expired {
                self.batch.passed.expired += 1;
                run.remove(0);
            }
            self.requeue(key, run);
            self.go_on(key, now);
            return;
        }
        if probing {
            run.truncate(1);
            self.forget(key, seq);
        }
        let purpose = if probing { Purpose::ProbeHeld } else { Purpose::Deliver };
        let held = held.filter(|held| held.seq == seq);
        self.start(key, Flight { run, held, purpose, slow_at: None, _place: place }, now);
    }

    /// Events of a key from the journal, without those that were set aside before a crash.
    fn take_in_all(&self, events: Vec<Event>) -> Vec<Loaded> {
        let wanted = events.into_iter().filter(|event| !self.aside.contains(&event.seq));
        wanted.map(|event| self.take_in(event)).collect()
    }

    fn forget(&mut self, key: &OrderKey, position: Seq) {
        if let Some(entry) = self.keys.get_mut(key) {
            entry.forget_queue(position);
        }
    }

    /// Rows that were being read when reading failed wait on.
    pub(super) fn give_back_fetching(&mut self, now: Timestamp) {
        let fetching: Vec<OrderKey> = self
            .keys
            .iter()
            .filter(|(_, entry)| matches!(entry.phase, Phase::Fetching(_)))
            .map(|(key, _)| key.clone())
            .collect();
        for key in fetching {
            self.in_flight -= 1;
            if let Some(entry) = self.keys.get_mut(&key) {
                entry.phase = Phase::Ready;
            }
            self.set_waiting(&key, now);
        }
    }

    /// What follows in a key's conversation was looked for.
    pub(super) fn on_sought(
        &mut self,
        key: &OrderKey,
        events: Vec<Event>,
        scanned_to: Seq,
        until: Seq,
        now: Timestamp,
    ) {
        let found = self.take_in_all(events);
        let Some(entry) = self.keys.get_mut(key) else { return };
        self.seeking.retain(|other| other != key);
        entry.position = found.last().map_or_else(|| scanned_to.max(entry.position), |last| last.event.seq);
        entry.gap = scanned_to.min(until) < entry.seen;
        if !entry.gap {
            entry.position = entry.position.max(entry.seen);
        }
        entry.queue.extend(found);
        self.go_on(key, now);
    }

    /// Puts events back before the queue of their key.
    pub(super) fn requeue(&mut self, key: &OrderKey, events: Vec<Loaded>) {
        let Some(entry) = self.keys.get_mut(key) else { return };
        let mut events = events;
        events.sort_by_key(|loaded| Reverse(loaded.event.seq));
        for loaded in events {
            entry.queue.push_front(loaded);
        }
    }

    /// What comes next of a key whose last run is done with.
    pub(super) fn go_on(&mut self, key: &OrderKey, now: Timestamp) {
        let Some(entry) = self.keys.get_mut(key) else { return };
        if let Some(next) = entry.queue.front().map(|loaded| Arc::clone(&loaded.event)) {
            entry.phase = Phase::Ready;
            let rows = if entry.covered() {
                vec![self.row(&next, None, HeldState::Retrying, now)]
            } else {
                Vec::new()
            };
            self.set_rows(key, rows);
            self.ready.push_back(key.clone());
        } else if entry.gap {
            entry.phase = Phase::Seeking;
            self.seeking.push_back(key.clone());
        } else {
            self.remove_key(key);
        }
    }

    /// A key's row waits until then, and everything else of it behind the row.
    pub(super) fn wait_behind(&mut self, key: &OrderKey, row: Held, until: Timestamp) {
        self.unpend(key);
        let Some(entry) = self.keys.get_mut(key) else { return };
        entry.forget_queue(row.seq);
        self.set_rows(key, vec![Held { next_at: until, ..row }]);
        self.set_waiting(key, until);
    }
}
