//! What is remembered of apps that poll, from one `getUpdates` to the next (reference/telegram.md 2.3): who waits,
//! and the politeness delays without which some libraries would poll in a busy loop.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tandem_lanes::LaneAddress;
use tandem_metrics::Gauge;
use tandem_model::Timestamp;
use tandem_telegram::envelope::Failure;
use tokio::sync::oneshot;

/// A call with the offset of the one before that started so shortly after it is made to wait at least
/// [`STRETCHED`].
const REPEAT_WITHIN: Duration = Duration::from_secs(3);
/// How long such a call waits for events.
const STRETCHED: Duration = Duration::from_secs(3);
/// A call with the offset of the one before that started so shortly after it gets one event at most.
const HASTY_WITHIN: Duration = Duration::from_millis(500);
/// Between two answers that say somebody else polls.
const CONFLICT_EVERY: Duration = Duration::from_secs(3);

/// Between two webhooks of an app.
const SET_WEBHOOK_EVERY: Duration = Duration::from_secs(1);

/// The polls of all apps. Apps that never polled are not in it.
#[derive(Debug, Default)]
pub(crate) struct Polls {
    polls: Mutex<HashMap<LaneAddress, Poll>>,
    /// How many wait.
    waiting: Gauge,
}

#[derive(Debug, Default)]
struct Poll {
    last: Option<(i64, Timestamp)>,
    /// Before this moment the next 409 is held back.
    conflicts_from: Option<Timestamp>,
    webhook_asked_at: Option<Timestamp>,
    waiting: Option<Waiting>,
    next_ticket: u64,
}

#[derive(Debug)]
struct Waiting {
    ticket: u64,
    end: oneshot::Sender<Ended>,
}

/// Why a waiting poll has to end with an error, and what it says.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) failure: Failure,
    /// How long the answer is to be held back first.
    pub(crate) hold: Duration,
}

/// How a poll is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) limit: usize,
    pub(crate) wait: Duration,
}

/// The place of a poll that waits. Dropping it gives the place up.
#[derive(Debug)]
pub(crate) struct Place {
    polls: Arc<Polls>,
    lane: LaneAddress,
    ticket: u64,
    pub(crate) ended: oneshot::Receiver<Ended>,
}

impl Polls {
    /// Nobody polls yet; `waiting` shows how many wait.
    pub(crate) fn counted_by(waiting: Gauge) -> Self {
        Self { polls: Mutex::default(), waiting }
    }

    /// A poll begins; says on which terms.
    pub(crate) fn begin(&self, lane: LaneAddress, offset: i64, asked: Terms, now: Timestamp) -> Terms {
        let mut polls = self.lock();
        let poll = polls.entry(lane).or_default();
        let repeated = poll.last.filter(|(last, _)| *last == offset).map(|(_, at)| now.since(at));
        poll.last = Some((offset, now));
        let mut terms = asked;
        if repeated.is_some_and(|since| since < REPEAT_WITHIN) && asked.wait < STRETCHED {
            terms.wait = STRETCHED;
        }
        if repeated.is_some_and(|since| since < HASTY_WITHIN) {
            terms.limit = 1;
        }
        terms
    }

    /// A poll found nothing and waits from now on. Only now an older one of the same app ends.
    pub(crate) fn wait(self: &Arc<Self>, lane: LaneAddress, now: Timestamp) -> Place {
        let mut polls = self.lock();
        let poll = polls.entry(lane).or_default();
        poll.end(now, Failure::TERMINATED_BY_GET_UPDATES);
        let ticket = poll.next_ticket;
        poll.next_ticket += 1;
        let (end, ended) = oneshot::channel();
        poll.waiting = Some(Waiting { ticket, end });
        self.waiting.inc();
        Place { polls: Arc::clone(self), lane, ticket, ended }
    }

    /// A poll that waits ends, if there is one.
    pub(crate) fn end(&self, lane: LaneAddress, now: Timestamp, failure: Failure) {
        if let Some(poll) = self.lock().get_mut(&lane) {
            poll.end(now, failure);
        }
    }

    /// The app is gone: a poll that waits ends with this, and nothing is remembered.
    pub(crate) fn forget(&self, lane: LaneAddress, failure: Failure) {
        if let Some(Waiting { end, .. }) = self.lock().remove(&lane).and_then(|poll| poll.waiting) {
            // Whoever waited may be gone.
            let _ = end.send(Ended { failure, hold: Duration::ZERO });
        }
    }

    /// Somebody is told of a conflict now; for how long the answer is to be held back first.
    pub(crate) fn hold_conflict(&self, lane: LaneAddress, now: Timestamp) -> Duration {
        self.lock().entry(lane).or_default().hold_conflict(now)
    }

    /// Whether an app may set a webhook now: once a second.
    pub(crate) fn may_set_webhook(&self, lane: LaneAddress, now: Timestamp) -> bool {
        let mut polls = self.lock();
        let poll = polls.entry(lane).or_default();
        if poll.webhook_asked_at.is_some_and(|at| now.since(at) < SET_WEBHOOK_EVERY) {
            return false;
        }
        poll.webhook_asked_at = Some(now);
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LaneAddress, Poll>> {
        self.polls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Poll {
    fn end(&mut self, now: Timestamp, failure: Failure) {
        // Whoever waited may be gone: then nobody is told anything, and it counts for nothing.
        let Some(Waiting { end, .. }) = self.waiting.take().filter(|waiting| !waiting.end.is_closed()) else {
            return;
        };
        let hold = self.hold_conflict(now);
        let _ = end.send(Ended { failure, hold });
    }

    /// Counts a 409 that goes out at once. One that is held back holds no other.
    fn hold_conflict(&mut self, now: Timestamp) -> Duration {
        if self.conflicts_from.is_some_and(|from| now < from) {
            return CONFLICT_EVERY;
        }
        self.conflicts_from = Some(now.plus(CONFLICT_EVERY));
        Duration::ZERO
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.polls.waiting.dec();
        if let Some(poll) = self.polls.lock().get_mut(&self.lane)
            && poll.waiting.as_ref().is_some_and(|waiting| waiting.ticket == self.ticket)
        {
            poll.waiting = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_model::{BotId, LaneId};

    use super::*;

    fn lane(lane: i64) -> LaneAddress {
        LaneAddress { bot: BotId::new(42).unwrap(), lane: LaneId::new(lane).unwrap() }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn asked(wait_secs: u64) -> Terms {
        Terms { limit: 100, wait: Duration::from_secs(wait_secs) }
    }

    #[test]
    fn a_repeated_short_poll_is_stretched_and_a_hasty_one_gets_one_event() {
        let polls = Polls::default();
        assert_eq!(polls.begin(lane(1), 5, asked(0), at(0)), asked(0));
        assert_eq!(polls.begin(lane(1), 5, asked(0), at(499)), Terms { limit: 1, ..asked(3) });
        assert_eq!(polls.begin(lane(1), 5, asked(2), at(1499)), asked(3));
        assert_eq!(polls.begin(lane(1), 5, asked(10), at(2499)), asked(10));
        assert_eq!(polls.begin(lane(1), 5, asked(0), at(5499)), asked(0), "three seconds later");
        assert_eq!(polls.begin(lane(1), 6, asked(0), at(5500)), asked(0), "another offset");
        assert_eq!(polls.begin(lane(2), 6, asked(0), at(5501)), asked(0), "another app");
    }

    #[test]
    fn the_newer_of_two_waiting_polls_ends_the_older_and_a_third_is_told_later() {
        let polls = Arc::new(Polls::default());
        let mut first = polls.wait(lane(1), at(0));
        let mut other_app = polls.wait(lane(2), at(0));
        let mut second = polls.wait(lane(1), at(10));
        let ended = first.ended.try_recv().unwrap();
        assert_eq!((ended.failure, ended.hold), (Failure::TERMINATED_BY_GET_UPDATES, Duration::ZERO));
        let _third = polls.wait(lane(1), at(1000));
        assert_eq!(second.ended.try_recv().unwrap().hold, Duration::from_secs(3));
        assert!(other_app.ended.try_recv().is_err());
    }

    #[test]
    fn a_conflict_that_is_held_back_holds_no_other() {
        let polls = Polls::default();
        let hold = |millis| polls.hold_conflict(lane(1), at(millis)).as_secs();
        assert_eq!([0, 2999, 3000, 5999, 6000].map(hold), [0, 3, 0, 3, 0]);
        assert_eq!(polls.hold_conflict(lane(2), at(6001)).as_secs(), 0, "another app");
    }

    #[test]
    fn a_poll_whose_client_is_gone_is_told_nothing() {
        let polls = Arc::new(Polls::default());
        drop(polls.wait(lane(1), at(0)));
        let mut second = polls.wait(lane(1), at(10));
        let _third = polls.wait(lane(1), at(20));
        assert_eq!(second.ended.try_recv().unwrap().hold, Duration::ZERO, "it is the first conflict");
    }

    #[test]
    fn a_webhook_ends_a_waiting_poll_in_its_own_words() {
        let polls = Arc::new(Polls::default());
        let mut waiting = polls.wait(lane(1), at(0));
        polls.end(lane(1), at(5), Failure::TERMINATED_BY_SET_WEBHOOK);
        assert_eq!(waiting.ended.try_recv().unwrap().failure, Failure::TERMINATED_BY_SET_WEBHOOK);
    }
}
