//! What is remembered of an account's people between two requests, by all connections to it: so that one person in two
//! bots stays one contact, and that nothing is made twice while the account's search does not show it yet.
//!
//! **Protects:** one request at a time for each Telegram user ([`People::turn`]); a contact that was found or made is
//! known at once ([`People::know`]), whatever search says; after an attempt to make one whose end nobody saw, and for a
//! while after a start (an attempt may have been cut off before it), the newest contacts are looked at before another is
//! made ([`People::is_doubtful`]).
//!
//! **Does not protect** against two processes that serve bots of one account at once, nor against an attempt whose contact
//! is older than the newest that are looked at and still not to be found by search.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tandem_model::{Clock, Timestamp};
use tokio::sync::OwnedMutexGuard;

/// How many users are known at once, at most: those of the last hours, who may turn up in another bot.
const KNOWN: usize = 16_384;
/// How many people with several contacts are told of.
const DOUBLES: usize = 256;
/// How long a client waits for somebody to say who he is, while that fails for reasons that pass.
const PATIENCE: Duration = Duration::from_secs(30);

/// The people of an account.
#[derive(Debug)]
pub(crate) struct People {
    clock: Arc<dyn Clock>,
    since: Timestamp,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    turns: HashMap<i64, Weak<tokio::sync::Mutex<()>>>,
    known: HashMap<i64, u64>,
    known_before: HashMap<i64, u64>,
    doubts: HashMap<i64, Timestamp>,
    failing: HashMap<i64, Timestamp>,
    doubles: BTreeMap<u64, Double>,
}

/// Several contacts that may be one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Double {
    /// To which the chat went.
    pub(crate) chosen: u64,
    /// All of them.
    pub(crate) contacts: BTreeSet<u64>,
}

impl People {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { since: clock.now(), clock, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until nobody else asks about this user.
    pub(crate) async fn turn(&self, user: i64) -> OwnedMutexGuard<()> {
        let turn = {
            let mut inner = self.lock();
            if inner.turns.len() > KNOWN {
                inner.turns.retain(|_, turn| turn.strong_count() > 0);
            }
            let known = inner.turns.get(&user).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let turn = Arc::default();
                inner.turns.insert(user, Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }

    /// Who he is, as far as it was found out since the start.
    pub(crate) fn contact(&self, user: i64) -> Option<u64> {
        let inner = self.lock();
        inner.known.get(&user).or_else(|| inner.known_before.get(&user)).copied()
    }

    /// He is this contact.
    pub(crate) fn know(&self, user: i64, contact: u64) {
        let mut inner = self.lock();
        inner.doubts.remove(&user);
        inner.failing.remove(&user);
        if inner.known.len() >= KNOWN / 2 {
            inner.known_before = mem::take(&mut inner.known);
        }
        inner.known.insert(user, contact);
    }

    /// There is no such contact any more.
    pub(crate) fn forget(&self, user: i64) {
        let mut inner = self.lock();
        inner.known.remove(&user);
        inner.known_before.remove(&user);
    }

    /// A contact is about to be made for him.
    pub(crate) fn begin(&self, user: i64) {
        let now = self.clock.now();
        self.lock().doubts.insert(user, now);
    }

    /// It was refused: there is none.
    pub(crate) fn refused(&self, user: i64) {
        self.lock().doubts.remove(&user);
    }

    /// Whether a contact may have been made that search does not show, since it may be behind by so much.
    pub(crate) fn is_doubtful(&self, user: i64, lag: Duration) -> bool {
        let now = self.clock.now();
        let is_recent = |at: Timestamp| at <= now.plus(lag) && now.since(at) < lag;
        if is_recent(self.since) {
            return true;
        }
        let mut inner = self.lock();
        inner.doubts.retain(|_, at| is_recent(*at));
        inner.doubts.contains_key(&user)
    }

    /// Nobody could say who he is, for a reason that passes: whether it is worth while to wait for it.
    pub(crate) fn may_wait(&self, user: i64) -> bool {
        let now = self.clock.now();
        let mut inner = self.lock();
        if inner.failing.len() > KNOWN {
            inner.failing.clear();
        }
        let first = *inner.failing.entry(user).or_insert(now);
        // A clock that was put back begins anew.
        if first > now {
            inner.failing.insert(user, now);
            return true;
        }
        now.since(first) < PATIENCE
    }

    /// Several contacts may be one person. Whether that is new.
    pub(crate) fn note_double(&self, double: Double) -> bool {
        let mut inner = self.lock();
        let Some(&first) = double.contacts.first() else { return false };
        if inner.doubles.get(&first) == Some(&double) {
            return false;
        }
        if inner.doubles.len() >= DOUBLES {
            inner.doubles.pop_first();
        }
        inner.doubles.insert(first, double);
        true
    }

    /// People with several contacts.
    pub(crate) fn doubles(&self) -> Vec<Double> {
        self.lock().doubles.values().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use tandem_testkit::ManualClock;

    use super::*;

    const LAG: Duration = Duration::from_mins(2);

    fn people() -> (ManualClock, Arc<People>) {
        let clock = ManualClock::new();
        let people = Arc::new(People::new(Arc::new(clock.clone())));
        (clock, people)
    }

    #[tokio::test]
    async fn one_user_has_his_turn_after_the_other_and_two_users_at_once() {
        let (_, people) = people();
        let first = people.turn(1).await;
        let _other = people.turn(2).await;
        let waiting = tokio::spawn({
            let people = Arc::clone(&people);
            async move { drop(people.turn(1).await) }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(first);
        waiting.await.unwrap();
    }

    #[test]
    fn what_may_have_been_made_is_doubtful_for_as_long_as_search_may_be_behind() {
        let (clock, people) = people();
        assert!(people.is_doubtful(1, LAG), "whatever was made before the start");
        clock.advance(LAG);
        assert!(!people.is_doubtful(1, LAG));
        people.begin(1);
        assert!(people.is_doubtful(1, LAG) && !people.is_doubtful(2, LAG));
        people.refused(1);
        assert!(!people.is_doubtful(1, LAG));
        people.begin(1);
        people.know(1, 77);
        assert!(!people.is_doubtful(1, LAG));
        people.begin(1);
        clock.advance(LAG);
        assert!(!people.is_doubtful(1, LAG));
    }

    #[test]
    fn who_is_known_is_known_until_there_is_no_such_contact() {
        let (_, people) = people();
        people.know(1, 77);
        for user in 2..10_000 {
            people.know(user, 5);
        }
        assert_eq!(people.contact(1), Some(77));
        people.forget(1);
        assert_eq!(people.contact(1), None);
        for user in 10_000..40_000 {
            people.know(user, 5);
        }
        assert_eq!(people.contact(2), None, "bounded");
    }

    #[test]
    fn somebody_waits_half_a_minute_for_what_passes() {
        let (clock, people) = people();
        assert!(people.may_wait(1));
        clock.advance(Duration::from_secs(29));
        assert!(people.may_wait(1) && people.may_wait(2));
        clock.advance(Duration::from_secs(1));
        assert!(!people.may_wait(1) && people.may_wait(2));
        people.know(1, 77);
        assert!(people.may_wait(1));
    }

    #[test]
    fn a_double_is_told_of_once() {
        let (_, people) = people();
        let double = |chosen| Double { chosen, contacts: BTreeSet::from([1, 2]) };
        assert!(
            people.note_double(double(1)) && !people.note_double(double(1)) && people.note_double(double(2))
        );
        assert_eq!(people.doubles(), [double(2)]);
    }
}
