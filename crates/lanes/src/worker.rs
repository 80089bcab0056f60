//! Carries out what a lane's [`Core`] asks for, as long as there is something: reads, settles, delivers.
//!
//! A worker exists only while its lane has work. Deliveries that have to wait for something are tasks of their own, so
//! that they run on all cores; those that are done at once (a rule lets the event go, say) cost no task. A panic in one
//! of them is caught. Reading and settling happen one at a time each. Dropping a worker drops all of
//! it: what was under way is then as after a crash.

use std::{future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use futures_util::FutureExt;
use tandem_journal::{Health, LaneError, Lease, ReadError, Settlement, WriteError};
use tandem_model::{Blame, Seq, Timestamp, Verdict};
use tokio::task::JoinSet;
use tracing::{error, warn};

use crate::{
    Delivered, Destination, LaneAddress,
    core::{Core, Found, Landed, Launch, Read},
    reading::{find, load},
    registry::{Job, Noted, Orders, Rest},
    shared::{Permit, Shared},
};

type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Takes a lane back to the registry whatever happens to its worker.
struct Return<'a> {
    shared: &'a Shared,
    lane: LaneAddress,
    rest: Option<Rest>,
    orders: Orders,
    remove: bool,
}

impl Drop for Return<'_> {
    fn drop(&mut self) {
        let now = self.shared.clock.now();
        let rest = self.rest.take().unwrap_or_else(|| {
            let wake_at = Some(now.plus(self.shared.env.config.store_pause));
            Rest { core: None, wake_at, noted: Noted::NotAll }
        });
        let noted = rest.noted;
        let mut ended = std::mem::take(&mut self.orders.ended);
        {
            let mut registry = self.shared.registry();
            let (detached, mut more) = registry.take_parting(self.lane);
            ended.append(&mut more);
            if self.remove || detached {
                registry.remove(self.lane);
            } else {
                registry.bring_back(self.lane, rest, self.shared.env.config.held_in_memory, now);
            }
        }
        for tell in ended {
            // Whoever asked may have gone away.
            let _gone = tell.send(noted);
        }
        self.shared.wake.notify_one();
    }
}

/// Works until the lane is at rest. Returns whether its progress is noted.
pub(crate) async fn work(shared: Arc<Shared>, job: Job, mut permit: Option<Permit>) -> Noted {
    let lane = job.lane;
    let mut back = Return { shared: &shared, lane, rest: None, orders: Orders::default(), remove: false };
    let Some(lease) = shared.leases.lease(lane.bot) else {
        // Another replica owns the bot; its lanes are detached here before long. Whoever asks gets no answer here.
        let orders = shared.registry().take_orders(lane, Seq::ZERO);
        back.remove = orders.detach;
        back.orders.ended = orders.ended;
        back.rest = Some(Rest { core: None, wake_at: None, noted: Noted::NotAll });
        return Noted::NotAll;
    };
    let core = match job.core {
        Some(core) => Ok(Some(core)),
        None => load(&shared, lane, &job.spec).await.map(|core| core.map(Box::new)),
    };
    let core = match core {
        Ok(Some(core)) => core,
        Ok(None) => {
            warn!(lane = %lane, "lane {lane} does not exist any more: it is detached");
            back.remove = true;
            back.rest = Some(Rest { core: None, wake_at: None, noted: Noted::Everything });
            return Noted::Everything;
        }
        Err(error) => {
            warn!(lane = %lane, error = %Chain(&error), "lane {lane} could not be read; it waits");
            return Noted::NotAll;
        }
    };
    let mut worker = Worker {
        shared: &shared,
        lane,
        lease,
        destination: job.destination,
        core,
        deliveries: JoinSet::new(),
        landed: Vec::new(),
        reading: None,
        settling: None,
        trouble: None,
        ended: None,
    };
    let mut health = shared.store.health();
    let healthy = loop {
        let now = shared.clock.now();
        let mut orders = shared.registry().take_orders(lane, worker.core.seen());
        back.orders.ended.append(&mut orders.ended);
        if orders.detach {
            back.remove = true;
            worker.ground().await;
        }
        if orders.stop || orders.detach {
            worker.core.stop();
        }
        if let Some(last) = orders.appended_to {
            worker.core.on_appended(last, now);
        }
        for request in orders.requests {
            worker.core.ask(request, now);
        }
        let healthy = matches!(*health.borrow_and_update(), Health::Good | Health::LowDisk);
        worker.go(now, healthy);
        if worker.land() {
            permit = None;
            continue;
        }
        if worker.reading.is_none() || worker.core.in_flight() {
            // It has found work, or found nothing to do.
            permit = None;
        }
        if worker.is_over(now, healthy) {
            break healthy;
        }
        worker.wait(now, &job.notify, &mut health).await;
    };
    drop(permit);
    let rest = worker.rest(shared.clock.now(), healthy);
    let noted = rest.noted;
    back.rest = Some(rest);
    noted
}

struct Worker<'a> {
    shared: &'a Shared,
    lane: LaneAddress,
    lease: Lease,
    destination: Arc<dyn Destination>,
    core: Box<Core>,
    deliveries: JoinSet<Landed>,
    /// Deliveries that were done at once.
    landed: Vec<Landed>,
    reading: Option<Pending<Result<Found, ReadError>>>,
    settling: Option<Pending<Result<(), LaneError>>>,
    /// The store fails; nothing is asked of it before then.
    trouble: Option<Timestamp>,
    /// The lane cannot be worked for any more.
    ended: Option<Ended>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// It is not ours: what is in memory means nothing.
    NotOurs,
    /// It does not exist.
    Gone,
}

impl Worker<'_> {
    /// Starts whatever can be started.
    fn go(&mut self, now: Timestamp, healthy: bool) {
        if self.trouble.is_some_and(|until| until <= now) {
            self.trouble = None;
        }
        self.core.hold_back(self.trouble.is_some() || !healthy);
        if self.ended.is_none() {
            self.go_straight(now);
        }
        self.core.step(now);
        if self.trouble.is_none() && self.ended.is_none() {
            if self.settling.is_none() {
                let settlement = self.core.unsettled().or_else(|| self.core.next_settlement());
                self.settling = settlement.map(|settlement| self.settle(settlement));
            }
            if self.reading.is_none() {
                self.reading = self.core.next_read(now).map(|read| self.read(read));
            }
        }
        for launch in self.core.take_launches() {
            self.deliver(launch, now);
        }
    }

    /// Hands over what can be by itself, as long as it is done at once.
    fn go_straight(&mut self, now: Timestamp) {
        while let Some(straight) = self.core.next_straight(now) {
            let mut attempt = self.attempt(straight.launch(), now);
            match attempt.as_mut().now_or_never() {
                Some(Landed { outcome, .. }) if outcome.taken > 0 => {
                    self.core.went_straight(&straight, outcome.facts);
                }
                Some(landed) => {
                    self.core.keep(straight, now);
                    self.landed.push(landed);
                }
                None => {
                    self.core.keep(straight, now);
                    self.deliveries.spawn(attempt);
                }
            }
        }
    }

    /// Takes in what was delivered at once. Whether there was any.
    fn land(&mut self) -> bool {
        if self.landed.is_empty() {
            return false;
        }
        let now = self.shared.clock.now();
        for landed in self.landed.drain(..) {
            self.core.on_landed(landed, now);
        }
        true
    }

    /// Whether there is nothing to wait for.
    fn is_over(&self, now: Timestamp, healthy: bool) -> bool {
        if self.ended.is_some() {
            return true;
        }
        let idle = self.reading.is_none() && self.settling.is_none() && self.deliveries.is_empty();
        let stuck = self.trouble.is_some() || !healthy;
        idle && (stuck || (self.core.at_rest() && self.core.deadline().is_none_or(|at| at > now)))
    }

    /// Waits for the next thing that happens, and takes it in.
    async fn wait(
        &mut self,
        now: Timestamp,
        notify: &tokio::sync::Notify,
        health: &mut tokio::sync::watch::Receiver<Health>,
    ) {
        let deadline =
            [self.core.deadline(), self.trouble].into_iter().flatten().filter(|at| *at > now).min();
        let clock = &self.shared.clock;
        let time = async move {
            match deadline {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            settled = ready(&mut self.settling) => {
                self.settling = None;
                self.on_settled(settled);
            }
            found = ready(&mut self.reading) => {
                self.reading = None;
                self.on_read(found);
                // What is read from memory is there at once: others have their turn between two pages.
                tokio::task::yield_now().await;
            }
            Some(landed) = self.deliveries.join_next() => {
                self.on_landed(landed);
                // Whatever else has come back meanwhile is noted together with it.
                while let Some(landed) = self.deliveries.try_join_next() {
                    self.on_landed(landed);
                }
            }
            () = notify.notified() => {
                // Those whose commit was just answered go first: what they append next fills the next commit, and
                // what they have to say is heard at once.
                tokio::task::yield_now().await;
            }
            Ok(()) = health.changed() => {}
            () = time => {}
        }
    }

    fn on_landed(&mut self, landed: Result<Landed, tokio::task::JoinError>) {
        // Panics of destinations are caught inside; a cancelled run is taken back by `ground`.
        if let Ok(landed) = landed {
            self.core.on_landed(landed, self.shared.clock.now());
        }
    }

    fn on_read(&mut self, found: Result<Found, ReadError>) {
        let now = self.shared.clock.now();
        match found {
            Ok(found) => self.core.on_found(found, now),
            Err(error) => {
                let lane = self.lane;
                warn!(lane = %lane, error = %Chain(&error), "lane {lane} could not be read; it waits");
                self.core.on_read_failed(now);
                self.trouble = Some(now.plus(self.shared.env.config.store_pause));
            }
        }
    }

    fn on_settled(&mut self, settled: Result<(), LaneError>) {
        let now = self.shared.clock.now();
        let lane = self.lane;
        match settled {
            Ok(()) => self.core.on_settled(now),
            Err(LaneError::Missing { .. }) => self.ended = Some(Ended::Gone),
            Err(LaneError::Write(error @ WriteError::Fenced { .. })) => {
                warn!(lane = %lane, error = %Chain(&error), "lane {lane} belongs to another owner now");
                self.ended = Some(Ended::NotOurs);
            }
            Err(error) => {
                warn!(lane = %lane, error = %Chain(&error), "progress of lane {lane} could not be noted; it waits");
                self.trouble = Some(now.plus(self.shared.env.config.store_pause));
            }
        }
    }

    fn deliver(&mut self, launch: Launch, now: Timestamp) {
        let mut attempt = self.attempt(launch, now);
        match attempt.as_mut().now_or_never() {
            Some(landed) => self.landed.push(landed),
            None => {
                self.deliveries.spawn(attempt);
            }
        }
    }

    /// One try at the destination.
    fn attempt(&self, launch: Launch, began: Timestamp) -> Pending<Landed> {
        let destination = Arc::clone(&self.destination);
        Box::pin(async move {
            let Launch { slot, run } = launch;
            let attempt = AssertUnwindSafe(async { destination.deliver(&run).await });
            let outcome = attempt.catch_unwind().await.unwrap_or_else(|_panic| {
                let lane = run.lane;
                error!(lane = %lane, "the destination of lane {lane} panicked");
                Delivered::first(Verdict::Retry {
                    after: None,
                    blame: Blame::Unclear,
                    reason: "the destination failed in an unforeseen way".to_owned(),
                })
            });
            Landed { slot, outcome, began }
        })
    }

    fn settle(&self, settlement: Settlement) -> Pending<Result<(), LaneError>> {
        let (store, lease, lane) = (Arc::clone(&self.shared.store), self.lease, self.lane);
        Box::pin(async move { store.settle(lease, lane.bot, lane.lane, settlement).await })
    }

    fn read(&self, read: Read) -> Pending<Result<Found, ReadError>> {
        Box::pin(find(Arc::clone(&self.shared.store), self.lane, read))
    }

    /// Takes back what is at a destination that recognises repeats.
    async fn ground(&mut self) {
        if self.core.repeats_are_recognised() {
            self.deliveries.abort_all();
            while let Some(landed) = self.deliveries.join_next().await {
                self.on_landed(landed);
            }
            self.core.ground(self.shared.clock.now());
        }
    }

    /// What the registry keeps of the lane. One that was kept from its work by the store looks again by itself:
    /// nobody tells it when the store is well.
    fn rest(mut self, now: Timestamp, healthy: bool) -> Rest {
        match self.ended {
            Some(Ended::NotOurs | Ended::Gone) => {
                return Rest { core: None, wake_at: None, noted: Noted::NotAll };
            }
            None => {}
        }
        self.core.rest();
        let noted = if self.core.unnoted() { Noted::NotAll } else { Noted::Everything };
        let stuck = self.trouble.is_some() || !healthy || noted == Noted::NotAll || !self.core.at_rest();
        let wake_at = if stuck {
            Some(self.trouble.unwrap_or_else(|| now.plus(self.shared.env.config.store_pause)))
        } else {
            self.core.deadline()
        };
        Rest { core: Some(self.core), wake_at, noted }
    }
}

/// The result of a future that may not be there.
async fn ready<T>(pending: &mut Option<Pending<T>>) -> T {
    match pending {
        Some(pending) => pending.await,
        None => std::future::pending().await,
    }
}

/// An error with everything that led to it, for a log line.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}
