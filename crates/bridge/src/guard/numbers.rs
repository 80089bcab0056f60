//! Which numbers of a bot's updates never came: a pure watch over `update_id`s (reference/telegram.md 2.6).
//!
//! Each update that Telegram stores for a bot gets the next number, and those that nobody asked for get none. So a
//! number that is left out was given to an update that went elsewhere, or that nobody fetched within its lifetime.
//! Exceptions, in which nothing is counted: the sequence is begun anew somewhere else after a week without updates, at
//! 2,000,000,000, and at another server; and what came before the first number we saw was not ours.
//!
//! When updates are asked for they come in order, so a number left out is a hole at once. When they are posted, chats
//! overtake each other: then it is *open* until Telegram has nothing left to deliver ([`Numbers::settle`]). One that
//! comes after that is no hole any more, and is taken back.

use std::{collections::VecDeque, time::Duration};

use tandem_model::{Timestamp, UpstreamId};

use crate::Taker;

/// After so long without an update the next number may be any: a day less than Telegram says.
const MAY_BE_ANEW: Duration = Duration::from_hours(6 * 24);
/// A jump that is larger is another sequence.
const FAR: i64 = 1_000_000;
/// So many holes are remembered, in case that what is missing comes late.
const REMEMBERED: usize = 64;
/// An open hole is one after this time, even if Telegram always has something to deliver.
const OPEN_FOR: Duration = Duration::from_mins(10);

/// Numbers that never came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Who had the stream meanwhile, if anybody was seen.
    pub(crate) by: Option<Taker>,
    /// When it was noticed.
    pub(crate) at: Timestamp,
}

impl Hole {
    pub(crate) const fn updates(&self) -> i64 {
        self.to - self.from + 1
    }

    const fn has(&self, id: i64) -> bool {
        self.from <= id && id <= self.to
    }

    /// What is left of it without one number.
    fn without(&self, id: i64) -> impl Iterator<Item = Self> + use<> {
        let below = (id > self.from).then(|| Self { to: id - 1, ..self.clone() });
        let above = (id < self.to).then(|| Self { from: id + 1, ..self.clone() });
        below.into_iter().chain(above)
    }
}

/// What a number says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing: it is the next one, an old one, or the first of a sequence.
    Nothing,
    /// Others before it are missing.
    Missing(Hole),
    /// It had been counted as missing, with this taker.
    CameLate(Option<Taker>),
}

/// The numbers of one bot's updates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbers {
    /// The first and the largest of the sequence, and when the largest came.
    seen: Option<(i64, i64, Timestamp)>,
    open: Vec<Hole>,
    holes: VecDeque<Hole>,
}

impl Numbers {
    /// Takes note of an update that is new. `suspect`: who has had the stream since the last one.
    pub(crate) fn observe(&mut self, id: UpstreamId, now: Timestamp, suspect: Option<&Taker>) -> Said {
        let id = id.get();
        let Some((first, last, at)) = self.seen else {
            self.begin(id, now);
            return Said::Nothing;
        };
        if id <= last {
            return self.observe_old(id, now, (first, last));
        }
        if now.since(at) >= MAY_BE_ANEW || id - last > FAR {
            self.begin(id, now);
            return Said::Nothing;
        }
        self.seen = Some((first, id, now));
        if id == last + 1 {
            return Said::Nothing;
        }
        let hole = Hole { from: last + 1, to: id - 1, by: suspect.cloned(), at: now };
        self.open.push(hole.clone());
        Said::Missing(hole)
    }

    fn observe_old(&mut self, id: i64, now: Timestamp, (first, last): (i64, i64)) -> Said {
        if let Some(place) = self.open.iter().position(|hole| hole.has(id)) {
            let hole = self.open.swap_remove(place);
            self.open.extend(hole.without(id));
            return Said::Nothing;
        }
        if let Some(place) = self.holes.iter().position(|hole| hole.has(id))
            && let Some(hole) = self.holes.remove(place)
        {
            self.holes.extend(hole.without(id));
            return Said::CameLate(hole.by);
        }
        // Posted updates may overtake the one that came first.
        if id < first - FAR || last - id > FAR {
            self.begin(id, now);
        }
        Said::Nothing
    }

    /// A sequence begins. What is missing of the one before stays missing.
    fn begin(&mut self, id: i64, now: Timestamp) {
        self.seen = Some((id, id, now));
    }

    /// A hole that is noted already.
    pub(crate) fn remember(&mut self, hole: Hole) {
        self.open.retain(|open| open.from < hole.from || open.to > hole.to);
        self.holes.push_back(hole);
        while self.holes.len() > REMEMBERED {
            self.holes.pop_front();
        }
    }

    /// What is missing for good: everything that was noticed before `asked_at`, when Telegram had nothing left to
    /// deliver then, else what has been missing for long.
    pub(crate) fn settle(&mut self, asked_at: Timestamp, nothing_left: bool) -> Vec<Hole> {
        let is_settled = |hole: &Hole| {
            if nothing_left { hole.at < asked_at } else { asked_at.since(hole.at) >= OPEN_FOR }
        };
        let (settled, open) = std::mem::take(&mut self.open).into_iter().partition(is_settled);
        self.open = open;
        let mut settled: Vec<Hole> = settled;
        settled.sort_by_key(|hole| hole.from);
        for hole in &settled {
            self.remember(hole.clone());
        }
        settled
    }

    /// Everything that is missing, where updates come in order.
    pub(crate) fn settle_all(&mut self) -> Vec<Hole> {
        self.settle(Timestamp::from_millis(i64::MAX), true)
    }

    /// Whether anything is missing that may still come.
    pub(crate) fn has_open(&self) -> bool {
        !self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HolderKind;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(Duration::from_secs(seconds))
    }

    fn amocrm() -> Taker {
        Taker { kind: HolderKind::Amocrm, host: Some("amojo.amocrm.ru".to_owned()) }
    }

    /// Takes note of numbers, all at one time, and gives what is missing.
    fn missing(numbers: &mut Numbers, now: Timestamp, ids: &[i64]) -> Vec<(i64, i64)> {
        for id in ids {
            numbers.observe(UpstreamId::new(*id).unwrap(), now, None);
        }
        numbers.settle_all().iter().map(|hole| (hole.from, hole.to)).collect()
    }

    #[test]
    fn what_is_left_out_is_missing_and_what_came_before_the_first_is_not() {
        let mut numbers = Numbers::default();
        assert_eq!(missing(&mut numbers, at(0), &[500, 501, 502]), []);
        assert_eq!(missing(&mut numbers, at(1), &[506, 507, 509]), [(503, 505), (508, 508)]);
        assert_eq!(missing(&mut numbers, at(2), &[507, 509, 499, 510]), []);
    }

    #[test]
    fn posted_updates_may_overtake_each_other() {
        let mut numbers = Numbers::default();
        for id in [10, 12, 15, 11, 9] {
            numbers.observe(UpstreamId::new(id).unwrap(), at(1), None);
        }
        assert_eq!(numbers.settle(at(1), true), [], "it was asked before Telegram could have delivered all");
        assert_eq!(numbers.settle(at(9), false), [], "there is more to come");
        let from_to = |holes: Vec<Hole>| holes.iter().map(|hole| (hole.from, hole.to)).collect::<Vec<_>>();
        assert_eq!(from_to(numbers.settle(at(9), true)), [(13, 14)]);
        assert!(!numbers.has_open());
    }

    #[test]
    fn a_bot_that_is_never_quiet_has_its_holes_told_after_a_while() {
        let mut numbers = Numbers::default();
        for id in [10, 12] {
            numbers.observe(UpstreamId::new(id).unwrap(), at(0), None);
        }
        assert_eq!(numbers.settle(at(599), false).len(), 0);
        assert_eq!(numbers.settle(at(600), false).len(), 1);
    }

    #[test]
    fn what_comes_late_is_taken_back_once() {
        let mut numbers = Numbers::default();
        let id = |id| UpstreamId::new(id).unwrap();
        numbers.observe(id(10), at(0), None);
        numbers.observe(id(15), at(0), Some(&amocrm()));
        assert_eq!(numbers.settle_all()[0].by, Some(amocrm()));
        assert_eq!(numbers.observe(id(12), at(1), None), Said::CameLate(Some(amocrm())));
        assert_eq!(numbers.observe(id(12), at(1), None), Said::Nothing);
        for late in [11, 13, 14] {
            assert_eq!(numbers.observe(id(late), at(2), None), Said::CameLate(Some(amocrm())), "{late}");
        }
        assert!(numbers.holes.is_empty());
    }

    #[test]
    fn a_sequence_that_is_begun_anew_has_no_hole() {
        for (ids, wait) in [
            ([900_000_000, 5_000_000, 5_000_001], 1),
            ([1_999_999_999, 2_000_001, 2_000_002], 1),
            ([5_000_000, 900_000_000, 900_000_001], 1),
            ([5_000_000, 5_000_900, 5_000_901], 7 * 24 * 3600),
        ] {
            let mut numbers = Numbers::default();
            assert_eq!(missing(&mut numbers, at(0), &ids[..1]), []);
            assert_eq!(missing(&mut numbers, at(wait), &ids[1..]), [], "{ids:?}");
            let (next, after) = (ids[2] + 2, ids[2] + 1);
            assert_eq!(missing(&mut numbers, at(wait + 1), &[next]), [(after, after)], "{ids:?}");
        }
    }

    #[test]
    fn a_hole_of_the_journal_is_not_told_again() {
        let mut numbers = Numbers::default();
        for id in [10, 14] {
            numbers.observe(UpstreamId::new(id).unwrap(), at(0), None);
        }
        numbers.remember(Hole { from: 11, to: 13, by: None, at: at(0) });
        assert_eq!(numbers.settle_all(), []);
    }

    #[test]
    fn few_holes_are_remembered() {
        let mut numbers = Numbers::default();
        for id in 0..1000 {
            numbers.observe(UpstreamId::new(id * 2).unwrap(), at(0), None);
            numbers.settle_all();
        }
        assert_eq!(numbers.holes.len(), REMEMBERED);
    }
}
