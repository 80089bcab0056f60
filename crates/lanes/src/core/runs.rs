//! Beginning runs: places, due rows, what comes next of a key.

use std::cmp::Reverse;

use tandem_journal::Page;
use tandem_model::{Event, Held, HeldState, OrderKey, Seq, Timestamp};

use super::{
    Core, Launch, Read, Slot,
    key::{Flight, Phase, Purpose},
};
use crate::{
    Run,
    gate::{Charge, Loaded},
};

impl Core {
    pub(super) fn has_place(&self) -> bool {
        self.in_flight < self.spec.max_in_flight.max(1)
    }

    /// A place at the destination. The first one of a lane is always there, so that lanes that hang cannot keep
    /// others from their work.
    pub(super) fn place(&self) -> Option<Charge> {
        if self.held_back || !self.has_place() {
            return None;
        }
        if self.in_flight == 0 {
            return Some(self.env.places.force(1));
        }
        if self.exposed() { None } else { self.env.places.take(1) }
    }

    /// Whether as much would be repeated after a crash as may be.
    pub(super) fn exposed(&self) -> bool {
        self.window.exposed() >= self.env.config.window
    }

    /// Begins what may begin.
    pub(super) fn begin_ready(&mut self, now: Timestamp) {
        let mut passed_over = 0;
        while self.may_begin() && passed_over < self.ready.len() {
            let Some(key) = self.ready.pop_front() else { return };
            match self.keys.get(&key) {
                Some(entry) if matches!(entry.phase, Phase::Ready) && !entry.queue.is_empty() => {}
                _ => continue,
            }
            let crowded = self.covered >= self.env.config.max_held
                && self.keys.get(&key).is_some_and(|entry| !entry.covered());
            if crowded {
                self.crowd(now);
            }
            if crowded || self.redo_is_at(&key) {
                self.ready.push_back(key);
                passed_over += 1;
                continue;
            }
            let Some(place) = self.place() else {
                self.ready.push_front(key);
                return;
            };
            self.begin(&key, place, now);
        }
    }

    fn begin(&mut self, key: &OrderKey, place: Charge, now: Timestamp) {
        let (events, bytes) = (self.spec.run_events, self.spec.run_bytes);
        let Some(entry) = self.keys.get_mut(key) else { return };
        let mut run = entry.take_run(events, bytes);
        run.retain(|loaded| {
            let expired = self.spec.ends(&loaded.event).is_some_and(|end| end <= now);
            if expired {
                self.batch.passed.expired += 1;
                self.window.remove(loaded.event.seq);
            }
            !expired
        });
        if run.is_empty() {
            self.go_on(key, now);
        } else {
            self.start_run(key, run, None, place, now);
        }
    }

    /// A run of an ordinary turn.
    pub(super) fn start_run(
        &mut self,
        key: &OrderKey,
        run: Vec<Loaded>,
        held: Option<Held>,
        place: Charge,
        now: Timestamp,
    ) {
        self.start(key, Flight { run, held, purpose: Purpose::Deliver, slow_at: None, _place: place }, now);
    }

    /// A run begins: at once where a repeat is recognised, otherwise once it is noted.
    pub(super) fn start(&mut self, key: &OrderKey, mut flight: Flight, now: Timestamp) {
        self.in_flight += 1;
        let rows: Vec<Held> = if self.recognised() {
            Vec::new()
        } else {
            let mut known = flight.held.clone();
            flight
                .run
                .iter()
                .map(|loaded| self.row(&loaded.event, known.take(), HeldState::Sending, now))
                .collect()
        };
        let recognised = self.recognised();
        let Some(entry) = self.keys.get_mut(key) else { return };
        if recognised {
            if !entry.covered() && flight.purpose == Purpose::Deliver {
                let slow_at = now.plus(self.env.config.slow);
                flight.slow_at = Some(slow_at);
                self.slow_at.insert((slow_at, key.clone()));
            }
            self.launches.push(launch(self.lane, key, &flight));
            entry.phase = Phase::Flying(Box::new(flight));
        } else {
            entry.phase = Phase::Begun(Box::new(flight));
            self.set_rows(key, rows);
            self.batch.then.begins.push(key.clone());
        }
    }

    /// Adds an event to a run of its key that is about to be noted.
    pub(super) fn join_run(&mut self, key: &OrderKey, loaded: Loaded, now: Timestamp) -> Result<(), Loaded> {
        let row = self.row(&loaded.event, None, HeldState::Sending, now);
        let (events, bytes) = (self.spec.run_events, self.spec.run_bytes);
        let Some(entry) = self.keys.get_mut(key) else { return Err(loaded) };
        let joins = !entry.gap && entry.queue.is_empty() && self.batch.then.begins.contains(key);
        match &mut entry.phase {
            Phase::Begun(flight)
                if joins
                    && flight.run.len() < events
                    && flight.run.iter().map(|one| one.event.body.len()).sum::<usize>() < bytes =>
            {
                entry.rows.push(row.seq);
                entry.position = row.seq;
                entry.seen = entry.seen.max(row.seq);
                flight.run.push(loaded);
                self.batch.put(row);
                Ok(())
            }
            _ => Err(loaded),
        }
    }

    /// A run whose rows are committed goes to the destination.
    pub(super) fn take_off(&mut self, key: &OrderKey, now: Timestamp) {
        let goes = |purpose| match purpose {
            Purpose::Deliver => self.may_begin(),
            Purpose::ProbeNew | Purpose::ProbeHeld => !self.stopping,
        };
        let Some(entry) = self.keys.get(key) else { return };
        let Phase::Begun(flight) = &entry.phase else { return };
        if goes(flight.purpose) {
            let launch = launch(self.lane, key, flight);
            self.launches.push(launch);
            if let Some(entry) = self.keys.get_mut(key)
                && let Phase::Begun(flight) = std::mem::replace(&mut entry.phase, Phase::Ready)
            {
                entry.phase = Phase::Flying(flight);
            }
            return;
        }
        // The lane was told to stand still while the rows were being committed.
        let Some(flight) = self.land(key) else { return };
        let Some(first) = flight.run.first() else { return };
        if flight.purpose == Purpose::ProbeNew {
            self.remove_key(key);
            return;
        }
        let row = self.row(&first.event, flight.held, HeldState::Retrying, now);
        self.wait_behind(key, row, now);
    }

    /// Takes back all runs that are at a destination that recognises repeats: they are not waited for.
    pub(crate) fn ground(&mut self, now: Timestamp) {
        self.give_up_redo();
        let flying: Vec<OrderKey> = self
            .keys
            .iter()
            .filter(|(_, entry)| matches!(entry.phase, Phase::Flying(_)))
            .map(|(key, _)| key.clone())
            .collect();
        for key in flying {
            let Some(flight) = self.land(&key) else { continue };
            if flight.purpose == Purpose::ProbeNew {
                self.remove_key(&key);
                continue;
            }
            let first = flight.run.first().map(|loaded| std::sync::Arc::clone(&loaded.event));
            self.requeue(&key, flight.run);
            if let Some(first) = first
                && self.keys.get(&key).is_some_and(super::Key::covered)
            {
                let row = self.row(&first, flight.held, HeldState::Retrying, now);
                self.wait_behind(&key, row, now);
            } else {
                self.ready.push_back(key);
            }
        }
    }

    /// Takes a run out of its key and gives its place back.
    pub(super) fn land(&mut self, key: &OrderKey) -> Option<Flight> {
        let entry = self.keys.get_mut(key)?;
        match std::mem::replace(&mut entry.phase, Phase::Ready) {
            Phase::Begun(flight) | Phase::Flying(flight) => {
                self.in_flight -= 1;
                if let Some(slow_at) = flight.slow_at {
                    self.slow_at.remove(&(slow_at, key.clone()));
                }
                Some(*flight)
            }
            other => {
                entry.phase = other;
                None
            }
        }
    }

    /// Gives rows to runs that have been under way for long.
    pub(super) fn cover_slow(&mut self, now: Timestamp) {
        while self.slow_at.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, key)) = self.slow_at.pop_first() else { return };
            if self.keys.get(&key).is_some_and(|entry| matches!(entry.phase, Phase::Flying(_))) {
                self.cover(&key, now, "the attempt takes long");
            }
        }
    }

    /// Gives a key a row for what is next or under way.
    pub(super) fn cover(&mut self, key: &OrderKey, now: Timestamp, reason: &str) {
        let Some(entry) = self.keys.get(key) else { return };
        let (first, known) = match &entry.phase {
            Phase::Flying(flight) | Phase::Begun(flight) => (flight.run.first(), flight.held.clone()),
            _ => (entry.queue.front(), None),
        };
        let Some(first) = first.map(|loaded| std::sync::Arc::clone(&loaded.event)) else { return };
        let mut row = self.row(&first, known, HeldState::Retrying, now);
        reason.clone_into(&mut row.reason);
        self.unpend(key);
        self.set_rows(key, vec![row]);
    }

    /// The cursor need not wait for this key's events any more.
    pub(super) fn unpend(&mut self, key: &OrderKey) {
        let Some(entry) = self.keys.get(key) else { return };
        if let Phase::Flying(flight) | Phase::Begun(flight) = &entry.phase {
            for loaded in &flight.run {
                self.window.remove(loaded.event.seq);
            }
        }
        for loaded in &entry.queue {
            self.window.remove(loaded.event.seq);
        }
    }

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
        if let Some(next) = entry.queue.front().map(|loaded| std::sync::Arc::clone(&loaded.event)) {
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

fn launch(lane: crate::LaneAddress, key: &OrderKey, flight: &Flight) -> Launch {
    let events = flight.run.iter().map(|loaded| std::sync::Arc::clone(&loaded.event)).collect();
    let tries = flight.held.as_ref().map_or(0, |held| held.tries);
    Launch { slot: Slot::Key(key.clone()), run: Run { lane, events, tries } }
}
