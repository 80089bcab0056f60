//! What each consumer got. Messages carry the number that they have among their bot's, from 0.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::history::Got;

/// What one consumer got, by number: a message's own for an app, Telegram's for a route.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// How often each came. A million of them come in order, so that a vector is smallest.
    low: Vec<u8>,
    /// Those with numbers beyond.
    high: BTreeMap<i64, u8>,
}

/// Below this, numbers are counted in a vector.
const LOW: i64 = 1 << 24;

impl Tally {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that it came.
    pub(crate) fn note(&self, number: i64) {
        let mut inner = self.inner();
        let count = match usize::try_from(number) {
            Ok(place) if number < LOW => {
                if inner.low.len() <= place {
                    inner.low.resize(place + 1, 0);
                }
                &mut inner.low[place]
            }
            _ => inner.high.entry(number).or_default(),
        };
        *count = count.saturating_add(1);
    }

    /// How it compares with what was sent.
    pub(crate) fn compare(&self, sent: impl Iterator<Item = i64>) -> Got {
        let inner = self.inner();
        let mut got = Got { consumers: 1, ..Got::default() };
        let (mut came_expected, mut came) = (0, 0);
        for number in sent {
            let low = usize::try_from(number).ok().and_then(|place| inner.low.get(place));
            let times = low.or_else(|| inner.high.get(&number)).copied().unwrap_or(0);
            got.expected += 1;
            got.missing += u64::from(times == 0);
            came_expected += u64::from(times > 0);
        }
        for &times in inner.low.iter().chain(inner.high.values()).filter(|times| **times > 0) {
            came += 1;
            got.repeated += u64::from(times) - 1;
        }
        got.strange = came - came_expected;
        got
    }
}

impl std::ops::AddAssign for Got {
    fn add_assign(&mut self, other: Self) {
        self.consumers += other.consumers;
        self.expected += other.expected;
        self.missing += other.missing;
        self.repeated += other.repeated;
        self.strange += other.strange;
    }
}

/// Everything that was got, and what apps answered.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    /// By bot: of its app.
    pub(crate) apps: BTreeMap<i64, Tally>,
    /// By bot: of its route.
    pub(crate) routes: BTreeMap<i64, Tally>,
    taken: AtomicU64,
    answered: AtomicU64,
}

impl Tallies {
    /// For these bots.
    pub(crate) fn of(bots: impl Iterator<Item = i64>) -> Self {
        let bots: Vec<i64> = bots.collect();
        let empty = || bots.iter().map(|bot| (*bot, Tally::default())).collect();
        Self { apps: empty(), routes: empty(), ..Self::default() }
    }

    /// Notes what an app got.
    pub(crate) fn app(&self, bot: i64, number: i64) {
        self.note(self.apps.get(&bot), number);
    }

    /// Notes what a route's receiver got.
    pub(crate) fn route(&self, bot: i64, number: i64) {
        self.note(self.routes.get(&bot), number);
    }

    fn note(&self, tally: Option<&Tally>, number: i64) {
        self.taken.fetch_add(1, Ordering::Relaxed);
        if let Some(tally) = tally {
            tally.note(number);
        }
    }

    /// Notes an answer of an app's.
    pub(crate) fn answer(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    pub(crate) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_repeated_or_strange_is_told_apart() {
        let tally = Tally::default();
        for number in [0, 1, 1, 3, 2_000_000_000] {
            tally.note(number);
        }
        let got = tally.compare(0..3);
        assert_eq!(got, Got { consumers: 1, expected: 3, missing: 1, repeated: 1, strange: 2 });
        assert_eq!(tally.compare([0, 1, 3, 2_000_000_000].into_iter()).missing, 0);
    }
}
