//! Standing still, and finding out whether the destination is back.
//!
//! A lane that stands still folds up: it forgets what it has read, so that it takes no memory and goes on from its
//! cursor. Events before the last one that is done cannot be read again without repeating it, so they get rows;
//! there are none of them when everything failed.
//!
//! **Probing.** While the destination is down, one event is tried from time to time, by the ladder, and nothing is
//! held for it. When it failed unclearly, the next probe takes an event of another key: otherwise one event that
//! makes a destination fail would stop the lane for good. Once a probe gets through, those that were tried in vain
//! are held like any event that fails, and the cursor passes them.

use std::time::Duration;

use tandem_journal::LaneState;
use tandem_model::{Blame, Event, Held, HeldState, OrderKey, PauseReason, Seq, Timestamp, Verdict};
use tokio::sync::oneshot;

use super::{
    Core, LaneRead, Read,
    key::{Flight, Key, Phase, Purpose},
    landing::{Try, clip},
    redo::Reply,
};

/// How long after a probe an event that has just come is tried at the earliest.
const AT_ONCE: Duration = Duration::from_secs(2);

/// After so many keys the probes begin with the first one again.
const SUSPECTS: usize = 16;

/// What an operator wants of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To stand still.
    Pause { detail: String },
    /// To go on.
    Resume,
}

/// What probing has shown so far.
#[derive(Debug, Default)]
pub(super) struct Probe {
    failures: u32,
    /// The next candidate comes after this; `None`: begin at the cursor.
    after: Option<Seq>,
    /// Events that failed unclearly, each the first of its key after the cursor.
    suspects: Vec<Held>,
    /// Events that were found too old on the way.
    expired: u64,
    /// There is nothing to probe with.
    exhausted: bool,
    /// Nothing is known to be there but what was tried in vain or is held.
    hopeless: bool,
    /// When the last one came back.
    tried_at: Option<Timestamp>,
    /// A held key to probe with next.
    pub(super) held: Option<OrderKey>,
}

impl Core {
    /// Takes a state, to be noted.
    pub(super) fn stand(
        &mut self,
        reason: PauseReason,
        now: Timestamp,
        until: Option<Timestamp>,
        detail: String,
    ) {
        let since = match &self.standing {
            LaneState::Paused { reason: before, since, .. } if *before == reason => *since,
            _ => now,
        };
        self.probe =
            if reason == PauseReason::Down { Some(self.probe.take().unwrap_or_default()) } else { None };
        self.standing = LaneState::Paused { reason, since, until, detail };
        self.batch.state = Some(self.standing.clone());
    }

    /// Goes on.
    pub(super) fn run_on(&mut self) {
        self.standing = LaneState::Running;
        self.batch.state = Some(LaneState::Running);
        self.unclear.clear();
        self.probe = None;
        self.more = true;
    }

    /// Stands still, or goes on, because an operator wants it; after the probe that is under way, if there is one.
    pub(super) fn wish(&mut self, wish: Wish, reply: oneshot::Sender<()>, now: Timestamp) {
        if self.probing() && self.in_flight > 0 {
            self.wish = Some((wish, reply));
            return;
        }
        match wish {
            Wish::Pause { detail } => self.stand(PauseReason::Operator, now, None, clip(detail)),
            Wish::Resume if self.standing != LaneState::Running => self.run_on(),
            Wish::Resume => {}
        }
        self.batch.then.replies.push(Reply::Wished(reply));
    }

    pub(super) fn probing(&self) -> bool {
        matches!(self.standing, LaneState::Paused { reason: PauseReason::Down, .. })
    }

    /// When the next probe is due, if there is one to make.
    pub(super) fn probe_at(&self) -> Option<Timestamp> {
        match &self.standing {
            LaneState::Paused { reason: PauseReason::Down, until: Some(until), .. } if !self.stopping => {
                let idle = self.probe.as_ref().is_some_and(|probe| probe.exhausted);
                (!idle && self.in_flight == 0).then_some(*until)
            }
            _ => None,
        }
    }

    /// Something has come. When all that could be tried had failed unclearly, it is tried at once: it may be that the
    /// destination is well and those events are not.
    pub(super) fn hope(&mut self, now: Timestamp) {
        let Some(probe) = &mut self.probe else { return };
        probe.exhausted = false;
        if std::mem::take(&mut probe.hopeless)
            && let LaneState::Paused { until: Some(until), .. } = &mut self.standing
        {
            let soon = probe.tried_at.map_or(now, |at| at.plus(AT_ONCE).max(now));
            *until = soon.min(*until);
        }
    }

    /// Forgets what was read once nothing is under way.
    pub(super) fn fold(&mut self, now: Timestamp) {
        if self.in_flight > 0 || self.reading || !self.seeking.is_empty() {
            return;
        }
        if self.window.is_empty() && self.buffer.is_empty() && self.ready.is_empty() {
            return;
        }
        let rows = self.keys.values().filter_map(|entry| entry.rows.last()).max();
        let high = rows.copied().unwrap_or(Seq::ZERO).max(self.done_to);
        let open: Vec<(OrderKey, Option<Seq>)> = self
            .keys
            .iter()
            .filter(|(_, entry)| !entry.covered())
            .map(|(key, entry)| (key.clone(), entry.queue.front().map(|next| next.event.seq)))
            .collect();
        for (key, next) in open {
            if next.is_some_and(|next| next < high) {
                self.cover(&key, "the lane stood still");
            } else {
                self.keys.remove(&key);
            }
        }
        let cursor = self.cursor();
        let ready: Vec<OrderKey> = self
            .keys
            .iter()
            .filter(|(_, entry)| matches!(entry.phase, Phase::Ready))
            .map(|(key, _)| key.clone())
            .collect();
        for entry in self.keys.values_mut() {
            let row = entry.rows.first().copied().unwrap_or(cursor);
            entry.seen = entry.seen.min(cursor).max(row);
            entry.forget_queue(row);
        }
        for key in ready {
            self.set_waiting(&key, now);
        }
        self.window.forget();
        self.ready.clear();
        self.buffer.clear();
        (self.scanned, self.buffered_to) = (cursor, cursor);
        self.more = true;
        self.done_to = cursor;
    }

    /// Reads on for an event to probe with, when it is time.
    pub(super) fn probe_read(&mut self, now: Timestamp) -> Option<Read> {
        if self.probe_at().is_none_or(|at| at > now) || !self.seeking.is_empty() || self.redo.is_some() {
            return None;
        }
        // A row to probe with is read from the store, so it must be there.
        if self.sent.is_some() || !self.batch.is_empty() {
            return None;
        }
        let (scanned, page) = (self.scanned, self.page());
        let probe = self.probe.get_or_insert_default();
        if probe.held.is_some() {
            return None;
        }
        self.appended_to = Seq::ZERO;
        Some(Read::Lane { after: probe.after.unwrap_or(scanned), page, purpose: LaneRead::Probe })
    }

    /// Looks through what was read for an event to probe with.
    pub(super) fn on_probe_page(&mut self, events: Vec<Event>, scanned_to: Seq, head: Seq, now: Timestamp) {
        let Some(mut probe) = self.probe.take() else { return };
        if !self.probing() || self.stopping {
            return;
        }
        // As long as nothing was tried in vain, what the lane need not deliver can be passed for good.
        let mut passing = probe.suspects.is_empty() && probe.after.is_none();
        for event in events {
            let (seq, key) = (event.seq, self.spec.key(&event));
            if passing {
                let known = self.pass_known(&event, now);
                let waits = !known && self.keys.contains_key(&key);
                if waits && let Some(entry) = self.keys.get_mut(&key) {
                    entry.pass(seq);
                }
                if known || waits {
                    (self.scanned, self.buffered_to) = (seq, seq);
                    continue;
                }
                passing = false;
            }
            let known = self.aside.contains(&seq) || self.keys.contains_key(&key);
            if known || probe.suspects.iter().any(|suspect| suspect.key() == key) {
                continue;
            }
            if self.expired(&event, now) {
                probe.expired += 1;
                continue;
            }
            self.probe = Some(probe);
            self.probe_with(&key, event, now);
            return;
        }
        if passing {
            (self.scanned, self.buffered_to) = (scanned_to, scanned_to);
        } else {
            probe.after = Some(scanned_to);
        }
        if scanned_to >= head.max(self.appended_to) {
            // The journal has nothing else: a held one is tried, then it begins anew.
            probe.held = self.due.iter().map(|(_, key)| key).find(|key| self.may_fetch(key)).cloned();
            probe.exhausted = self.due.is_empty() && probe.suspects.is_empty();
            probe.hopeless = true;
            probe.suspects.clear();
            (probe.after, probe.expired) = (None, 0);
        }
        self.probe = Some(probe);
    }

    fn probe_with(&mut self, key: &OrderKey, event: Event, now: Timestamp) {
        let Some(place) = self.place() else { return };
        self.keys.insert(key.clone(), Key::fresh(event.seq));
        let run = vec![self.take_in(event)];
        let flight = Flight { run, held: None, purpose: Purpose::ProbeNew, slow_at: None, _place: place };
        self.start(key, flight, now);
    }

    /// A probe came back. Says whether its verdict is to be carried out like any other.
    pub(super) fn on_probed(
        &mut self,
        key: &OrderKey,
        flight: &Flight,
        taken: bool,
        verdict: &Verdict,
        began: Timestamp,
        now: Timestamp,
    ) -> bool {
        let Some(loaded) = flight.run.first() else { return false };
        let (after, reason, unclear) = match verdict {
            _ if taken => return self.revive(flight, loaded.event.seq, now),
            Verdict::Retry { after, blame: Blame::Destination, reason } => (*after, reason.clone(), false),
            Verdict::Retry { after, blame: Blame::Unclear, reason } => (*after, reason.clone(), true),
            Verdict::Wait { until } => {
                (Some(until.since(now)), "the destination asked to wait".to_owned(), false)
            }
            Verdict::Stop { reason, detail } => {
                if *reason != PauseReason::Down {
                    self.stand(*reason, now, None, clip(detail.clone()));
                }
                (None, detail.clone(), false)
            }
            Verdict::Done
            | Verdict::Retry { blame: Blame::Event, .. }
            | Verdict::Reject { .. }
            | Verdict::Unknown { .. } => return self.revive(flight, loaded.event.seq, now),
        };
        let reason = clip(reason);
        let attempt = Try { began, known: flight.held.clone() };
        let row = self.tried(loaded, attempt, HeldState::Retrying, &reason, now);
        self.fault(&reason, now);
        let mut probe = self.probe.take().unwrap_or_default();
        probe.failures = probe.failures.saturating_add(1);
        probe.tried_at = Some(now);
        let until = now.plus(self.spec.ladder.wait(probe.failures.saturating_add(1), after, &*self.env.rng));
        if flight.purpose == Purpose::ProbeNew {
            self.remove_key(key);
            probe.after = None;
            if unclear && probe.suspects.len() < SUSPECTS {
                probe.after = Some(loaded.event.seq);
                probe.suspects.push(row);
            } else {
                probe.suspects.clear();
                probe.expired = 0;
            }
        } else {
            self.wait_behind(key, row, until);
        }
        if self.probing() {
            self.probe = Some(probe);
            self.stand(PauseReason::Down, now, Some(until), reason);
        }
        false
    }

    /// The destination is back.
    fn revive(&mut self, flight: &Flight, seq: Seq, now: Timestamp) -> bool {
        let probe = self.probe.take().unwrap_or_default();
        self.run_on();
        if flight.purpose == Purpose::ProbeNew {
            self.batch.passed.expired += probe.expired;
            for suspect in probe.suspects {
                let again = now.plus(self.spec.ladder.wait(suspect.tries, None, &*self.env.rng));
                let key = suspect.key();
                self.keys.insert(key.clone(), Key::fresh(suspect.seq));
                self.wait_behind(&key, suspect, again);
            }
            self.pass_to_probe(seq);
        }
        true
    }

    /// The cursor passes everything up to a new event that was tried before its turn: what stands before it belongs
    /// to keys that have rows.
    fn pass_to_probe(&mut self, seq: Seq) {
        let before = seq.previous();
        for entry in self.keys.values_mut().filter(|entry| entry.covered()) {
            if entry.seen < before && !entry.rows.contains(&seq) {
                entry.pass(before);
            }
        }
        (self.scanned, self.buffered_to) = (seq, seq);
    }
}
