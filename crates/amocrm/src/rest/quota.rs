//! How often the account's API is asked (4.1): so many requests in any second for an integration, so many for an
//! account, a part of them kept for what a waiting person depends on. A wish for a rest is obeyed; after a ban nothing is
//! asked but one request in five minutes, to see whether it is lifted.
//!
//! Nothing runs by itself: the request that comes when a rest is over is the one that looks.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tandem_model::{Blame, Clock, Timestamp};
use tandem_vendor::{Failure, FailureKind};

use crate::response::BAN_PROBE;

/// The time in which requests are counted.
const SECOND: Duration = Duration::from_secs(1);
/// A rest up to this long is waited for.
const SHORT_REST: Duration = Duration::from_secs(2);

/// For what a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// A person waits for it.
    Reply,
    /// It can wait.
    Background,
}

/// Requests in any one second.
#[derive(Debug)]
pub(crate) struct Window {
    clock: Arc<dyn Clock>,
    most: usize,
    reserve: usize,
    granted: Mutex<VecDeque<Timestamp>>,
}

/// The requests of one integration.
#[derive(Debug)]
pub(crate) struct Quota {
    clock: Arc<dyn Clock>,
    integration: Arc<Window>,
    account: Arc<Window>,
    rest: Mutex<Option<Rest>>,
}

/// Nobody asks for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rest {
    from: Timestamp,
    until: Timestamp,
    words: String,
    looking: bool,
}

/// Leave for one request.
#[derive(Debug)]
pub(crate) struct Grant<'a> {
    quota: &'a Quota,
    looks: bool,
}

/// How a request went, for the quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Went {
    /// The API is open.
    Open,
    /// It cannot be said.
    Unseen,
    /// It wants a rest.
    Rest { wish: Duration, words: String },
}

impl Window {
    pub(crate) fn new(most: u32, reserve: u32, clock: Arc<dyn Clock>) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
        let reserve = usize::try_from(reserve).unwrap_or(0).min(most - 1);
        Self { clock, most, reserve, granted: Mutex::default() }
    }

    /// Waits for its turn.
    async fn enter(&self, priority: Priority) {
        while let Some(free) = self.look(priority) {
            self.clock.sleep_until(free).await;
        }
    }

    /// `None` when it is granted, else when to look again.
    fn look(&self, priority: Priority) -> Option<Timestamp> {
        let now = self.clock.now();
        let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        // What lies in the future was granted before the clock was put back.
        granted.retain(|&at| at <= now && now.since(at) < SECOND);
        let most = match priority {
            Priority::Reply => self.most,
            Priority::Background => self.most - self.reserve,
        };
        if granted.len() < most {
            granted.push_back(now);
            return None;
        }
        granted.get(granted.len() - most).map(|first| first.plus(SECOND))
    }
}

impl Quota {
    pub(crate) fn new(integration: Arc<Window>, account: Arc<Window>, clock: Arc<dyn Clock>) -> Self {
        Self { clock, integration, account, rest: Mutex::default() }
    }

    /// Waits for leave to ask; refused at once during a rest that is longer than a moment.
    pub(crate) async fn enter(&self, priority: Priority) -> Result<Grant<'_>, Failure> {
        let grant = loop {
            match self.look() {
                Look::Open { looks } => break Grant { quota: self, looks },
                Look::Rest(rest, left) if left <= SHORT_REST => self.clock.sleep_until(rest.until).await,
                Look::Rest(rest, left) => {
                    let kind = FailureKind::Later { after: Some(left), blame: Blame::Destination };
                    return Err(Failure::new(kind, rest.words));
                }
            }
        };
        self.account.enter(priority).await;
        self.integration.enter(priority).await;
        Ok(grant)
    }

    /// Why nothing is asked now; for people, and for those who do not come while it is so. A rest that is over is none:
    /// whoever comes next looks whether the API is open, and somebody must come.
    pub(crate) fn resting(&self) -> Option<String> {
        let now = self.clock.now();
        let rest = self.lock();
        let lasts = |rest: &&Rest| rest.looking || (rest.from..rest.until).contains(&now);
        rest.as_ref().filter(lasts).map(|rest| rest.words.clone())
    }

    fn look(&self) -> Look {
        let now = self.clock.now();
        let mut rest = self.lock();
        let Some(rest) = rest.as_mut() else { return Look::Open { looks: false } };
        // A clock that was put back must not make the rest longer.
        if (rest.from..rest.until).contains(&now) {
            return Look::Rest(rest.clone(), rest.until.since(now));
        }
        if rest.looking {
            return Look::Rest(rest.clone(), BAN_PROBE);
        }
        rest.looking = true;
        Look::Open { looks: true }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Rest>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Look {
    Open { looks: bool },
    Rest(Rest, Duration),
}

impl Grant<'_> {
    /// Says how it went. Dropped without, it could not be seen.
    pub(crate) fn went(self, went: Went) {
        let now = self.quota.clock.now();
        let mut rest = self.quota.lock();
        match went {
            Went::Open if self.looks => *rest = None,
            Went::Open | Went::Unseen => {}
            Went::Rest { wish, words } => {
                let until = now.plus(wish);
                *rest = Some(Rest { from: now, until, words, looking: false });
            }
        }
    }
}

impl Drop for Grant<'_> {
    fn drop(&mut self) {
        if !self.looks {
            return;
        }
        let now = self.quota.clock.now();
        if let Some(rest) = self.quota.lock().as_mut()
            && rest.looking
        {
            // Nobody has seen whether it is over.
            *rest = Rest { from: now, until: now.plus(BAN_PROBE), looking: false, words: rest.words.clone() };
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_testkit::ManualClock;

    use super::*;

    fn quota(clock: &ManualClock, most: u32, reserve: u32, account: u32) -> Arc<Quota> {
        let clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let window = |most, reserve| Arc::new(Window::new(most, reserve, Arc::clone(&clock)));
        Arc::new(Quota::new(window(most, reserve), window(account, 0), clock))
    }

    fn left(result: &Result<Grant<'_>, Failure>) -> Option<u64> {
        match result {
            Ok(_) => None,
            Err(Failure { kind: FailureKind::Later { after, .. }, .. }) => after.map(|after| after.as_secs()),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn no_second_has_more_requests_than_allowed_and_replies_have_some_of_their_own() {
        let clock = ManualClock::new();
        let quota = quota(&clock, 7, 2, 50);
        let window = &quota.integration;
        for priority in [Priority::Background; 5].into_iter().chain([Priority::Reply; 2]) {
            assert_eq!(window.look(priority), None);
            clock.advance(Duration::from_millis(100));
        }
        // The first was 700 ms ago.
        let now = clock.now();
        assert_eq!(window.look(Priority::Reply), Some(now.plus(Duration::from_millis(300))));
        assert_eq!(window.look(Priority::Background), Some(now.plus(Duration::from_millis(500))));
        clock.advance(Duration::from_millis(300));
        assert_eq!(window.look(Priority::Background), Some(now.plus(Duration::from_millis(500))));
        assert_eq!(window.look(Priority::Reply), None);
        clock.put_back(Duration::from_hours(1));
        assert_eq!(window.look(Priority::Background), None, "a clock put back locks nobody out");
    }

    #[tokio::test]
    async fn integrations_of_one_account_share_its_limit() {
        let clock = ManualClock::new();
        let quota = quota(&clock, 7, 2, 1);
        quota.enter(Priority::Reply).await.unwrap().went(Went::Open);
        let waiting = tokio::spawn({
            let quota = Arc::clone(&quota);
            async move { quota.enter(Priority::Reply).await.map(|grant| grant.went(Went::Open)) }
        });
        while clock.sleeping() == 0 {
            tokio::task::yield_now().await;
        }
        assert!(!waiting.is_finished());
        clock.advance(SECOND);
        waiting.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn after_a_ban_one_request_in_five_minutes_looks_whether_it_is_lifted() {
        let clock = ManualClock::new();
        let quota = quota(&clock, 7, 2, 50);
        let ban = Went::Rest { wish: BAN_PROBE, words: "closed".to_owned() };
        quota.enter(Priority::Reply).await.unwrap().went(ban.clone());
        assert_eq!(left(&quota.enter(Priority::Reply).await), Some(300));
        assert_eq!(quota.resting().as_deref(), Some("closed"));
        clock.advance(BAN_PROBE);
        assert_eq!(quota.resting(), None, "it is over: somebody must come and look");
        let look = quota.enter(Priority::Background).await.unwrap();
        assert_eq!(left(&quota.enter(Priority::Reply).await), Some(300), "one is enough");
        look.went(ban);
        clock.advance(BAN_PROBE);
        drop(quota.enter(Priority::Reply).await.unwrap());
        assert_eq!(left(&quota.enter(Priority::Reply).await), Some(300), "it saw nothing");
        clock.advance(BAN_PROBE);
        quota.enter(Priority::Reply).await.unwrap().went(Went::Open);
        assert_eq!(quota.resting(), None);
        quota
            .enter(Priority::Reply)
            .await
            .unwrap()
            .went(Went::Rest { wish: Duration::from_secs(10), words: "slower".to_owned() });
        assert_eq!(left(&quota.enter(Priority::Reply).await), Some(10));
        clock.put_back(Duration::from_hours(1));
        quota.enter(Priority::Reply).await.unwrap().went(Went::Open);
    }
}
