//! A clock that stands still until it is told to move.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tandem_model::{Clock, Timestamp, Wait};
use tokio::sync::Notify;

/// Time for tests.
#[derive(Debug)]
pub(crate) struct ManualClock {
    millis: AtomicI64,
    moved: Arc<Notify>,
}

impl ManualClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { millis: AtomicI64::new(1_800_000_000_000), moved: Arc::default() })
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }

    /// Clocks of computers are sometimes put back.
    pub(crate) fn put_back(&self, by: Duration) {
        self.set(self.now().minus(by));
    }

    fn set(&self, to: Timestamp) {
        self.millis.store(to.as_millis(), Ordering::SeqCst);
        self.moved.notify_waiters();
    }
}

/// A clock behind an `Arc`, so that what sleeps can keep it.
#[derive(Debug, Clone)]
pub(crate) struct SharedClock(pub(crate) Arc<ManualClock>);

impl Clock for SharedClock {
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
                moved.await;
            }
        })
    }
}

impl ManualClock {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }
}
