//! What follows from a verdict.

use std::collections::VecDeque;

use tandem_journal::{LaneFault, LaneState};
use tandem_model::{Attempt, Blame, Held, HeldState, OrderKey, PauseReason, Seq, Timestamp, Verdict};

use super::{Core, Landed, Slot, key::Purpose};
use crate::gate::Loaded;

/// The longest reason that is kept, in bytes.
const REASON_BYTES: usize = 500;
/// Why an event waits that has not failed.
pub(super) const ASKED_TO_WAIT: &str = "the destination asked to wait";

impl Core {
    /// A run came back.
    pub(crate) fn on_landed(&mut self, landed: Landed, now: Timestamp) {
        match &landed.slot {
            Slot::Redo => self.on_redone(landed, now),
            Slot::Key(key) => {
                let key = key.clone();
                self.on_run_landed(&key, landed, now);
            }
        }
    }

    fn on_run_landed(&mut self, key: &OrderKey, landed: Landed, now: Timestamp) {
        let Some(flight) = self.land(key) else { return };
        let outcome = landed.outcome;
        self.batch.facts.extend(outcome.facts);
        if flight.purpose != Purpose::Deliver {
            let after_first = outcome.taken > 0;
            if !self.on_probed(key, &flight, after_first, &outcome.verdict, landed.began, now) {
                return;
            }
        }
        let mut known = flight.held;
        let mut rest = VecDeque::from(flight.run);
        for _ in 0..outcome.taken.min(rest.len()) {
            if let Some(taken) = rest.pop_front() {
                self.tell(taken.event.seq, &Verdict::Done);
                self.done(taken.event.seq);
                known = None;
            }
        }
        if outcome.taken > 0 {
            self.unclear.clear();
        }
        let Some(next) = rest.pop_front() else {
            self.go_on(key, now);
            return;
        };
        let try_ = Try { began: landed.began, known };
        self.judge(key, next, rest.into(), outcome.verdict, try_, now);
    }

    /// Counts a verdict, and names the event in the log.
    pub(super) fn tell(&self, seq: Seq, verdict: &Verdict) {
        self.env.metrics.count(verdict);
        if tracing::enabled!(tracing::Level::DEBUG) {
            let (event, word) = (format!("{}/{seq}", self.lane.bot), verdict.as_str());
            tracing::debug!(lane.id = %self.lane, event.id = event, verdict = word, "event {event} at lane {}: {word}", self.lane);
        }
    }

    /// Carries out a verdict about `next`; `rest` came after it in the run.
    fn judge(
        &mut self,
        key: &OrderKey,
        next: Loaded,
        rest: Vec<Loaded>,
        verdict: Verdict,
        try_: Try,
        now: Timestamp,
    ) {
        let seq = next.event.seq;
        self.tell(seq, &verdict);
        match verdict {
            Verdict::Done => {
                self.unclear.clear();
                self.done(seq);
                self.requeue(key, rest);
                self.go_on(key, now);
            }
            Verdict::Wait { until } => {
                let mut row = self.row(&next.event, try_.known, HeldState::Retrying, until);
                if row.reason.is_empty() {
                    ASKED_TO_WAIT.clone_into(&mut row.reason);
                }
                if self.spec.ends(&next.event).is_some_and(|end| end <= until) {
                    self.expire(key, seq, rest, now);
                } else {
                    self.hold(key, &rest, row, until);
                }
            }
            Verdict::Retry { after, blame, reason } => {
                let reason = clip(reason);
                let first_try = try_.known.as_ref().is_none_or(|held| held.tries == 0);
                let row = self.tried(&next, try_, HeldState::Retrying, &reason, now);
                self.fault(&reason, now);
                if self.is_down(key, blame, first_try) {
                    self.put_back(key, next, rest, row, now);
                    if self.may_begin() {
                        let wait = self.spec.ladder.wait(1, after, &*self.env.rng);
                        self.stand(PauseReason::Down, now, Some(now.plus(wait)), reason);
                    }
                    return;
                }
                let again = now.plus(self.spec.ladder.wait(row.tries, after, &*self.env.rng));
                if self.spec.ends(&next.event).is_some_and(|end| end <= again) {
                    self.expire(key, seq, rest, now);
                } else {
                    self.hold(key, &rest, row, again);
                }
            }
            Verdict::Reject { reason } => {
                self.unclear.clear();
                self.set_aside(key, &next, rest, (HeldState::Dead, clip(reason)), try_, now);
            }
            Verdict::Unknown { reason } => {
                self.set_aside(key, &next, rest, (HeldState::Unknown, clip(reason)), try_, now);
            }
            Verdict::Stop { reason, detail } => {
                let detail = clip(detail);
                let row = self.tried(&next, try_, HeldState::Retrying, &detail, now);
                self.fault(&detail, now);
                self.put_back(key, next, rest, row, now);
                if self.may_begin() {
                    let until = (reason == PauseReason::Down)
                        .then(|| now.plus(self.spec.ladder.wait(1, None, &*self.env.rng)));
                    // Only the lane itself can know that it is crowded.
                    let reason = if reason == PauseReason::Crowded { PauseReason::Refused } else { reason };
                    self.stand(reason, now, until, detail);
                }
            }
        }
    }

    /// Whether this failure, after what happened before, is the destination's.
    fn is_down(&mut self, key: &OrderKey, blame: Blame, first_try: bool) -> bool {
        match blame {
            Blame::Destination => true,
            Blame::Event => {
                self.unclear.clear();
                false
            }
            // What is held already failed before and says nothing new.
            Blame::Unclear => {
                if let LaneState::Paused { reason: PauseReason::Down, .. } = self.standing {
                    return true;
                }
                if first_try {
                    self.unclear.insert(key.clone());
                }
                first_try && self.unclear.len() >= self.env.config.unclear_keys.max(1)
            }
        }
    }

    /// An event and what came after it go back, as if they had not been tried; a row that is there already is told
    /// of the try.
    fn put_back(&mut self, key: &OrderKey, next: Loaded, mut rest: Vec<Loaded>, row: Held, now: Timestamp) {
        rest.insert(0, next);
        self.requeue(key, rest);
        if self.keys.get(key).is_some_and(super::Key::covered) {
            self.wait_behind(key, row, now);
        } else {
            self.ready.push_back(key.clone());
        }
    }

    /// An event waits with its row, and what came after it in the run waits behind it.
    fn hold(&mut self, key: &OrderKey, rest: &[Loaded], row: Held, until: Timestamp) {
        self.window.remove(row.seq);
        for loaded in rest {
            self.window.remove(loaded.event.seq);
        }
        self.wait_behind(key, row, until);
    }

    /// Its time is over before it could be tried again.
    fn expire(&mut self, key: &OrderKey, seq: Seq, rest: Vec<Loaded>, now: Timestamp) {
        self.batch.passed.expired += 1;
        self.done(seq);
        self.requeue(key, rest);
        self.go_on(key, now);
    }

    /// It is for people now, and its key goes on.
    fn set_aside(
        &mut self,
        key: &OrderKey,
        event: &Loaded,
        rest: Vec<Loaded>,
        (state, reason): (HeldState, String),
        try_: Try,
        now: Timestamp,
    ) {
        self.fault(&reason, now);
        let row = self.tried(event, try_, state, &reason, now);
        if let Some(entry) = self.keys.get_mut(key) {
            entry.parting.push(row);
        }
        self.done(event.event.seq);
        self.requeue(key, rest);
        self.go_on(key, now);
    }

    /// The row of an event after one more try.
    pub(super) fn tried(
        &self,
        event: &Loaded,
        try_: Try,
        state: HeldState,
        reason: &str,
        now: Timestamp,
    ) -> Held {
        let mut row = self.row(&event.event, try_.known, state, now);
        let took_ms = u32::try_from(now.since(try_.began).as_millis()).unwrap_or(u32::MAX);
        row.note(Attempt { at: try_.began, took_ms, outcome: reason.to_owned() });
        reason.clone_into(&mut row.reason);
        row
    }

    pub(super) fn fault(&mut self, reason: &str, now: Timestamp) {
        self.batch.fault = Some(LaneFault { at: now, text: reason.to_owned() });
    }

    fn done(&mut self, seq: Seq) {
        self.window.done(seq);
        self.done_to = self.done_to.max(seq);
    }
}

/// A try that is over.
#[derive(Debug)]
pub(super) struct Try {
    pub(super) began: Timestamp,
    /// What was known of earlier tries.
    pub(super) known: Option<Held>,
}

/// Bounds what a destination said.
pub(super) fn clip(mut reason: String) -> String {
    if reason.len() > REASON_BYTES {
        let end = (0..=REASON_BYTES).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
        reason.truncate(end);
        reason.push('…');
    }
    reason
}
