//! How long to wait after failures in a row.

use std::time::Duration;

use tandem_model::Rng;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(1);

/// The wait after so many failures in a row: doubling from one second to one minute, and each between half and whole of
/// it by chance, so that many bots do not come back at one moment.
pub(crate) fn wait(failures: u32, rng: &dyn Rng) -> Duration {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16));
    jittered(doubled.min(LONGEST), rng)
}

/// Between half and whole of a wait.
pub(crate) fn jittered(wait: Duration, rng: &dyn Rng) -> Duration {
    let half = wait / 2;
    let spread = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    half + Duration::from_millis(rng.below(spread.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use tandem_model::SeededRng;

    use super::*;

    #[test]
    fn waits_double_up_to_a_minute_and_no_two_bots_come_back_together() {
        let rng = SeededRng::from_seed(3);
        for (failures, most) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (30, 60), (u32::MAX, 60)] {
            let waits: Vec<_> = (0..50).map(|_| wait(failures, &rng)).collect();
            let most = Duration::from_secs(most);
            assert!(waits.iter().all(|wait| (most / 2..=most).contains(wait)), "{failures}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]));
        }
    }
}
