//! A lane as it stands in the store.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use tandem_journal::{Lane, LaneState};
use tandem_model::{Held, HeldState, OrderKey, Seq, Timestamp};

use super::{Batch, Core, Env, Key, Phase, Window, landing::ASKED_TO_WAIT};
use crate::{LaneAddress, PushSpec, Repeats};

/// What is said of an attempt that a restart interrupted.
const INTERRUPTED: &str = "the service stopped during the attempt; whether it arrived is not known";

/// What a lane holds, gathered page by page.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    keys: BTreeMap<OrderKey, KeyRows>,
    /// Set aside for people, after the cursor.
    aside: BTreeSet<Seq>,
}

#[derive(Debug, Default)]
struct KeyRows {
    rows: Vec<Seq>,
    /// The first row to be tried again.
    waiting: Option<Waiting>,
    unknown: Vec<Held>,
}

/// When a row is to be tried again.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    row: Seq,
    until: Timestamp,
    /// Why.
    cause: Cause,
}

/// Why a row waits.
#[derive(Debug, Clone, Copy)]
enum Cause {
    /// For its turn: it has not been tried. The moment it carries is only that in which it was made.
    Turn,
    /// The destination asked for it.
    Asked,
    /// An attempt at this time failed.
    Failed(Timestamp),
}

impl Waiting {
    fn of(row: &Held) -> Self {
        let cause = match row.attempts.last() {
            Some(attempt) => Cause::Failed(attempt.at),
            None if row.reason == ASKED_TO_WAIT => Cause::Asked,
            None => Cause::Turn,
        };
        Self { row: row.seq, until: row.next_at, cause }
    }

    /// The moment. What was decided in the future was decided by a clock that was wrong: then the wait begins anew.
    fn until(self, now: Timestamp) -> Timestamp {
        match self.cause {
            Cause::Turn => now,
            Cause::Failed(since) if since > now => now.plus(self.until.since(since)),
            Cause::Failed(_) | Cause::Asked => self.until,
        }
    }
}

impl Rows {
    /// Adds a row that blocks, in the order of `seq`.
    pub(crate) fn add_blocking(&mut self, mut row: Held, repeats: Repeats) {
        let key = self.keys.entry(row.key()).or_default();
        key.rows.push(row.seq);
        if row.state == HeldState::Sending && repeats == Repeats::Unrecognised {
            row.state = HeldState::Unknown;
            INTERRUPTED.clone_into(&mut row.reason);
            key.unknown.push(row);
        } else if key.waiting.is_none() {
            key.waiting = Some(Waiting::of(&row));
        }
    }

    /// Adds an event after the cursor that is for people.
    pub(crate) fn add_aside(&mut self, seq: Seq) {
        self.aside.insert(seq);
    }
}

impl Core {
    /// Goes on from where the lane stands in the store.
    pub(crate) fn load(lane: &Lane, rows: Rows, spec: Arc<PushSpec>, env: Arc<Env>, now: Timestamp) -> Self {
        let acked = lane.acked;
        let mut core = Self {
            lane: LaneAddress { bot: lane.bot, lane: lane.id },
            spec,
            env,
            standing: standing(lane, now),
            stopping: false,
            acked,
            scanned: acked,
            buffer: VecDeque::new(),
            buffered_to: acked,
            more: true,
            appended_to: Seq::ZERO,
            aside: rows.aside,
            loaded_at: acked,
            keys: BTreeMap::new(),
            covered: 0,
            ready: VecDeque::new(),
            seeking: VecDeque::new(),
            due: BTreeSet::new(),
            slow_at: BTreeSet::new(),
            window: Window::default(),
            done_to: acked,
            in_flight: 0,
            unclear: BTreeSet::new(),
            probe: None,
            wish: None,
            redo: None,
            batch: Batch::default(),
            sent: None,
            launches: Vec::new(),
            reading: false,
            keys_turn: false,
            held_back: false,
        };
        for (key, rows) in rows.keys {
            core.load_key(&key, rows, now);
        }
        core.uncrowd();
        core
    }

    fn load_key(&mut self, key: &OrderKey, rows: KeyRows, now: Timestamp) {
        let Some(last) = rows.rows.last().copied() else { return };
        self.covered += 1;
        // Without their rows they would be met as new.
        self.aside.extend(rows.unknown.iter().map(|row| row.seq));
        let (row, until) = rows.waiting.map_or((last, now), |waiting| (waiting.row, waiting.until(now)));
        let mut entry = Key::waiting(row, until, self.acked);
        entry.rows = rows.rows;
        entry.seen = entry.seen.max(last);
        entry.gap = entry.seen > row;
        entry.parting = rows.unknown;
        if rows.waiting.is_none() {
            // Nobody knows what came of the attempts. What follows them goes on; their rows stand for it until it
            // is found.
            entry.phase = Phase::Ready;
            self.keys.insert(key.clone(), entry);
            self.go_on(key, now);
            return;
        }
        self.due.insert((until, key.clone()));
        entry.rows.retain(|seq| *seq >= row);
        let asides = std::mem::take(&mut entry.parting);
        self.keys.insert(key.clone(), entry);
        for aside in asides {
            self.batch.put(aside);
        }
    }
}

/// A lane's state. A probe is not put off by a clock that was wrong when it was decided upon.
fn standing(lane: &Lane, now: Timestamp) -> LaneState {
    let mut state = lane.state.clone();
    if let LaneState::Paused { until: Some(until), .. } = &mut state
        && let Some(fault) = lane.last_fault.as_ref().filter(|fault| fault.at > now)
    {
        *until = now.plus(until.since(fault.at));
    }
    state
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tandem_model::{Attempt, Conversation};

    use super::*;

    /// When a row is tried that was to be tried at `next_at`, in hours.
    fn tried_at(next_at: i64, attempted_at: Option<i64>, reason: &str, now: i64) -> i64 {
        let hours = |hours: i64| Timestamp::from_secs(hours * 3600);
        let attempt = |at| Attempt { at: hours(at), took_ms: 1, outcome: String::new() };
        let row = Held {
            seq: Seq::ZERO,
            conversation: Conversation::chat(1),
            family: None,
            state: HeldState::Retrying,
            tries: 1,
            attempts: attempted_at.map(attempt).into_iter().collect(),
            next_at: hours(next_at),
            reason: reason.to_owned(),
        };
        let until = Waiting::of(&row).until(hours(now));
        i64::try_from(until.since(Timestamp::EPOCH).as_secs() / Duration::from_hours(1).as_secs()).unwrap()
    }

    #[test]
    fn a_row_waits_for_its_retry_and_for_what_was_asked_and_for_no_other_moment() {
        assert_eq!(tried_at(12, Some(10), "500", 11), 12, "its retry");
        assert_eq!(tried_at(12, None, ASKED_TO_WAIT, 11), 12, "what was asked");
        assert_eq!(tried_at(11, None, "", 11), 11, "its turn");
        assert_eq!(tried_at(20, None, "", 11), 11, "its turn, noted by a clock that was ahead");
        assert_eq!(tried_at(21, Some(20), "500", 11), 12, "its retry, decided by a clock that was ahead");
    }
}
