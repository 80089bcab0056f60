//! The pace of all guard checks together (DESIGN section 7): under 20 calls a second, whatever the number of bots.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tandem_model::{Clock, Timestamp};

/// Between two calls in the long run.
const APART: Duration = Duration::from_millis(72);
/// So many may be made at once after a pause: with those that follow, 19 at most within any second.
const AT_ONCE: u32 = 5;
/// A turn that is farther away than any queue can be: the clock was set back.
const ABSURD: Duration = Duration::from_hours(1);

/// Gives every call its turn (a leaky bucket: only the time of the next even turn is kept).
#[derive(Debug)]
pub(crate) struct Pace {
    clock: Arc<dyn Clock>,
    next: Mutex<Timestamp>,
}

impl Pace {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, next: Mutex::new(Timestamp::EPOCH) }
    }

    /// Waits for one's turn. Dropping the future gives it up: nobody else gets it.
    pub(crate) async fn turn(&self) {
        let at = {
            let now = self.clock.now();
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let even = if next.since(now) > ABSURD { now } else { (*next).max(now) };
            *next = even.plus(APART);
            even.minus(APART * (AT_ONCE - 1))
        };
        self.clock.sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use tandem_model::Wait;

    use super::*;

    /// A clock that is moved by whoever waits.
    #[derive(Debug, Default)]
    struct Jumping(AtomicI64);

    impl Clock for Jumping {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::Relaxed))
        }

        fn sleep_until(&self, when: Timestamp) -> Wait {
            self.0.fetch_max(when.as_millis(), Ordering::Relaxed);
            Box::pin(std::future::ready(()))
        }
    }

    #[tokio::test]
    async fn no_second_has_twenty_calls_and_a_pause_is_not_saved_up() {
        let clock = Arc::new(Jumping(AtomicI64::new(1_800_000_000_000)));
        let pace = Pace::new(clock.clone());
        let mut turns = Vec::new();
        for turn in 0..2000 {
            if turn % 500 == 0 {
                clock.0.fetch_add(3_600_000, Ordering::Relaxed);
            }
            pace.turn().await;
            turns.push(clock.now().as_millis());
        }
        let most = (0..turns.len())
            .map(|first| turns[first..].iter().take_while(|turn| **turn < turns[first] + 1000).count());
        assert!(most.max().unwrap() < 20);
        let slowest = turns[499] - turns[0];
        assert!(slowest < 500 * 73, "500 calls take {slowest} ms");
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_holds_nobody_up_for_long() {
        let clock = Arc::new(Jumping(AtomicI64::new(1_800_000_000_000)));
        let pace = Pace::new(clock.clone());
        pace.turn().await;
        clock.0.store(1_700_000_000_000, Ordering::Relaxed);
        pace.turn().await;
        assert!(clock.now().as_millis() < 1_700_000_001_000);
    }
}
