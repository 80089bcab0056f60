//! Which lanes are attached, and which of them have something to do.
//!
//! An idle lane is an entry here: it has no task and no timer. It becomes ready when its bot is woken, when its time
//! has come, or when an operator asks for something; a worker then takes its state out and brings it back.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use tandem_model::{BotId, LaneId, Seq, Timestamp};
use tokio::sync::{Notify, oneshot};

use crate::{
    Destination, LaneAddress, PushSpec,
    core::{Core, Request},
};

/// All lanes that are attached.
#[derive(Default)]
pub(crate) struct Registry {
    entries: BTreeMap<LaneAddress, Entry>,
    ready: VecDeque<LaneAddress>,
    /// The times at which lanes want to be looked at: one timer serves them all.
    timers: BTreeSet<(Timestamp, LaneAddress)>,
    keys_at_rest: usize,
    stopping: bool,
}

struct Entry {
    spec: Arc<PushSpec>,
    destination: Arc<dyn Destination>,
    phase: Phase,
    core: Option<Box<Core>>,
    /// How far its worker had read when it looked last.
    seen: Seq,
    wake_at: Option<Timestamp>,
    orders: Option<Box<Orders>>,
}

enum Phase {
    Idle,
    Queued,
    /// A worker has it, and is told of new orders by this.
    Running(Arc<Notify>),
}

/// What a worker is told while it works.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// Something was appended, up to here.
    pub(crate) appended_to: Option<Seq>,
    /// Finish.
    pub(crate) stop: bool,
    /// Finish without waiting for runs that can be repeated.
    pub(crate) detach: bool,
    pub(crate) requests: Vec<Request>,
    /// To be told when the worker has ended, and whether everything is noted.
    pub(crate) ended: Vec<oneshot::Sender<Noted>>,
}

/// Whether a lane's progress is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Noted {
    /// All of it.
    Everything,
    /// The store failed.
    NotAll,
}

/// A lane for a worker.
pub(crate) struct Job {
    pub(crate) lane: LaneAddress,
    pub(crate) spec: Arc<PushSpec>,
    pub(crate) destination: Arc<dyn Destination>,
    pub(crate) core: Option<Box<Core>>,
    pub(crate) notify: Arc<Notify>,
}

/// What a worker brings back.
pub(crate) struct Rest {
    pub(crate) core: Option<Box<Core>>,
    pub(crate) wake_at: Option<Timestamp>,
    pub(crate) noted: Noted,
}

impl Registry {
    /// Adds a lane; `false` when it is there already.
    pub(crate) fn attach(
        &mut self,
        lane: LaneAddress,
        spec: Arc<PushSpec>,
        destination: Arc<dyn Destination>,
    ) -> bool {
        if self.entries.contains_key(&lane) {
            return false;
        }
        let (phase, core, seen, wake_at, orders) = (Phase::Queued, None, Seq::ZERO, None, None);
        self.entries.insert(lane, Entry { spec, destination, phase, core, seen, wake_at, orders });
        self.ready.push_back(lane);
        true
    }

    /// This bot's journal goes up to `last` now. A lane that has looked at it already is left alone: of many who
    /// append at the same time, the first to be answered wakes the lane, and it reads what all of them have appended.
    /// Whether some lane became ready by it.
    pub(crate) fn wake(&mut self, bot: BotId, last: Seq) -> bool {
        let ready = self.ready.len();
        let all = LaneAddress { bot, lane: LaneId::MIN }..=LaneAddress { bot, lane: LaneId::MAX };
        for (lane, entry) in self.entries.range_mut(all) {
            let has_seen = match &entry.phase {
                Phase::Running(_) => last <= entry.seen,
                Phase::Idle | Phase::Queued => entry.core.as_ref().is_some_and(|core| core.has_seen(last)),
            };
            if has_seen {
                continue;
            }
            let orders = entry.orders.get_or_insert_default();
            let told = orders.appended_to.is_some();
            orders.appended_to = orders.appended_to.max(Some(last));
            // A worker that was told already and has not looked yet will find this too.
            if !told || matches!(entry.phase, Phase::Idle) {
                rouse(*lane, entry, &mut self.ready);
            }
        }
        self.ready.len() > ready
    }

    /// Asks a lane for something; gives the request back when the lane is not attached.
    pub(crate) fn ask(&mut self, lane: LaneAddress, request: Request) -> Result<(), Request> {
        let Some(entry) = self.entries.get_mut(&lane) else { return Err(request) };
        entry.orders.get_or_insert_default().requests.push(request);
        rouse(lane, entry, &mut self.ready);
        Ok(())
    }

    /// Begins to detach a lane.
    pub(crate) fn detach(&mut self, lane: LaneAddress) -> Detaching {
        let Some(entry) = self.entries.get_mut(&lane) else { return Detaching::Unknown };
        let orders = entry.orders.get_or_insert_default();
        orders.detach = true;
        if let Phase::Running(notify) = &entry.phase {
            let (tell, told) = oneshot::channel();
            orders.ended.push(tell);
            notify.notify_one();
            return Detaching::Wait(told);
        }
        let job = take_job(lane, entry, &mut self.timers, &mut self.keys_at_rest);
        Detaching::Finish(Box::new(job))
    }

    /// The next lane with something to do, or whose time has come.
    pub(crate) fn next_job(&mut self, now: Timestamp) -> Option<Job> {
        while let Some((at, lane)) = self.timers.first().copied()
            && at <= now
        {
            self.timers.remove(&(at, lane));
            if let Some(entry) = self.entries.get_mut(&lane) {
                entry.wake_at = None;
                rouse(lane, entry, &mut self.ready);
            }
        }
        if self.stopping {
            return None;
        }
        while let Some(lane) = self.ready.pop_front() {
            if let Some(entry) = self.entries.get_mut(&lane)
                && matches!(entry.phase, Phase::Queued)
            {
                return Some(take_job(lane, entry, &mut self.timers, &mut self.keys_at_rest));
            }
        }
        None
    }

    /// When the next lane's time comes.
    pub(crate) fn next_timer(&self) -> Option<Timestamp> {
        if self.stopping { None } else { self.timers.first().map(|(at, _)| *at) }
    }

    /// What a worker has to know that has read as far as `seen`.
    pub(crate) fn take_orders(&mut self, lane: LaneAddress, seen: Seq) -> Orders {
        let stop = self.stopping;
        let orders = self.entries.get_mut(&lane).and_then(|entry| {
            entry.seen = seen;
            entry.orders.take()
        });
        let mut orders = orders.map(|orders| *orders).unwrap_or_default();
        orders.stop |= stop;
        orders
    }

    /// Whether a lane was told to be detached after its worker looked last, and who waits for the worker's end.
    pub(crate) fn take_parting(&mut self, lane: LaneAddress) -> (bool, Vec<oneshot::Sender<Noted>>) {
        let orders = self.entries.get_mut(&lane).and_then(|entry| entry.orders.as_mut());
        orders.map_or_else(Default::default, |orders| (orders.detach, std::mem::take(&mut orders.ended)))
    }

    /// A worker brings a lane back. `keep`: how many keys may rest in memory.
    pub(crate) fn bring_back(&mut self, lane: LaneAddress, rest: Rest, keep: usize, now: Timestamp) {
        let Some(entry) = self.entries.get_mut(&lane) else { return };
        entry.phase = Phase::Idle;
        entry.core = rest.core.filter(|core| {
            // What could not be noted exists only here.
            rest.noted == Noted::NotAll || self.keys_at_rest + core.keys_in_memory() <= keep
        });
        self.keys_at_rest += entry.core.as_ref().map_or(0, |core| core.keys_in_memory());
        if let Some(at) = rest.wake_at {
            entry.wake_at = Some(at);
            self.timers.insert((at, lane));
        }
        let ordered = entry
            .orders
            .as_ref()
            .is_some_and(|orders| orders.appended_to.is_some() || !orders.requests.is_empty());
        if ordered && rest.wake_at.is_none_or(|at| at <= now || rest.noted == Noted::Everything) {
            rouse(lane, entry, &mut self.ready);
        }
    }

    /// Removes a lane that has been detached.
    pub(crate) fn remove(&mut self, lane: LaneAddress) {
        if let Some(entry) = self.entries.remove(&lane) {
            if let Some(at) = entry.wake_at {
                self.timers.remove(&(at, lane));
            }
            self.keys_at_rest -= entry.core.as_ref().map_or(0, |core| core.keys_in_memory());
        }
    }

    /// Whether a lane is attached.
    pub(crate) fn contains(&self, lane: LaneAddress) -> bool {
        self.entries.contains_key(&lane)
    }

    /// Has all workers finish; no further ones begin.
    pub(crate) fn stop(&mut self) {
        self.stopping = true;
        for entry in self.entries.values() {
            if let Phase::Running(notify) = &entry.phase {
                notify.notify_one();
            }
        }
    }

    /// Lets workers begin (again). After a stop every lane is looked at: its worker was told to finish what was under
    /// way, and may have left the rest.
    pub(crate) fn start(&mut self) {
        if std::mem::replace(&mut self.stopping, false) {
            for (lane, entry) in &mut self.entries {
                rouse(*lane, entry, &mut self.ready);
            }
        }
    }
}

/// How a lane is to be detached.
pub(crate) enum Detaching {
    /// It is not attached.
    Unknown,
    /// A worker has been told.
    Wait(oneshot::Receiver<Noted>),
    /// The caller has it.
    Finish(Box<Job>),
}

/// Makes a lane ready, or tells its worker.
fn rouse(lane: LaneAddress, entry: &mut Entry, ready: &mut VecDeque<LaneAddress>) {
    match &entry.phase {
        Phase::Idle => {
            entry.phase = Phase::Queued;
            ready.push_back(lane);
        }
        Phase::Queued => {}
        Phase::Running(notify) => notify.notify_one(),
    }
}

fn take_job(
    lane: LaneAddress,
    entry: &mut Entry,
    timers: &mut BTreeSet<(Timestamp, LaneAddress)>,
    keys_at_rest: &mut usize,
) -> Job {
    if let Some(at) = entry.wake_at.take() {
        timers.remove(&(at, lane));
    }
    let notify = Arc::new(Notify::new());
    entry.seen = Seq::ZERO;
    entry.phase = Phase::Running(Arc::clone(&notify));
    let core = entry.core.take();
    *keys_at_rest -= core.as_ref().map_or(0, |core| core.keys_in_memory());
    Job { lane, spec: Arc::clone(&entry.spec), destination: Arc::clone(&entry.destination), core, notify }
}
