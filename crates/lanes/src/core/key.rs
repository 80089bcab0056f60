//! One order key of a lane that something is going on with. Keys without are not in memory.

use std::collections::VecDeque;

use tandem_model::{Held, Seq, Timestamp};

use crate::gate::{Charge, Loaded};

/// An order key: at most one run of it is under way, and what came after waits behind it.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) phase: Phase,
    /// What comes next, as far as it is in memory.
    pub(super) queue: VecDeque<Loaded>,
    /// Its blocking rows, as they will be with the batch that is being gathered. With a row the key is *covered*:
    /// the cursor need not wait for any of its events. The first row is the next event, or the first one of the
    /// run under way.
    pub(super) rows: Vec<Seq>,
    /// Rows of events that block nothing any more: they are written when the key's rows move on, because until then
    /// nothing else stands for what waits behind them.
    pub(super) parting: Vec<Held>,
    /// The last event that was handed over or is in the row or the queue.
    pub(super) position: Seq,
    /// Events up to here belong to this key's past or present: met again when the lane reads on, they are passed.
    pub(super) seen: Seq,
    /// Between `position` and `seen` there may be events that are not in memory.
    pub(super) gap: bool,
}

/// What is going on.
#[derive(Debug)]
pub(super) enum Phase {
    /// The front of the queue may begin.
    Ready,
    /// The row is to be tried again at this time.
    Waiting(Timestamp),
    /// The row and its event are being read, to be tried.
    Fetching(Charge),
    /// The next event is being looked for in the journal.
    Seeking,
    /// A run is to begin once its rows are committed.
    Begun(Box<Flight>),
    /// A run is at the destination.
    Flying(Box<Flight>),
}

/// A run under way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) run: Vec<Loaded>,
    /// What is known of earlier tries of its first event.
    pub(super) held: Option<Held>,
    pub(super) purpose: Purpose,
    /// When it needs a row, if it has none.
    pub(super) slow_at: Option<Timestamp>,
    /// Its place at the destination.
    pub(super) _place: Charge,
}

/// Why a run is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its turn has come.
    Deliver,
    /// To find out whether the destination is back, with an event after the cursor.
    ProbeNew,
    /// The same with an event that was held already.
    ProbeHeld,
}

impl Key {
    pub(super) fn fresh(at: Seq) -> Self {
        Self {
            phase: Phase::Ready,
            queue: VecDeque::new(),
            rows: Vec::new(),
            parting: Vec::new(),
            position: at,
            seen: at,
            gap: false,
        }
    }

    /// A key with a row that waits; whatever stands between it and `seen` waits behind it.
    pub(super) fn waiting(row: Seq, until: Timestamp, seen: Seq) -> Self {
        Self {
            phase: Phase::Waiting(until),
            rows: vec![row],
            seen: seen.max(row),
            gap: seen > row,
            ..Self::fresh(row)
        }
    }

    pub(super) const fn covered(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Whether a run of it is being prepared or under way.
    pub(super) const fn busy(&self) -> bool {
        matches!(self.phase, Phase::Fetching(_) | Phase::Begun(_) | Phase::Flying(_))
    }

    /// Adds an event to the queue, behind everything.
    pub(super) fn push(&mut self, loaded: Loaded) {
        self.position = loaded.event.seq;
        self.seen = self.seen.max(self.position);
        self.queue.push_back(loaded);
    }

    /// Leaves an event to the journal.
    pub(super) fn pass(&mut self, seq: Seq) {
        self.seen = self.seen.max(seq);
        self.gap = true;
    }

    /// Forgets the queue: it is read again when its turn comes.
    pub(super) fn forget_queue(&mut self, position: Seq) {
        self.queue = VecDeque::new();
        self.position = position;
        self.gap = self.seen > position;
    }

    /// Takes the next run from the queue.
    pub(super) fn take_run(&mut self, events: usize, bytes: usize) -> Vec<Loaded> {
        let mut run: Vec<Loaded> = Vec::new();
        let mut size = 0;
        while run.len() < events.max(1) && (run.is_empty() || size < bytes) {
            let Some(next) = self.queue.pop_front() else { break };
            size += next.event.body.len();
            run.push(next);
        }
        run
    }
}
