//! How fast a webhook may open connections (reference/telegram.md 3.3).

use std::collections::VecDeque;

/// Nothing has succeeded for this long: the webhook counts as down.
const DOWN_AFTER_MS: i64 = 10_000;
const BURST: usize = 10;
const BURST_MS: i64 = 500;
const DOWN_INTERVAL_MS: i64 = 2_000;

/// The account of opened connections.
#[derive(Debug)]
pub(super) struct Budget {
    last_success_ms: i64,
    /// The newest openings, at most a burst of them.
    opened_ms: VecDeque<i64>,
}

/// Whether one more connection may be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    Now,
    /// Not before this moment.
    At(i64),
    /// Not while the present ones are open.
    Full,
}

impl Budget {
    pub(super) fn new(last_success_ms: i64) -> Self {
        Self { last_success_ms, opened_ms: VecDeque::with_capacity(BURST) }
    }

    pub(super) fn succeeded(&mut self, now_ms: i64) {
        self.last_success_ms = now_ms;
    }

    pub(super) fn last_success_ms(&self) -> i64 {
        self.last_success_ms
    }

    /// With `open` connections of at most `limit`: while deliveries succeed 10 new ones in half a second, for a
    /// webhook that is down a single one and one attempt in two seconds.
    pub(super) fn permit(&self, open: usize, limit: usize, now_ms: i64) -> Permit {
        let down = self.last_success_ms + DOWN_AFTER_MS < now_ms;
        let limit = if down { limit.min(1) } else { limit };
        if open >= limit {
            return Permit::Full;
        }
        let free_ms = if down {
            self.opened_ms.back().map(|opened| opened + DOWN_INTERVAL_MS)
        } else if self.opened_ms.len() == BURST {
            self.opened_ms.front().map(|opened| opened + BURST_MS)
        } else {
            None
        };
        free_ms.filter(|free_ms| now_ms < *free_ms).map_or(Permit::Now, Permit::At)
    }

    pub(super) fn opened(&mut self, now_ms: i64) {
        if self.opened_ms.len() == BURST {
            self.opened_ms.pop_front();
        }
        self.opened_ms.push_back(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_connections_open_in_half_a_second_while_deliveries_succeed() {
        let mut budget = Budget::new(0);
        for open in 0..10 {
            assert_eq!(budget.permit(open, 40, 0), Permit::Now);
            budget.opened(0);
        }
        assert_eq!(budget.permit(10, 40, 0), Permit::At(500));
        assert_eq!(budget.permit(10, 40, 500), Permit::Now);
        assert_eq!(budget.permit(10, 10, 500), Permit::Full);
    }

    #[test]
    fn a_webhook_that_is_down_gets_one_connection_every_two_seconds() {
        let mut budget = Budget::new(0);
        budget.opened(10_500);
        assert_eq!(budget.permit(0, 40, 10_501), Permit::At(12_500));
        assert_eq!(budget.permit(1, 40, 12_500), Permit::Full);
        assert_eq!(budget.permit(0, 40, 12_500), Permit::Now);
        budget.succeeded(12_500);
        assert_eq!(budget.permit(1, 40, 12_500), Permit::Now);
    }
}
