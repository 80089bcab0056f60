//! The sandbox's time: the system's, or one that stands still until a test or the control API moves it.
//!
//! Every wait that a peer can observe (long polls, retry ladders, lifetimes, held answers) is a wait on this
//! clock, so a test with a manual clock never sleeps: it waits until the sandbox is waiting
//! ([`Clock::sleeping_until`]) and moves the time there. Time only moves forward: a manual time in the past leaves
//! the clock where it is, and a clock that was moved ahead and is let go runs on from there.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::{Notify, oneshot};

/// Who moves the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockMode {
    /// The operating system: the clock runs.
    System,
    /// [`Clock::set`] and [`Clock::advance`] only.
    Manual,
}

/// A shared clock in milliseconds since 1970. Clones show the same time.
#[derive(Clone)]
pub struct Clock(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    /// Told whenever somebody begins or ends to sleep.
    changed: Notify,
}

struct State {
    /// Some = manual, standing at this time.
    manual_ms: Option<i64>,
    /// How far a running clock is ahead of the system's, because it was moved before.
    ahead_ms: i64,
    next_id: u64,
    sleepers: BTreeMap<(i64, u64), oneshot::Sender<()>>,
}

impl State {
    fn now_ms(&self) -> i64 {
        self.manual_ms.unwrap_or_else(|| system_ms().saturating_add(self.ahead_ms))
    }
}

impl Clock {
    /// The operating system's time.
    pub fn system() -> Self {
        Self::with(None)
    }

    /// Standing at `now_ms` until moved.
    pub fn manual(now_ms: i64) -> Self {
        Self::with(Some(now_ms))
    }

    fn with(manual_ms: Option<i64>) -> Self {
        let state = State { manual_ms, ahead_ms: 0, next_id: 0, sleepers: BTreeMap::new() };
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Notify::new() }))
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.lock().now_ms()
    }

    /// Whole seconds since 1970, as Telegram's `date` fields have it.
    pub fn now_secs(&self) -> i64 {
        self.now_ms().div_euclid(1000)
    }

    /// Who moves the time now.
    pub fn mode(&self) -> ClockMode {
        if self.lock().manual_ms.is_some() { ClockMode::Manual } else { ClockMode::System }
    }

    /// Lets the clock run, or stops it where it is. One that stood still catches up with the system's time.
    pub fn set_mode(&self, mode: ClockMode) {
        let mut state = self.lock();
        match mode {
            ClockMode::System => {
                if let Some(manual_ms) = state.manual_ms.take() {
                    state.ahead_ms = manual_ms.saturating_sub(system_ms()).max(0);
                }
            }
            ClockMode::Manual => state.manual_ms = Some(state.now_ms()),
        }
        // Everybody looks again: a sleep that waited for the system must now wait for us, or the reverse.
        for (_, waker) in std::mem::take(&mut state.sleepers) {
            waker.send(()).ok();
        }
    }

    /// Moves a clock to `now_ms` (and makes it manual). Never backwards.
    pub fn set(&self, now_ms: i64) {
        let mut state = self.lock();
        let now_ms = now_ms.max(state.now_ms());
        state.manual_ms = Some(now_ms);
        let later = state.sleepers.split_off(&(now_ms.saturating_add(1), 0));
        for (_, waker) in std::mem::replace(&mut state.sleepers, later) {
            waker.send(()).ok();
        }
    }

    /// Moves the clock forward (and makes it manual).
    pub fn advance(&self, by: Duration) {
        self.set(self.now_ms().saturating_add(millis(by)));
    }

    /// Ready once the clock shows `when_ms` or later. Dropping the future costs nothing.
    pub async fn sleep_until(&self, when_ms: i64) {
        loop {
            let (id, woken, system_wait) = {
                let mut state = self.lock();
                let now = state.now_ms();
                if now >= when_ms {
                    return;
                }
                let system_wait =
                    state.manual_ms.is_none().then(|| Duration::from_millis(when_ms.abs_diff(now)));
                let id = state.next_id;
                state.next_id += 1;
                let (waker, woken) = oneshot::channel();
                state.sleepers.insert((when_ms, id), waker);
                (id, woken, system_wait)
            };
            let _forget = Forget { clock: self, key: (when_ms, id) };
            self.0.changed.notify_waiters();
            match system_wait {
                // A wake-up of either kind means: look at the time again.
                Some(wait) => tokio::select! { _ = woken => {}, () = tokio::time::sleep(wait) => {} },
                None => drop(woken.await),
            }
        }
    }

    /// Sleeps for `duration` of this clock.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now_ms().saturating_add(millis(duration))).await;
    }

    /// The times somebody is waiting for, earliest first. For tests that drive a manual clock.
    pub fn sleeping_until(&self) -> Vec<i64> {
        self.lock().sleepers.keys().map(|(when, _)| *when).collect()
    }

    /// Waits until `done` accepts the times somebody is sleeping until. For tests: "the poll is waiting now,
    /// so the clock may move".
    pub async fn until_sleeping(&self, done: impl Fn(&[i64]) -> bool) {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if done(&self.sleeping_until()) {
                return;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a sleeper off the list when its future ends or is dropped.
struct Forget<'a> {
    clock: &'a Clock,
    key: (i64, u64),
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.clock.lock().sleepers.remove(&self.key);
        self.clock.0.changed.notify_waiters();
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({:?}, {} ms)", self.mode(), self.now_ms())
    }
}

/// A duration in whole milliseconds of the clock.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "the one place where the sandbox reads the system's clock")]
fn system_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_exactly_who_is_due() {
        let clock = Clock::manual(1_000);
        let (early, late) = (clock.clone(), clock.clone());
        let early = tokio::spawn(async move { early.sleep_until(2_000).await });
        let late = tokio::spawn(async move { late.sleep_until(3_000).await });
        clock.until_sleeping(|times| times == [2_000, 3_000]).await;
        clock.advance(Duration::from_secs(1));
        early.await.unwrap();
        assert_eq!(clock.sleeping_until(), [3_000]);
        clock.set(500);
        assert_eq!(clock.now_ms(), 2_000, "time does not go backwards");
        clock.set(3_000);
        late.await.unwrap();
    }

    #[tokio::test]
    async fn sleepers_follow_a_change_of_mode() {
        let clock = Clock::manual(0);
        let sleeper = clock.clone();
        let sleeper = tokio::spawn(async move { sleeper.sleep_until(10).await });
        clock.until_sleeping(|times| times == [10]).await;
        clock.set_mode(ClockMode::System);
        sleeper.await.unwrap();
        assert_eq!(clock.sleeping_until(), [0; 0]);
    }

    #[tokio::test]
    async fn a_clock_that_is_let_go_runs_on_and_never_goes_back() {
        let clock = Clock::system();
        let begin_ms = clock.now_ms();
        clock.advance(Duration::from_hours(24));
        let moved_ms = clock.now_ms();
        assert!(moved_ms >= begin_ms + 24 * 3_600_000);
        clock.set_mode(ClockMode::System);
        assert_eq!(clock.mode(), ClockMode::System);
        assert!((moved_ms..moved_ms + 60_000).contains(&clock.now_ms()));
        clock.sleep(Duration::from_millis(1)).await;
        assert!(clock.now_ms() > moved_ms, "it runs");
        clock.set(begin_ms);
        assert!(clock.now_ms() > moved_ms, "also when it is set while it runs");
    }
}
