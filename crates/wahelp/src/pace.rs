//! How fast a channel sends: settings of the owner's, because messengers block accounts that are too fast and Wahelp
//! names no limits (13.5).
//!
//! Who has been written to before comes before first messages to somebody. Whoever would wait for long is told when to
//! come again, so that nobody keeps a place for nothing.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::tz::Offset;
use tandem_model::{Blame, Clock, Timestamp};
use tandem_vendor::{Failure, FailureKind};

use crate::{document::PaceDocument, time};

/// Longest wait in place.
const IN_PLACE: Duration = Duration::from_secs(5);

/// Whether somebody was written to before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    First,
    Further,
}

/// The paces of all channels.
#[derive(Debug)]
pub(crate) struct Pace {
    document: PaceDocument,
    offset: Offset,
    channels: Mutex<HashMap<String, Times>>,
    /// Those who wait with somebody they have written to before.
    further: AtomicUsize,
}

#[derive(Debug, Default, Clone)]
struct Times {
    next: Option<Timestamp>,
    next_first: Option<Timestamp>,
    day: i64,
    sent: u32,
}

/// Waits with somebody who was written to before.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pace {
    pub(crate) fn new(document: PaceDocument, offset: Offset, kept: Option<&str>) -> Self {
        let channels = kept.map(read_kept).unwrap_or_default();
        Self { document, offset, channels: Mutex::new(channels), further: AtomicUsize::new(0) }
    }

    /// Waits for a turn in a channel. What has to be kept when a day's count is to survive us is returned now and then.
    pub(crate) async fn take(
        &self,
        channel: &str,
        turn: Turn,
        clock: &dyn Clock,
    ) -> Result<Option<String>, Failure> {
        let _waiting = (turn == Turn::Further).then(|| {
            self.further.fetch_add(1, Ordering::Relaxed);
            Waiting(&self.further)
        });
        loop {
            let now = clock.now();
            let until = match self.try_take(channel, turn, now)? {
                Ok(kept) => return Ok(kept),
                Err(until) => until,
            };
            let wait = until.since(now);
            if wait > IN_PLACE {
                return Err(later(wait, "it waits for its turn: messages go out one after another (pace)"));
            }
            clock.sleep_until(until).await;
        }
    }

    fn try_take(
        &self,
        channel: &str,
        turn: Turn,
        now: Timestamp,
    ) -> Result<Result<Option<String>, Timestamp>, Failure> {
        let PaceDocument { min_gap_ms, first_gap_ms, daily_cap } = self.document;
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let times = channels.entry(channel.to_owned()).or_default();
        let today = time::day(now, self.offset);
        if times.day != today {
            (times.day, times.sent) = (today, 0);
        }
        if daily_cap.is_some_and(|cap| times.sent >= cap) {
            let wait = time::end_of_day(now, self.offset).since(now);
            return Err(later(wait, "the channel has sent as much today as it may (pace.daily_cap)"));
        }
        let gate = match turn {
            Turn::Further => times.next,
            Turn::First => times.next.max(times.next_first),
        };
        if let Some(gate) = gate.filter(|gate| *gate > now) {
            return Ok(Err(gate));
        }
        if turn == Turn::First && self.further.load(Ordering::Relaxed) > 0 {
            return Ok(Err(now.plus(Duration::from_millis(min_gap_ms.max(1)))));
        }
        times.next = Some(now.plus(Duration::from_millis(min_gap_ms)));
        times.next_first = Some(now.plus(Duration::from_millis(first_gap_ms)));
        times.sent += 1;
        let often = daily_cap.map(|cap| (cap / 20).max(1));
        let is_due = often.is_some_and(|often| times.sent.is_multiple_of(often));
        Ok(Ok(is_due.then(|| written(&channels))))
    }
}

fn later(after: Duration, words: &str) -> Failure {
    Failure::new(FailureKind::Later { after: Some(after), blame: Blame::Event }, words)
}

fn written(channels: &HashMap<String, Times>) -> String {
    let mut counts: Vec<_> =
        channels.iter().map(|(channel, times)| format!("{channel}={}={}", times.day, times.sent)).collect();
    counts.sort();
    counts.join(",")
}

fn read_kept(kept: &str) -> HashMap<String, Times> {
    let read = |count: &str| {
        let mut parts = count.split('=');
        let (channel, day, sent) = (parts.next()?, parts.next()?, parts.next()?);
        Some((
            channel.to_owned(),
            Times { day: day.parse().ok()?, sent: sent.parse().ok()?, ..Times::default() },
        ))
    };
    kept.split(',').filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use tandem_testkit::ManualClock;

    use super::*;

    fn pace(document: PaceDocument, kept: Option<&str>) -> Pace {
        Pace::new(document, time::offset("+03:00").unwrap(), kept)
    }

    #[tokio::test]
    async fn messages_keep_their_distance_and_first_ones_a_longer_one() {
        let clock = ManualClock::new();
        let pace = pace(PaceDocument { min_gap_ms: 10_000, first_gap_ms: 90_000, daily_cap: None }, None);
        assert_eq!(pace.take("a", Turn::Further, &clock).await, Ok(None));
        let wait = |failure: Failure| match failure.kind {
            FailureKind::Later { after, .. } => after.unwrap(),
            other => panic!("{other:?}"),
        };
        let further = pace.take("a", Turn::Further, &clock).await.unwrap_err();
        assert_eq!(wait(further), Duration::from_secs(10));
        let first = pace.take("a", Turn::First, &clock).await.unwrap_err();
        assert_eq!(wait(first), Duration::from_secs(90));
        assert_eq!(
            pace.take("b", Turn::First, &clock).await,
            Ok(None),
            "another channel has a pace of its own"
        );
        clock.advance(Duration::from_secs(10));
        assert_eq!(pace.take("a", Turn::Further, &clock).await, Ok(None));
    }

    #[tokio::test]
    async fn a_daily_cap_holds_until_midnight_there_and_over_a_restart() {
        let clock = ManualClock::new();
        let document = PaceDocument { min_gap_ms: 0, first_gap_ms: 0, daily_cap: Some(2) };
        let first = pace(document, None);
        assert!(first.take("a", Turn::First, &clock).await.unwrap().is_some());
        let kept = first.take("a", Turn::First, &clock).await.unwrap().unwrap();
        let again = pace(document, Some(&kept));
        let full = again.take("a", Turn::Further, &clock).await.unwrap_err();
        assert!(full.words.contains("daily_cap"), "{full}");
        let FailureKind::Later { after: Some(wait), .. } = full.kind else { panic!("{full:?}") };
        clock.advance(wait);
        assert!(again.take("a", Turn::Further, &clock).await.is_ok());
    }

    #[tokio::test]
    async fn whoever_was_written_to_before_comes_before_first_messages() {
        let clock = ManualClock::new();
        let pace = pace(PaceDocument { min_gap_ms: 1, first_gap_ms: 1, daily_cap: None }, None);
        let waiting = {
            pace.further.fetch_add(1, Ordering::Relaxed);
            Waiting(&pace.further)
        };
        assert!(pace.try_take("a", Turn::First, clock.now()).unwrap().is_err());
        drop(waiting);
        assert!(pace.try_take("a", Turn::First, clock.now()).unwrap().is_ok());
    }
}
