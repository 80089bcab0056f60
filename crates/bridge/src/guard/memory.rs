//! What the guard keeps of a bot in memory.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tandem_model::Timestamp;
use tokio::sync::Notify;

use super::numbers::Numbers;
use crate::Taker;

/// Silence is looked into no sooner than this.
const SHORTEST_SILENCE: Duration = Duration::from_secs(2);

/// What the guard keeps of a bot in memory. A few hundred bytes, no task, no timer.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The numbers of its updates; `None` until the first update after a start, which has the journal read.
    pub(crate) numbers: tokio::sync::Mutex<Option<Numbers>>,
    /// Told when its intake is to look who has the stream, or to go on at once.
    pub(crate) nudge: Notify,
    checks: AtomicU64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Who has had the stream since the last update.
    suspect: Option<Taker>,
    /// When another poller was last met.
    poller_at: Option<Timestamp>,
    /// The stream was to be taken back, and that has not succeeded yet.
    unfinished: bool,
    /// When it was last said that somebody has the stream.
    said_at: Option<Timestamp>,
    traffic: Traffic,
}

/// How updates came lately.
#[derive(Debug, Default)]
struct Traffic {
    last_at: Option<Timestamp>,
    /// The time between two of them, smoothed.
    apart_ms: u64,
    /// This silence was looked into.
    looked: bool,
}

impl Memory {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call was made to see who has the stream.
    pub(crate) fn checked(&self) {
        self.checks.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn checks(&self) -> u64 {
        self.checks.load(Ordering::Relaxed)
    }

    pub(crate) fn suspect(&self) -> Option<Taker> {
        self.kept().suspect.clone()
    }

    pub(crate) fn set_suspect(&self, taker: Option<Taker>) {
        self.kept().suspect = taker;
    }

    pub(crate) fn meet_poller(&self, now: Timestamp) {
        self.kept().poller_at = Some(now);
    }

    /// How long no other poller has been met; counted from the first time it is asked.
    pub(crate) fn without_poller(&self, now: Timestamp) -> Duration {
        now.since(*self.kept().poller_at.get_or_insert(now))
    }

    pub(crate) fn is_unfinished(&self) -> bool {
        self.kept().unfinished
    }

    pub(crate) fn set_unfinished(&self, unfinished: bool) {
        self.kept().unfinished = unfinished;
    }

    /// Whether it is time to say again that somebody has the stream; noted as said.
    pub(crate) fn is_to_be_said(&self, now: Timestamp, every: Duration) -> bool {
        let mut kept = self.kept();
        let due = kept.said_at.is_none_or(|at| now.since(at) >= every);
        if due {
            kept.said_at = Some(now);
        }
        due
    }

    pub(crate) fn is_said(&self, now: Timestamp) {
        self.kept().said_at = Some(now);
    }

    /// An update came.
    pub(crate) fn heard(&self, now: Timestamp) {
        let traffic = &mut self.kept().traffic;
        if let Some(last) = traffic.last_at {
            let apart = u64::try_from(now.since(last).as_millis()).unwrap_or(u64::MAX);
            traffic.apart_ms =
                if traffic.apart_ms == 0 { apart } else { (traffic.apart_ms / 4) * 3 + apart / 4 };
        }
        traffic.last_at = Some(now);
        traffic.looked = false;
    }

    /// Whether it is quiet where there was traffic: longer than four times what is usual. True once in a silence.
    pub(crate) fn is_oddly_quiet(&self, now: Timestamp) -> bool {
        let traffic = &mut self.kept().traffic;
        let Some(last) = traffic.last_at else { return false };
        let usual = Duration::from_millis(traffic.apart_ms.saturating_mul(4));
        if traffic.looked || traffic.apart_ms == 0 || now.since(last) < usual.max(SHORTEST_SILENCE) {
            return false;
        }
        traffic.looked = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_where_there_was_traffic_is_noticed_once() {
        let memory = Memory::default();
        let at = |ms: i64| Timestamp::from_millis(1_800_000_000_000 + ms);
        assert!(!memory.is_oddly_quiet(at(0)), "nothing was heard yet");
        for second in 0..10 {
            memory.heard(at(second * 1000));
        }
        assert!(!memory.is_oddly_quiet(at(12_900)));
        assert!(memory.is_oddly_quiet(at(13_000)));
        assert!(!memory.is_oddly_quiet(at(60_000)), "once");
        memory.heard(at(61_000));
        assert!(!memory.is_oddly_quiet(at(62_000)));
    }

    #[test]
    fn what_lasts_is_said_again_now_and_then() {
        let memory = Memory::default();
        let at = |minutes| Timestamp::EPOCH.plus(Duration::from_mins(minutes));
        let hour = Duration::from_hours(1);
        let said: Vec<_> = (1..=200).filter(|minute| memory.is_to_be_said(at(*minute), hour)).collect();
        assert_eq!(said, [1, 61, 121, 181]);
    }
}
