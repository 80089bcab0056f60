//! The system's clock, the one place where the time is asked for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tandem_model::{Clock, Timestamp, Wait};

/// The longest stretch slept at once: a clock that is set forward meanwhile is noticed this late at most.
const STRETCH: Duration = Duration::from_mins(1);

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else takes")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 is a machine without a battery: the epoch is as good a time as any.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::EPOCH.plus(since)
    }

    fn sleep_until(&self, when: Timestamp) -> Wait {
        let clock = *self;
        Box::pin(async move {
            loop {
                let left = when.since(clock.now());
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(STRETCH)).await;
            }
        })
    }
}
