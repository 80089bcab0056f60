//! What a lane that keeps up does most of the time: an event whose key has nothing else going on is handed over by
//! itself, and is done before the next one is looked at. It needs no key, no row and no timer; only what the
//! destination does not take at once becomes a run of its key like any other.
//!
//! It is for destinations that recognise a repeat and take one event at a time: others have runs to gather or
//! attempts to note first. Whenever anything is out of the ordinary, nothing goes straight.

use std::sync::Arc;

use tandem_journal::{Fact, LaneState};
use tandem_model::{OrderKey, Timestamp, Verdict};

use super::{
    Core, Launch, Slot,
    key::{Flight, Key, Phase, Purpose},
};
use crate::{
    LaneAddress, Run,
    gate::{Charge, Loaded},
};

/// An event that is being handed over, with a place at the destination.
#[derive(Debug)]
pub(crate) struct Straight {
    lane: LaneAddress,
    key: OrderKey,
    loaded: Loaded,
    place: Charge,
}

impl Straight {
    /// What to hand over.
    pub(crate) fn launch(&self) -> Launch {
        let events = vec![Arc::clone(&self.loaded.event)];
        Launch { slot: Slot::Key(self.key.clone()), run: Run { lane: self.lane, events, tries: 0 } }
    }
}

impl Core {
    /// The next event that can be handed over by itself. What comes of it must be told before anything else is asked:
    /// [`went_straight`](Self::went_straight) or [`keep`](Self::keep).
    pub(crate) fn next_straight(&mut self, now: Timestamp) -> Option<Straight> {
        if self.buffer.is_empty() {
            return None;
        }
        let place = self.place()?;
        // Looked at again for each: what goes to its key takes room from what comes after it.
        while self.goes_straight()
            && let Some(loaded) = self.buffer.pop_front()
        {
            let seq = loaded.event.seq;
            let key = self.spec.key(&loaded.event);
            if self.keys.contains_key(&key) {
                if let Some(loaded) = self.place_event(loaded, now) {
                    self.buffer.push_front(loaded);
                    return None;
                }
            } else if !self.is_passed(&loaded.event, None, now) {
                self.scanned = seq;
                return Some(Straight { lane: self.lane, key, loaded, place });
            }
            self.scanned = seq;
        }
        None
    }

    /// Whether nothing is out of the ordinary.
    fn goes_straight(&self) -> bool {
        self.recognised()
            && self.spec.run_events <= 1
            && self.standing == LaneState::Running
            && !self.stopping
            && !self.held_back
            && self.wish.is_none()
            && self.redo.is_none()
            // Those that wait for a place come first.
            && self.ready.is_empty()
            && self.covered < self.env.config.max_held
            && self.window.len() < self.env.config.window
            && !self.exposed()
    }

    /// The destination took it at once.
    pub(crate) fn went_straight(&mut self, straight: &Straight, facts: Vec<Fact>) {
        let seq = straight.loaded.event.seq;
        self.batch.facts.extend(facts);
        self.tell(seq, &Verdict::Done);
        self.unclear.clear();
        self.window.done_at_once(seq);
        self.done_to = self.done_to.max(seq);
    }

    /// It is a run of its key from now on: it takes its time, or something else is to be said of it.
    pub(crate) fn keep(&mut self, straight: Straight, now: Timestamp) {
        let Straight { key, loaded, place, .. } = straight;
        let seq = loaded.event.seq;
        self.window.insert(seq);
        self.in_flight += 1;
        let slow_at = now.plus(self.env.config.slow);
        self.slow_at.insert((slow_at, key.clone()));
        let flight = Flight {
            run: vec![loaded],
            held: None,
            purpose: Purpose::Deliver,
            slow_at: Some(slow_at),
            _place: place,
        };
        self.keys.insert(key, Key { phase: Phase::Flying(Box::new(flight)), ..Key::fresh(seq) });
    }
}
