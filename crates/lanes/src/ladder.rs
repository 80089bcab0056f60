//! The retry ladder: how long to wait after which failure, as data.

use std::time::Duration;

use tandem_model::Rng;

/// A random wait between two bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between {
    /// At least.
    pub least: Duration,
    /// Less than.
    pub most: Duration,
}

/// Waits by the number of failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// After the first failure, after the second, …
    pub steps: Vec<Duration>,
    /// After all further ones, for as long as the event is worth it.
    pub then: Between,
    /// The longest wait that a destination can ask for.
    pub longest: Duration,
}

impl Ladder {
    /// Telegram's own for webhooks (reference/telegram.md 3.3): at once, 2, 4, 8, 16, 32, 60 s, then a random 60 to
    /// 120 s; a destination's own wish is obeyed up to an hour.
    pub fn telegram() -> Self {
        Self {
            steps: [0, 2, 4, 8, 16, 32, 60].map(Duration::from_secs).to_vec(),
            then: Between { least: Duration::from_mins(1), most: Duration::from_mins(2) },
            longest: Duration::from_hours(1),
        }
    }

    /// How long to wait after this many failures (counted from 1). What the destination asked for wins.
    pub fn wait(&self, failures: u32, asked: Option<Duration>, rng: &dyn Rng) -> Duration {
        if let Some(asked) = asked {
            return asked.min(self.longest);
        }
        let step = usize::try_from(failures.saturating_sub(1)).unwrap_or(usize::MAX);
        self.steps.get(step).copied().unwrap_or_else(|| {
            let spread = self.then.most.saturating_sub(self.then.least).as_millis();
            let extra = rng.below(u64::try_from(spread).unwrap_or(u64::MAX));
            self.then.least + Duration::from_millis(extra)
        })
    }
}

#[cfg(test)]
mod tests {
    use tandem_model::SeededRng;

    use super::*;

    #[test]
    fn a_webhook_is_tried_again_as_telegram_would() {
        let (ladder, rng) = (Ladder::telegram(), SeededRng::from_seed(1));
        let waits: Vec<u64> = (1..=7).map(|failures| ladder.wait(failures, None, &rng).as_secs()).collect();
        assert_eq!(waits, [0, 2, 4, 8, 16, 32, 60]);
        let later: Vec<Duration> = (8..200).map(|failures| ladder.wait(failures, None, &rng)).collect();
        assert!(later.iter().all(|wait| (60_000..120_000).contains(&wait.as_millis())));
        assert!(later.iter().any(|wait| wait != &later[0]));
        assert!(ladder.wait(u32::MAX, None, &rng) >= Duration::from_mins(1));
    }

    #[test]
    fn what_the_destination_asks_for_wins_within_an_hour() {
        let (ladder, rng) = (Ladder::telegram(), SeededRng::from_seed(1));
        assert_eq!(ladder.wait(7, Some(Duration::ZERO), &rng), Duration::ZERO);
        assert_eq!(ladder.wait(1, Some(Duration::from_secs(77)), &rng), Duration::from_secs(77));
        assert_eq!(ladder.wait(1, Some(Duration::from_hours(9)), &rng), Duration::from_hours(1));
    }
}
