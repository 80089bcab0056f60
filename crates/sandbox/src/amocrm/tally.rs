//! Counts a connection's deliveries and recognises repeats.
//!
//! Whether the real amoCRM is idempotent by `update_id` is not known, so nothing is suppressed here: a repeat is
//! told apart and counted, and both views are offered to whoever reads the chats.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher as _};

use serde::Serialize;

/// As many as Telegram delivers in an hour or so; older ids are forgotten.
const REMEMBERED: usize = 100_000;

/// The counters of one connection.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Tally {
    /// Deliveries kept, repeats included.
    pub(crate) received: u64,
    /// Deliveries whose id and bytes had been taken before.
    pub(crate) repeats: u64,
    /// Deliveries whose id had been taken before with other bytes.
    pub(crate) clashes: u64,
    /// Deliveries that a planned fault kept out.
    pub(crate) refused: u64,
    /// When the last delivery was kept: how long amoCRM has been silent.
    pub(crate) last_at_ms: Option<i64>,
    #[serde(skip)]
    seen: HashMap<i64, u64>,
    #[serde(skip)]
    order: VecDeque<i64>,
}

impl Tally {
    /// Counts a delivery that is kept; `true` says that it is a repeat.
    pub(crate) fn count(&mut self, update_id: i64, body: &[u8], now_ms: i64) -> bool {
        self.received += 1;
        self.last_at_ms = Some(now_ms);
        let mut hasher = DefaultHasher::new();
        hasher.write(body);
        let fingerprint = hasher.finish();
        match self.seen.insert(update_id, fingerprint) {
            Some(before) if before == fingerprint => {
                self.repeats += 1;
                true
            }
            Some(_) => {
                self.clashes += 1;
                false
            }
            None => {
                self.order.push_back(update_id);
                if self.order.len() > REMEMBERED
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.seen.remove(&oldest);
                }
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_has_the_same_id_and_the_same_bytes() {
        let mut tally = Tally::default();
        assert!(!tally.count(1, b"a", 0));
        assert!(tally.count(1, b"a", 1));
        assert!(!tally.count(1, b"b", 2));
        assert_eq!((tally.received, tally.repeats, tally.clashes, tally.last_at_ms), (3, 1, 1, Some(2)));
    }
}
