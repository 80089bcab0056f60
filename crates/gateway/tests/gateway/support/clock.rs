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
pub(crate) struct ManualClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    millis: AtomicI64,
    sleeping: AtomicUsize,
    moved: Notify,
}

impl ManualClock {
    pub(crate) fn new() -> Self {
        let millis = AtomicI64::new(1_800_000_000_000);
        Self(Arc::new(Inner { millis, sleeping: AtomicUsize::new(0), moved: Notify::new() }))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.millis.store(self.now().plus(by).as_millis(), Ordering::SeqCst);
        self.0.moved.notify_waiters();
    }

    /// How many wait for a time that has not come.
    pub(crate) fn sleeping(&self) -> usize {
        self.0.sleeping.load(Ordering::SeqCst)
    }
}

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
        Timestamp::from_millis(self.0.millis.load(Ordering::SeqCst))
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
