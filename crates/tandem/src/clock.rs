//! The system's clock, the one place where the time is asked for.
//!
//! The time that this gives never goes back and never stands still, whatever is done to the machine's clock: waits
//! for a retry, for a lease, for the end of a poll go by it, and must end. When the machine's clock is set back or
//! stands still, time goes on at half its speed until the machine's has caught up. One that is set forward is followed,
//! but by hours only once it has stayed there for a minute: there is no way back from a moment that was only a mistake,
//! and what lives for a day would be over.
//!
//! A clock that was a day ahead for longer, and is then put right, leaves this one ahead of it until a restart.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tandem_model::{Clock, Timestamp, Wait};

/// The longest stretch slept at once: a clock that is set forward meanwhile is noticed this late at most.
const STRETCH: Duration = Duration::from_mins(1);

/// By how much slower time goes while the machine's clock is behind.
const SLOWED: u32 = 2;

/// A step forward by more than this is doubted at first.
const DOUBTFUL: Duration = Duration::from_hours(1);

/// For so long.
const DOUBTED: Duration = Duration::from_mins(1);

/// The system's clock. Cheap to clone: clones show the same time.
#[derive(Clone, Default)]
pub struct SystemClock(Arc<Mutex<Option<Shown>>>);

/// The time that was shown last.
#[derive(Debug, Clone, Copy)]
struct Shown {
    time: Duration,
    /// When, by a clock that nobody sets.
    at: Instant,
    /// Since when the machine's clock is far ahead of it.
    doubted_since: Option<Instant>,
}

impl SystemClock {
    /// A clock that begins with the machine's time.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else takes")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 is a machine without a battery: the epoch is as good a time as any.
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Shown::after(*shown, machine, Instant::now());
        *shown = Some(now);
        Timestamp::EPOCH.plus(now.time)
    }

    fn sleep_until(&self, when: Timestamp) -> Wait {
        let clock = self.clone();
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

impl Shown {
    /// What to show at `at`, when the machine's clock shows `machine`.
    fn after(before: Option<Self>, machine: Duration, at: Instant) -> Self {
        let Some(before) = before else { return Self { time: machine, at, doubted_since: None } };
        let passed = at.saturating_duration_since(before.at);
        if machine > before.time + passed + DOUBTFUL {
            let since = before.doubted_since.unwrap_or(at);
            if at.saturating_duration_since(since) < DOUBTED {
                return Self { time: before.time + passed, at, doubted_since: Some(since) };
            }
        }
        Self { time: machine.max(before.time + passed / SLOWED), at, doubted_since: None }
    }
}

impl fmt::Debug for SystemClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemClock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows what the machine's clock said at each of these moments (all in seconds) as this clock would.
    fn shown(readings: &[(u64, u64)]) -> Vec<u64> {
        let begin = Instant::now();
        let mut last = None;
        let show = |&(at, machine): &(u64, u64)| {
            let now = Shown::after(last, Duration::from_secs(machine), begin + Duration::from_secs(at));
            last = Some(now);
            now.time.as_secs()
        };
        readings.iter().map(show).collect()
    }

    #[test]
    fn a_clock_that_is_right_or_set_forward_is_followed() {
        assert_eq!(shown(&[(0, 1000), (1, 1001), (2, 4000), (3, 4001)]), [1000, 1001, 4000, 4001]);
    }

    #[test]
    fn a_clock_that_is_set_forward_by_hours_is_followed_once_it_has_stayed_there() {
        let stayed = [(0, 1000), (1, 90_000), (30, 90_029), (61, 90_060), (62, 90_061)];
        assert_eq!(shown(&stayed), [1000, 1001, 1030, 90_060, 90_061]);
        let mistaken = [(0, 1000), (1, 90_000), (30, 90_029), (40, 1040), (110, 90_109)];
        assert_eq!(shown(&mistaken), [1000, 1001, 1030, 1040, 1110]);
    }

    #[test]
    fn a_clock_that_is_set_back_is_waited_for_at_half_speed() {
        let readings = [(0, 1000), (10, 900), (20, 910), (110, 1000), (220, 1110)];
        assert_eq!(shown(&readings), [1000, 1005, 1010, 1055, 1110]);
    }

    #[test]
    fn a_clock_that_stands_still_does_not_stop_the_time() {
        assert_eq!(shown(&[(0, 1000), (60, 1000), (120, 1000)]), [1000, 1030, 1060]);
        // However often it is asked.
        let begin = Instant::now();
        let mut last = None;
        for step in 0..100_000 {
            last = Some(Shown::after(last, Duration::from_secs(1), begin + Duration::from_micros(step * 10)));
        }
        assert!(last.is_some_and(|shown| shown.time > Duration::from_millis(1499)));
    }
}
