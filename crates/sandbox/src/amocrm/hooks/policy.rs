//! When an account hook is tried again and when its destination is switched off (reference 5.2).
//!
//! Pure: answers and times in, decisions out.

use std::collections::VecDeque;
use std::time::Duration;

/// What a destination did with one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Status(u16),
    /// No answer within the limit, or no connection. amoCRM counts it as status 0.
    None,
}

impl Answer {
    /// 100–299 is success.
    pub(crate) fn is_valid(self) -> bool {
        matches!(self, Self::Status(100..=299))
    }

    /// The ladder's last two steps are for a destination that says itself that it failed.
    fn is_server_failure(self) -> bool {
        matches!(self, Self::Status(499..=599))
    }
}

/// How long to wait after attempt number `attempt` (from 1) was answered with `answer`; `None` ends the trying.
pub(crate) fn next_attempt(attempt: u32, answer: Answer) -> Option<Duration> {
    match attempt {
        _ if answer.is_valid() => None,
        1 => Some(Duration::from_mins(5)),
        2 => Some(Duration::from_mins(15)),
        3 if answer.is_server_failure() => Some(Duration::from_mins(15)),
        4 if answer.is_server_failure() => Some(Duration::from_hours(1)),
        _ => None,
    }
}

/// Counts a destination's invalid answers of the last two hours.
#[derive(Debug, Default)]
pub(crate) struct Health {
    invalid_at_ms: VecDeque<i64>,
}

impl Health {
    const WINDOW_MS: i64 = 2 * 60 * 60 * 1000;
    const LIMIT: usize = 100;

    /// Notes an answer; `true` says that the destination is to be disabled now.
    pub(crate) fn note(&mut self, answer: Answer, now_ms: i64) -> bool {
        if answer.is_valid() {
            return false;
        }
        self.invalid_at_ms.push_back(now_ms);
        while self.invalid_at_ms.front().is_some_and(|at| now_ms - at > Self::WINDOW_MS) {
            self.invalid_at_ms.pop_front();
        }
        self.invalid_at_ms.len() > Self::LIMIT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_is_five_attempts_for_server_failures_and_three_for_the_rest() {
        let waits = |answer| {
            (1..7).map_while(|n| next_attempt(n, answer)).map(|wait| wait.as_secs() / 60).collect::<Vec<_>>()
        };
        for answer in [Answer::Status(500), Answer::Status(599), Answer::Status(499)] {
            assert_eq!(waits(answer), [5, 15, 15, 60], "{answer:?}");
        }
        for answer in [Answer::None, Answer::Status(301), Answer::Status(404), Answer::Status(42)] {
            assert_eq!(waits(answer), [5, 15], "{answer:?}");
        }
        assert!(waits(Answer::Status(204)).is_empty());
    }

    #[test]
    fn more_than_a_hundred_invalid_answers_in_two_hours_disable_a_destination() {
        let mut health = Health::default();
        assert!((0..100).all(|n| !health.note(Answer::None, n)));
        assert!(!health.note(Answer::Status(200), 100), "the latest answer must be invalid too");
        assert!(health.note(Answer::Status(404), 101));

        let mut slow = Health::default();
        let minute = 60_000;
        assert!((0..500).all(|n| !slow.note(Answer::None, n * 2 * minute)), "60 in two hours are too few");
    }
}
