//! How many requests are taken: 7 a second of each integration, 50 a second of all together (reference 4.1), by the
//! sandbox's clock.

use std::collections::BTreeMap;

const PER_INTEGRATION: f64 = 7.0;
const PER_ACCOUNT: f64 = 50.0;

/// A bucket that fills up again by its size every second.
#[derive(Debug)]
struct Bucket {
    size: f64,
    tokens: f64,
    at_ms: i64,
}

impl Bucket {
    fn full(size: f64, now_ms: i64) -> Self {
        Self { size, tokens: size, at_ms: now_ms }
    }

    fn fill(&mut self, now_ms: i64) {
        // Past a second it is full, so that the difference never needs more than an i32.
        let passed_ms = i32::try_from((now_ms - self.at_ms).clamp(0, 1000)).unwrap_or(0);
        self.tokens = (self.tokens + self.size * f64::from(passed_ms) / 1000.0).min(self.size);
        self.at_ms = now_ms;
    }
}

/// The buckets of the account.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Without it everything is taken.
    pub(crate) on: bool,
    all: Bucket,
    by_client: BTreeMap<String, Bucket>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { on: true, all: Bucket::full(PER_ACCOUNT, 0), by_client: BTreeMap::new() }
    }
}

impl Limits {
    /// Whether one more request is taken now.
    pub(crate) fn take(&mut self, client_id: &str, now_ms: i64) -> bool {
        if !self.on {
            return true;
        }
        let fresh = || Bucket::full(PER_INTEGRATION, now_ms);
        let own = self.by_client.entry(client_id.to_owned()).or_insert_with(fresh);
        own.fill(now_ms);
        self.all.fill(now_ms);
        if own.tokens < 1.0 || self.all.tokens < 1.0 {
            return false;
        }
        own.tokens -= 1.0;
        self.all.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_a_second_of_each_and_fifty_of_all() {
        let mut limits = Limits::default();
        let taken = |limits: &mut Limits, client: &str, now_ms| {
            (0..20).filter(|_| limits.take(client, now_ms)).count()
        };
        assert_eq!(taken(&mut limits, "a", 1000), 7);
        assert_eq!(taken(&mut limits, "a", 1000), 0);
        assert_eq!(taken(&mut limits, "a", 1500), 3);
        let others = (0..9).map(|n| taken(&mut limits, &n.to_string(), 9000)).sum::<usize>();
        assert_eq!(others, 50);
        limits.on = false;
        assert_eq!(taken(&mut limits, "a", 9000), 20);
    }
}
