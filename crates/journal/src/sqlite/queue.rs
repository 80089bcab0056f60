//! What waits for the writer, in one queue per bot, so that none can fill the commit of all others.
//!
//! A commit takes one job of each bot in turn until it is full. Within a bot the order of arrival is kept. What
//! belongs to no bot (settings, leases) has a queue of its own.
//!
//! Those whose commit was just answered come back a moment later. A writer that took only what is there when it
//! looks would split them into two camps that wait for each other's commits; so it waits for as many as it answered,
//! for a small part of the time a commit takes ([`Gather`]). Who writes alone is never waited for, and only those who
//! append: a lane comes back when it has something to say.
//!
//! What can wait ([`Haste::WithOthers`]) makes no commit of its own until it has waited for [`LONGEST_WAIT`].

use std::{
    collections::{HashMap, VecDeque},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tandem_model::BotId;

use super::{job::Job, options::Waiting};
use crate::Haste;

/// Jobs in one commit, and bytes of bodies in them: a commit of a few milliseconds.
const GROUP_JOBS: usize = 256;
const GROUP_BYTES: usize = 4 << 20;

/// What a job counts for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weight {
    /// Whose it is.
    pub(super) bot: Option<BotId>,
    /// Bytes of bodies it carries; `None` for what is bounded elsewhere and never refused.
    pub(super) bytes: Option<usize>,
    /// Whether it can wait.
    pub(super) haste: Haste,
}

/// What is committed together.
#[derive(Default)]
pub(super) struct Group {
    pub(super) jobs: Vec<Box<dyn Job>>,
    /// How many of them carry bodies.
    pub(super) appends: usize,
}

/// How long to wait for those who are about to come back.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gather {
    /// How many of those who append were answered last.
    pub(super) answered: usize,
    /// At most so long.
    pub(super) patience: Duration,
}

/// Shorter waits than this cost more than they bring.
const SHORTEST_GATHER: Duration = Duration::from_micros(20);

/// How long what can wait waits for a commit of others.
const LONGEST_WAIT: Duration = Duration::from_millis(10);

/// Why a job was not taken.
pub(super) enum Refusal {
    Crowded { waiting: usize },
    Closed,
}

#[derive(Default)]
struct Line {
    jobs: VecDeque<(Weight, Box<dyn Job>)>,
    counted: usize,
    bytes: usize,
}

#[derive(Default)]
struct State {
    lines: HashMap<Option<BotId>, Line>,
    /// Whose turn it is. Has exactly the keys of `lines`, none of which is empty.
    turns: VecDeque<Option<BotId>>,
    waiting: usize,
    /// Of those that wait: how many carry bodies, how many can wait, and since when the first of these does.
    appends: usize,
    patient: usize,
    patient_since: Option<Instant>,
    /// What the writer sleeps for; `None` while it is awake, when to wake it would be a system call for nothing.
    sleeps_for: Option<Until>,
    closed: bool,
}

/// What wakes the writer.
#[derive(Clone, Copy)]
enum Until {
    /// Anything that comes.
    Anything,
    /// Something that cannot wait.
    Hurried,
    /// So many that carry bodies.
    Appends(usize),
}

pub(super) struct Queue {
    state: Mutex<State>,
    ready: Condvar,
    bound: Waiting,
}

impl Queue {
    pub(super) fn new(bound: Waiting) -> Self {
        Self { state: Mutex::default(), ready: Condvar::new(), bound }
    }

    pub(super) fn push(&self, weight: Weight, job: Box<dyn Job>) -> Result<(), Refusal> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refusal::Closed);
        }
        if let Some(bytes) = weight.bytes
            && let Some(line) = state.lines.get(&weight.bot)
            && line.counted > 0
            && (line.counted >= self.bound.writes || line.bytes + bytes > self.bound.bytes)
        {
            let waiting = line.counted;
            return Err(Refusal::Crowded { waiting });
        }
        let state = &mut *state;
        let line = state.lines.entry(weight.bot).or_default();
        if line.jobs.is_empty() {
            state.turns.push_back(weight.bot);
        }
        if let Some(bytes) = weight.bytes {
            line.counted += 1;
            line.bytes += bytes;
            state.appends += 1;
        }
        if weight.haste == Haste::WithOthers {
            state.patient += 1;
            state.patient_since.get_or_insert_with(Instant::now);
        }
        line.jobs.push_back((weight, job));
        state.waiting += 1;
        if state.sleeps_for.is_some_and(|until| state.has(until)) {
            self.ready.notify_one();
        }
        Ok(())
    }

    /// Waits for jobs, at most for `patience`. `None` once the queue is closed and empty; an empty group when
    /// nothing came in time.
    pub(super) fn take_group(&self, patience: Option<Duration>, gather: Gather) -> Option<Group> {
        let mut state = self.lock();
        let expected = (gather.answered + state.appends).min(GROUP_JOBS);
        while !state.has(Until::Hurried) {
            let timed_out;
            match state.patient_since {
                None if state.closed => return None,
                None => {
                    (state, timed_out) = self.sleep(state, Until::Anything, patience);
                    if timed_out && state.waiting == 0 && !state.closed {
                        return Some(Group::default());
                    }
                }
                Some(since) => {
                    let left = LONGEST_WAIT.saturating_sub(since.elapsed());
                    if left.is_zero() || state.closed {
                        break;
                    }
                    (state, _) = self.sleep(state, Until::Hurried, Some(left));
                }
            }
        }
        if gather.patience >= SHORTEST_GATHER && state.appends < expected && !state.closed {
            (state, _) = self.sleep(state, Until::Appends(expected), Some(gather.patience));
        }
        let mut group = Group::default();
        let mut bytes = 0;
        while group.jobs.len() < GROUP_JOBS && bytes < GROUP_BYTES {
            let Some((weight, job)) = state.next() else { break };
            bytes += weight.bytes.unwrap_or(0);
            group.appends += usize::from(weight.bytes.is_some());
            group.jobs.push(job);
        }
        Some(group)
    }

    /// Takes nothing more. What waits is still done.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    /// Takes nothing more, and gives back what waits.
    pub(super) fn abandon(&self) -> Vec<Box<dyn Job>> {
        let mut state = self.lock();
        state.closed = true;
        let jobs = std::iter::from_fn(|| state.next()).map(|(_, job)| job).collect();
        self.ready.notify_all();
        jobs
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting
    }

    /// Until there is what is waited for, the queue is closed, or time is up; may wake up early. Whether time was up.
    fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, State>,
        until: Until,
        patience: Option<Duration>,
    ) -> (MutexGuard<'a, State>, bool) {
        state.sleeps_for = Some(until);
        let (mut state, timed_out) = match patience {
            None => (self.ready.wait(state).unwrap_or_else(PoisonError::into_inner), false),
            Some(patience) => {
                let (state, timeout) =
                    self.ready.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner);
                (state, timeout.timed_out())
            }
        };
        state.sleeps_for = None;
        (state, timed_out)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    const fn has(&self, until: Until) -> bool {
        match until {
            Until::Anything => self.waiting > 0,
            Until::Hurried => self.waiting > self.patient,
            Until::Appends(wanted) => self.appends >= wanted,
        }
    }

    fn next(&mut self) -> Option<(Weight, Box<dyn Job>)> {
        let turn = self.turns.pop_front()?;
        let line = self.lines.get_mut(&turn)?;
        let (weight, job) = line.jobs.pop_front()?;
        if let Some(bytes) = weight.bytes {
            line.counted -= 1;
            line.bytes -= bytes;
            self.appends -= 1;
        }
        if weight.haste == Haste::WithOthers {
            self.patient -= 1;
            if self.patient == 0 {
                self.patient_since = None;
            }
        }
        if line.jobs.is_empty() {
            self.lines.remove(&turn);
        } else {
            self.turns.push_back(turn);
        }
        self.waiting -= 1;
        Some((weight, job))
    }
}
