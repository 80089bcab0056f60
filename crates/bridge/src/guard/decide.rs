//! What is done about somebody who has the stream: a pure rule over what is stored.
//!
//! Six times within any hour the stream is taken back. The next taker within the hour has it: the guard stands down
//! until the hour is over, then tries once. Held for an hour, that was that; taken again, it waits twice as long, up
//! to a day. So a quarrel ends, and a quarrel of the night is over in the morning without anybody.

use std::time::Duration;

use tandem_model::Timestamp;

use crate::{GuardDocument, GuardPolicy, HolderKind, StoodDown, Taken, Taker};

/// So often within [`WITHIN`].
pub(crate) const RETAKES: usize = 6;
/// The stretch of time in which retakes are counted, and how long one must hold to have been the last.
const WITHIN: Duration = Duration::from_hours(1);
/// The longest wait before a guard that stood down tries again.
const LONGEST: Duration = Duration::from_hours(24);

/// What to do about a taker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Take the stream back: the so manieth time within the hour.
    Retake(usize),
    /// Give way, from now on.
    StandDown,
    /// Go on giving way.
    StayDown,
    /// Take nothing back, and say so.
    Leave,
}

impl GuardDocument {
    /// Decides, and notes what was decided. `may_retake`: a taker that can be sent away, and whom to hand on to is
    /// known.
    pub(crate) fn decide(&mut self, by: &Taker, may_retake: bool, now: Timestamp) -> Decision {
        self.retakes.retain(|at| now.since(*at) < WITHIN);
        let known = self.taken.as_ref().is_some_and(|taken| taken.by == *by && taken.ended.is_none());
        if !known && self.stood_down.is_none() {
            self.alerts += 1;
            self.taken = Some(Taken { by: by.clone(), since: now, ended: None });
        } else if let Some(taken) = self.taken.as_mut().filter(|_| !known) {
            // The quarrel is with somebody else by now.
            taken.by = by.clone();
            taken.ended = None;
        }
        if std::mem::take(&mut self.ordered) && may_retake {
            return self.note_retake(now);
        }
        match (self.policy, self.stood_down) {
            (GuardPolicy::Retake, None) if may_retake => self.retake_or_stand_down(now),
            (GuardPolicy::Retake, Some(StoodDown { next_try: Some(at), .. })) if may_retake && at <= now => {
                self.tries = self.tries.saturating_add(1);
                self.note_retake(now)
            }
            (GuardPolicy::StandDown, None) => {
                self.stood_down = Some(StoodDown { since: now, next_try: None });
                Decision::StandDown
            }
            (GuardPolicy::Retake | GuardPolicy::StandDown, Some(_)) => Decision::StayDown,
            (GuardPolicy::Retake, None) | (GuardPolicy::Alert, _) => Decision::Leave,
        }
    }

    fn retake_or_stand_down(&mut self, now: Timestamp) -> Decision {
        if self.retakes.is_empty() {
            self.tries = 0;
        }
        let allowed = if self.tries > 0 { 1 } else { RETAKES };
        if self.retakes.len() < allowed {
            return self.note_retake(now);
        }
        let wait = WITHIN.saturating_mul(1 << self.tries.min(5)).min(LONGEST);
        self.stood_down = Some(StoodDown { since: now, next_try: Some(now.plus(wait)) });
        Decision::StandDown
    }

    fn note_retake(&mut self, now: Timestamp) -> Decision {
        self.stood_down = None;
        self.retaken += 1;
        self.retakes.push(now);
        self.end(now);
        Decision::Retake(self.retakes.len())
    }

    /// Nobody else has the stream any more.
    pub(crate) fn end(&mut self, now: Timestamp) {
        self.stood_down = None;
        self.ordered = false;
        if let Some(taken) = self.taken.as_mut().filter(|taken| taken.ended.is_none()) {
            taken.ended = Some(now);
        }
    }

    /// Somebody has decided that the stream is ours: the past is forgotten.
    pub(crate) fn order(&mut self) {
        self.retakes.clear();
        self.tries = 0;
        self.ordered = self.taker().is_some();
    }

    /// Another policy, which begins without a past.
    pub(crate) fn set_policy(&mut self, policy: GuardPolicy) {
        if self.policy != policy {
            self.policy = policy;
            self.stood_down = None;
            self.tries = 0;
        }
    }

    /// Who has the stream now, as far as is known.
    pub(crate) fn taker(&self) -> Option<&Taken> {
        self.taken.as_ref().filter(|taken| taken.ended.is_none())
    }

    /// What went past us altogether, nobody's included.
    pub(crate) fn holes(&self) -> u64 {
        self.went_past.values().sum::<u64>() + self.unexplained
    }

    /// Counts, or takes back what was counted.
    pub(crate) fn count(&mut self, by: Option<HolderKind>, updates: i64) {
        let count = match by {
            Some(kind) => self.went_past.entry(kind).or_default(),
            None => &mut self.unexplained,
        };
        *count = count.saturating_add_signed(updates);
        self.went_past.retain(|_, count| *count > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amocrm() -> Taker {
        Taker { kind: HolderKind::Amocrm, host: Some("amojo.amocrm.ru".to_owned()) }
    }

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(Duration::from_mins(minutes))
    }

    #[test]
    fn six_retakes_within_an_hour_and_then_it_stands_down() {
        let mut guard = GuardDocument::default();
        for minute in 0..6 {
            let nth = usize::try_from(minute).unwrap() + 1;
            assert_eq!(guard.decide(&amocrm(), true, at(minute)), Decision::Retake(nth));
        }
        assert_eq!(guard.decide(&amocrm(), true, at(6)), Decision::StandDown);
        assert_eq!(guard.stood_down, Some(StoodDown { since: at(6), next_try: Some(at(66)) }));
        assert_eq!((guard.retaken, guard.alerts), (6, 7));
        assert_eq!(guard.decide(&amocrm(), true, at(7)), Decision::StayDown);
        assert_eq!((guard.retaken, guard.alerts), (6, 7), "the same quarrel is not told again");
    }

    #[test]
    fn a_retake_now_and_then_is_never_too_many() {
        let mut guard = GuardDocument::default();
        for time in 0..40 {
            assert!(matches!(guard.decide(&amocrm(), true, at(time * 11)), Decision::Retake(_)), "{time}");
            assert!(guard.retakes.len() <= RETAKES);
        }
    }

    #[test]
    fn after_the_hour_it_tries_once_and_waits_twice_as_long_each_time() {
        let mut guard = GuardDocument::default();
        let mut minute = 0;
        while guard.stood_down.is_none() {
            guard.decide(&amocrm(), true, at(minute));
            minute += 1;
        }
        let mut waits = Vec::new();
        for _ in 0..7 {
            let down = guard.stood_down.unwrap();
            let next = down.next_try.unwrap();
            waits.push(next.since(down.since).as_secs() / 3600);
            assert_eq!(
                guard.decide(&amocrm(), true, next.minus(Duration::from_millis(1))),
                Decision::StayDown
            );
            assert!(matches!(guard.decide(&amocrm(), true, next), Decision::Retake(_)));
            assert_eq!(guard.decide(&amocrm(), true, next.plus(Duration::from_secs(5))), Decision::StandDown);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 24, 24]);
        // One that has held for an hour was the last.
        let next = guard.stood_down.unwrap().next_try.unwrap();
        guard.decide(&amocrm(), true, next);
        for second in 0..6 {
            let later = next.plus(Duration::from_mins(61)).plus(Duration::from_secs(second));
            assert!(matches!(guard.decide(&amocrm(), true, later), Decision::Retake(_)));
        }
    }

    #[test]
    fn other_policies_take_nothing_back() {
        let policy = |policy| GuardDocument { policy, ..GuardDocument::default() };
        let mut alert = policy(GuardPolicy::Alert);
        assert_eq!(alert.decide(&amocrm(), true, at(0)), Decision::Leave);
        assert_eq!(alert.decide(&amocrm(), true, at(500)), Decision::Leave);
        let mut stand_down = policy(GuardPolicy::StandDown);
        assert_eq!(stand_down.decide(&amocrm(), true, at(0)), Decision::StandDown);
        assert_eq!(stand_down.decide(&amocrm(), true, at(5000)), Decision::StayDown);
        assert_eq!((alert.retaken + stand_down.retaken, alert.alerts, stand_down.alerts), (0, 1, 1));
        let mut poller = GuardDocument::default();
        let by = Taker { kind: HolderKind::Poller, host: None };
        assert_eq!(poller.decide(&by, false, at(0)), Decision::Leave, "nobody is evicted by polling");
    }

    #[test]
    fn a_person_can_have_it_taken_back_at_once() {
        let mut guard = GuardDocument::default();
        while guard.stood_down.is_none() {
            guard.decide(&amocrm(), true, at(0));
        }
        guard.order();
        assert_eq!(guard.decide(&amocrm(), true, at(1)), Decision::Retake(1));
        assert!(guard.taker().is_none() && guard.stood_down.is_none());
        let mut quiet = GuardDocument { policy: GuardPolicy::StandDown, ..GuardDocument::default() };
        quiet.decide(&amocrm(), true, at(0));
        quiet.order();
        assert_eq!(quiet.decide(&amocrm(), true, at(1)), Decision::Retake(1), "whatever the policy");
        assert_eq!(quiet.decide(&amocrm(), true, at(2)), Decision::StandDown, "once");
        quiet.set_policy(GuardPolicy::Retake);
        assert_eq!(quiet.decide(&amocrm(), true, at(3)), Decision::Retake(2));
    }

    #[test]
    fn counts_are_kept_apart_and_can_be_taken_back() {
        let mut guard = GuardDocument::default();
        guard.count(Some(HolderKind::Amocrm), 3);
        guard.count(None, 2);
        guard.count(Some(HolderKind::Amocrm), -1);
        assert_eq!((guard.went_past[&HolderKind::Amocrm], guard.unexplained, guard.holes()), (2, 2, 4));
        guard.count(Some(HolderKind::Amocrm), -2);
        assert!(guard.went_past.is_empty());
    }
}
