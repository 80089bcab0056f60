//! Runs: places at the destination, beginning, landing, rows of those that last.

use std::sync::Arc;

use tandem_model::{Held, HeldState, OrderKey, Timestamp};

use super::{
    Core, Launch, Slot,
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
        // Begun a moment ago and not handed over yet: nobody would know what becomes of them, and wait for it.
        self.launches.clear();
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
            let first = flight.run.first().map(|loaded| Arc::clone(&loaded.event));
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
                self.cover(&key, "the attempt takes long");
            }
        }
    }

    /// Gives a key a row for what is next or under way.
    pub(super) fn cover(&mut self, key: &OrderKey, reason: &str) {
        let Some(entry) = self.keys.get(key) else { return };
        let (first, known) = match &entry.phase {
            Phase::Flying(flight) | Phase::Begun(flight) => (flight.run.first(), flight.held.clone()),
            _ => (entry.queue.front(), None),
        };
        let Some(first) = first.map(|loaded| Arc::clone(&loaded.event)) else { return };
        // Due at once, by whatever clock it is read again.
        let mut row = self.row(&first, known, HeldState::Retrying, Timestamp::EPOCH);
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
}

fn launch(lane: crate::LaneAddress, key: &OrderKey, flight: &Flight) -> Launch {
    let events = flight.run.iter().map(|loaded| Arc::clone(&loaded.event)).collect();
    let tries = flight.held.as_ref().map_or(0, |held| held.tries);
    Launch { slot: Slot::Key(key.clone()), run: Run { lane, events, tries } }
}
