//! A clock that stands still until it is told to move, and knows who waits for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tandem_model::{Clock, Timestamp, Wait};
use tokio::sync::Notify;

/// Time for tests. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    millis: AtomicI64,
    sleeping: AtomicUsize,
    moved: Notify,
}

impl Default for ManualClock {
    fn default() -> Self {
        let millis = AtomicI64::new(1_800_000_000_000);
        Self(Arc::new(Inner { millis, sleeping: AtomicUsize::new(0), moved: Notify::new() }))
    }
}

impl ManualClock {
    /// A clock that shows some time in 2027.
    pub fn new() -> Self {
        Self::default()
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.millis.load(Ordering::SeqCst))
    }

    /// Time passes.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }

    /// Clocks of computers are sometimes put back.
    pub fn put_back(&self, by: Duration) {
        self.set(self.now().minus(by));
    }

    fn set(&self, to: Timestamp) {
        self.0.millis.store(to.as_millis(), Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }

    /// How many wait for a time that has not come.
    pub fn sleeping(&self) -> usize {
        self.0.sleeping.load(Ordering::SeqCst)
    }
}

/// One who waits; no longer when dropped.
struct Sleeper(Arc<Inner>);

impl Sleeper {
    fn new(clock: &Arc<Inner>) -> Self {
        clock.sleeping.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(clock))
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.0.sleeping.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.now()
    }

    fn sleep_until(&self, when: Timestamp) -> Wait {
        let clock = self.clone();
        Box::pin(async move {
            loop {
                let moved = clock.0.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if clock.now() >= when {
                    return;
                }
                let _sleeper = Sleeper::new(&clock.0);
                moved.await;
            }
        })
    }
}
