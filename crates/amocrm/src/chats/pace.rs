//! How fast the chat service is spoken to.
//!
//! It publishes no limit, so its answers decide, as in TCP: each success lets a little more through at one time, each
//! sign of too much (429, 5xx, no answer) halves it, once for all requests that were under way, and lets nobody begin
//! for a moment that doubles while it goes on. A wait that it asks for itself is obeyed.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tandem_model::{Clock, Rng, Timestamp};
use tokio::sync::Notify;

/// How many may be under way at first.
const START: f64 = 16.0;
/// The first rest after a sign of too much, and the longest.
const SHORTEST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(2);

/// The pace of one channel.
#[derive(Debug)]
pub(crate) struct Pace {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    most: f64,
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    /// How many may be under way.
    width: f64,
    under_way: u32,
    /// Counts the times it was too much, so that requests of one moment count once.
    cuts: u64,
    rest: Duration,
    /// Nobody begins between these two.
    resting: (Timestamp, Timestamp),
}

/// Leave to send one request.
#[derive(Debug)]
pub(crate) struct Leave<'a> {
    pace: &'a Pace,
    cuts: u64,
}

/// How a request went, for the pace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Went {
    Well,
    /// Refused or never sent: it says nothing about the pace.
    Aside,
    TooMuch {
        wish: Option<Duration>,
    },
}

impl Pace {
    pub(crate) fn new(most: u32, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        let most = f64::from(most.max(1));
        let state = State {
            width: START.min(most),
            under_way: 0,
            cuts: 0,
            rest: Duration::ZERO,
            resting: (Timestamp::EPOCH, Timestamp::EPOCH),
        };
        Self { clock, rng, most, state: Mutex::new(state), freed: Notify::new() }
    }

    /// Waits for leave to send; refused with the time that is left when the service wants to be left alone for longer
    /// than a moment.
    pub(crate) async fn enter(&self) -> Result<Leave<'_>, Duration> {
        loop {
            let freed = self.freed.notified();
            let mut freed = std::pin::pin!(freed);
            // Registered before looking, so that no leave that is given back meanwhile goes unseen.
            freed.as_mut().enable();
            match self.look() {
                Look::Enter(cuts) => return Ok(Leave { pace: self, cuts }),
                Look::Full => freed.await,
                Look::Rest(until, left) if left <= LONGEST_REST => self.clock.sleep_until(until).await,
                Look::Rest(_, left) => return Err(left),
            }
        }
    }

    fn look(&self) -> Look {
        let mut state = self.lock();
        let (now, (from, until)) = (self.clock.now(), state.resting);
        // A clock that was put back must not make the rest longer.
        if (from..until).contains(&now) {
            return Look::Rest(until, until.since(now));
        }
        if f64::from(state.under_way) >= state.width {
            return Look::Full;
        }
        state.under_way += 1;
        Look::Enter(state.cuts)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Look {
    Enter(u64),
    Full,
    Rest(Timestamp, Duration),
}

impl Leave<'_> {
    /// Says how it went. Dropped without, it says nothing.
    pub(crate) fn went(self, went: Went) {
        let pace = self.pace;
        let mut state = pace.lock();
        match went {
            Went::Well => {
                state.width = (state.width + 1.0 / state.width).min(pace.most);
                state.rest = Duration::ZERO;
            }
            Went::Aside => {}
            Went::TooMuch { wish } => {
                if state.cuts == self.cuts {
                    state.cuts += 1;
                    state.width = (state.width / 2.0).max(1.0);
                    state.rest = (state.rest * 2).clamp(SHORTEST_REST, LONGEST_REST);
                }
                let jitter = pace.rng.below(u64::try_from(state.rest.as_millis()).unwrap_or(0) / 4 + 1);
                let rest = wish.unwrap_or(state.rest.saturating_sub(Duration::from_millis(jitter)));
                let now = pace.clock.now();
                state.resting = (now, state.resting.1.max(now.plus(rest)));
            }
        }
    }
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.lock();
        state.under_way = state.under_way.saturating_sub(1);
        let width_left = state.width - f64::from(state.under_way);
        drop(state);
        // The width may have grown by a whole one beside what was given back.
        self.pace.freed.notify_one();
        if width_left >= 2.0 {
            self.pace.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_model::SeededRng;
    use tandem_testkit::ManualClock;

    use super::*;

    fn pace(clock: &ManualClock, most: u32) -> Pace {
        Pace::new(most, Arc::new(clock.clone()), Arc::new(SeededRng::from_seed(1)))
    }

    fn width(pace: &Pace) -> f64 {
        pace.lock().width
    }

    #[tokio::test]
    async fn each_success_lets_more_through_and_a_sign_of_too_much_halves_it_once() {
        let clock = ManualClock::new();
        let pace = pace(&clock, 20);
        for _ in 0..200 {
            pace.enter().await.unwrap().went(Went::Well);
        }
        assert!((width(&pace) - 20.0).abs() < f64::EPSILON, "no more than allowed");
        let (first, second) = (pace.enter().await.unwrap(), pace.enter().await.unwrap());
        first.went(Went::TooMuch { wish: None });
        second.went(Went::TooMuch { wish: None });
        assert!((width(&pace) - 10.0).abs() < f64::EPSILON, "both were under way when it was too much");
        for _ in 0..10 {
            clock.advance(LONGEST_REST);
            pace.enter().await.unwrap().went(Went::TooMuch { wish: None });
        }
        assert!((width(&pace) - 1.0).abs() < f64::EPSILON, "one is always let through");
        assert_eq!(pace.lock().rest, LONGEST_REST);
        clock.advance(LONGEST_REST);
        pace.enter().await.unwrap().went(Went::Aside);
        assert!((width(&pace) - 1.0).abs() < f64::EPSILON);
        pace.enter().await.unwrap().went(Went::Well);
        assert_eq!((width(&pace) > 1.9, pace.lock().rest), (true, Duration::ZERO));
    }

    #[tokio::test]
    async fn nobody_begins_during_a_rest_and_a_long_one_is_said_at_once() {
        let clock = ManualClock::new();
        let pace = Arc::new(pace(&clock, 64));
        pace.enter().await.unwrap().went(Went::TooMuch { wish: None });
        let waiting = tokio::spawn({
            let pace = Arc::clone(&pace);
            async move { pace.enter().await.map(|leave| leave.went(Went::Well)) }
        });
        while clock.sleeping() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!waiting.is_finished());
        clock.advance(SHORTEST_REST);
        waiting.await.unwrap().unwrap();
        let wish = Duration::from_mins(5);
        pace.enter().await.unwrap().went(Went::TooMuch { wish: Some(wish) });
        clock.advance(Duration::from_secs(100));
        assert_eq!(pace.enter().await.unwrap_err(), Duration::from_secs(200));
        clock.put_back(Duration::from_hours(1));
        pace.enter().await.unwrap().went(Went::Well);
    }

    #[tokio::test]
    async fn those_who_wait_follow_those_who_are_done() {
        let clock = ManualClock::new();
        let pace = Arc::new(pace(&clock, 1));
        let first = pace.enter().await.unwrap();
        let waiting = tokio::spawn({
            let pace = Arc::clone(&pace);
            async move { drop(pace.enter().await.unwrap()) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap();
        assert_eq!(pace.lock().under_way, 0);
    }
}
