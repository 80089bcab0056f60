//! When a failed delivery is tried again (reference/telegram.md 3.3).

use crate::random::Random;

const MAX_RETRY_AFTER_SECS: i64 = 3_600;
const MAX_WAIT_SECS: i64 = 60;

/// The wait after the given number of failures in a row: nothing, then 2, 4, 8, 16, 32, about 60 and from then
/// on 60 to 120 seconds. A `Retry-After` wins.
pub(super) fn wait_ms(failures: u32, retry_after_secs: Option<i64>, random: &Random) -> i64 {
    if let Some(seconds) = retry_after_secs.filter(|seconds| *seconds >= 0) {
        return seconds.min(MAX_RETRY_AFTER_SECS) * 1000;
    }
    if failures <= 1 {
        return 0;
    }
    let doubled_ms = 1000 << (failures - 1).min(10);
    let random_ms = random.range(MAX_WAIT_SECS * 1000..MAX_WAIT_SECS * 2000 + 1);
    doubled_ms.min(random_ms)
}

/// A `Retry-After` that is a number of seconds.
pub(super) fn retry_after(value: &str) -> Option<i64> {
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_doubles_up_to_a_minute_and_then_is_random() {
        let random = Random::seeded(1);
        let waits: Vec<_> = (1..=6).map(|failures| wait_ms(failures, None, &random) / 1000).collect();
        assert_eq!(waits, [0, 2, 4, 8, 16, 32]);
        assert!((60_000..=64_000).contains(&wait_ms(7, None, &random)));
        for failures in [8, 9, 50, 62, 63, 64, 70, u32::MAX] {
            assert!((60_000..=120_000).contains(&wait_ms(failures, None, &random)), "{failures}");
        }
    }

    #[test]
    fn retry_after_wins_within_an_hour() {
        let random = Random::seeded(1);
        assert_eq!(wait_ms(1, Some(17), &random), 17_000);
        assert_eq!(wait_ms(9, Some(99_999), &random), 3_600_000);
        assert_eq!(wait_ms(2, Some(0), &random), 0);
        assert_eq!(wait_ms(2, Some(-5), &random), 2_000);
        assert_eq!(retry_after(" 5 "), Some(5));
        assert_eq!(retry_after("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }
}
