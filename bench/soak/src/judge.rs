//! Whether a soak was survived: what was lost, and what grew. How long anything took is no part of it.

use serde::Serialize;

use crate::history::{History, Sample};

/// So much of the time in the beginning says nothing about growth. The longest warm-up is that of a bot that is polled:
/// its connection reads into 8 KiB of which each empty answer touches some 190 bytes more, until it begins at the front
/// again after 43 answers. At one in 50 seconds that is 36 minutes.
const WARM_UP: f64 = 2.0 / 3.0;

/// From here on a run is long enough that retention has been at work: it comes every ten minutes.
const LONG_S: f64 = 25.0 * 60.0;

/// What was asked, and whether it is so.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    pub(crate) asked: &'static str,
    pub(crate) holds: bool,
    /// The figures behind it.
    pub(crate) because: String,
}

/// How much a figure may grow in the whole time, at the pace of the straight line that fits best after the warm-up.
#[derive(Clone, Copy)]
struct Tolerance {
    percent: f64,
    /// In the figure's own unit: noise of small ones is no growth.
    at_least: f64,
}

const MEMORY: Tolerance = Tolerance { percent: 3.0, at_least: 2.0 };
const COUNTS: Tolerance = Tolerance { percent: 2.0, at_least: 8.0 };
const THREADS: Tolerance = Tolerance { percent: 0.0, at_least: 2.0 };

/// Judges a run.
pub(crate) fn judge(history: &History) -> Vec<Check> {
    let History { samples, outcome, .. } = history;
    let got = |asked, got: crate::history::Got, repeats: bool| Check {
        asked,
        holds: got.missing == 0 && got.strange == 0 && (repeats || got.repeated == 0),
        because: format!(
            "{} with {} updates: {} missing, {} more than once, {} never sent",
            got.consumers, got.expected, got.missing, got.repeated, got.strange
        ),
    };
    let mut checks = vec![
        got("every app that polls got exactly what was sent", outcome.polling_apps, false),
        got("every app with a webhook got everything that was sent", outcome.webhook_apps, true),
        got("every route that is well got everything Telegram delivered", outcome.routes, true),
        Check {
            asked: "Telegram has everything confirmed",
            holds: outcome.made == outcome.confirmed,
            because: format!("{} of {}", outcome.confirmed, outcome.made),
        },
        Check {
            asked: "the journals have every update and every answer of an app",
            holds: outcome.appended == outcome.made + outcome.down.given + outcome.answered,
            because: format!(
                "{} events: {} updates of Telegram's, {} posted to the bot that is down, {} answers",
                outcome.appended, outcome.made, outcome.down.given, outcome.answered
            ),
        },
        Check {
            asked: "what the route that is down has not got waits, is held, or is known to be lost",
            holds: outcome.down.waiting + outcome.down.held + outcome.down.lost == outcome.down.given,
            because: format!("{:?}", outcome.down),
        },
        Check {
            asked: "a loss is said in the log, and nothing else is an error",
            holds: (outcome.down.lost > 0) == (outcome.loud_losses > 0) && outcome.other_errors == 0,
            because: format!(
                "{} lines about {} lost events, {} other errors",
                outcome.loud_losses, outcome.down.lost, outcome.other_errors
            ),
        },
        flat("memory is flat", history, |sample| to_f64(sample.rss_kb) / 1024.0, "MB", MEMORY),
        flat("open files are flat", history, |sample| to_f64(sample.open_files), "files", COUNTS),
        flat("tasks are flat", history, |sample| to_f64(sample.tasks), "tasks", COUNTS),
        flat("threads are flat", history, |sample| to_f64(sample.threads), "threads", THREADS),
        size(history),
    ];
    if samples.last().is_some_and(|last| last.at_s >= LONG_S) {
        checks.push(Check {
            asked: "what has lived its time is deleted",
            holds: outcome.kept < outcome.appended && outcome.down.lost > 0,
            because: format!("{} of {} events are left", outcome.kept, outcome.appended),
        });
    }
    checks
}

/// Whether the straight line through what was measured after the warm-up rises.
fn flat(
    asked: &'static str,
    history: &History,
    figure: impl Fn(&Sample) -> f64,
    unit: &str,
    tolerance: Tolerance,
) -> Check {
    let Some((mean, growth)) = growth(&history.samples, figure) else {
        return Check { asked, holds: false, because: "it was not measured often enough".to_owned() };
    };
    let allowed = tolerance.of(mean, history.plan.noise);
    Check {
        asked,
        holds: growth <= allowed,
        because: format!(
            "{mean:.1} {unit} on average, {growth:+.2} in the whole time at the pace after the warm-up; {allowed:.2} are allowed"
        ),
    }
}

impl Tolerance {
    fn of(self, mean: f64, noise: f64) -> f64 {
        (mean * self.percent / 100.0).max(self.at_least * noise)
    }
}

/// The mean after the warm-up, and by how much it would have grown in the whole time at the pace it had then.
fn growth(samples: &[Sample], figure: impl Fn(&Sample) -> f64) -> Option<(f64, f64)> {
    let end = samples.last().map_or(0.0, |last| last.at_s);
    let warm: Vec<(f64, f64)> = samples
        .iter()
        .filter(|sample| sample.at_s >= end * WARM_UP)
        .map(|sample| (sample.at_s, figure(sample)))
        .collect();
    let (mean, rise) = fit(&warm)?;
    let (first, last) = (warm.first()?.0, warm.last()?.0);
    Some((mean, rise * end / (last - first)))
}

/// The mean, and by how much the line of least squares rises from the first to the last.
fn fit(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let (first, last) = (points.first()?.0, points.last()?.0);
    let count = to_f64(points.len() as u64);
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (middle, mean) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|(at, _)| (at - middle).powi(2)).sum();
    let together: f64 = points.iter().map(|(at, value)| (at - middle) * (value - mean)).sum();
    (points.len() >= 3 && spread > 0.0).then(|| (mean, together / spread * (last - first)))
}

/// The database and its log grow to a size and no further: what the bot with the backlog may hold, some of it twice
/// while it is moved, and what the others leave until it has lived its time.
fn size(history: &History) -> Check {
    const PER_BYTE: f64 = 2.0;
    const PER_BOT: f64 = 24.0 * 1024.0;
    const ALWAYS: f64 = 256.0 * 1024.0 * 1024.0;
    let largest = history.samples.iter().map(|sample| sample.database_bytes + sample.log_bytes).max();
    let largest = to_f64(largest.unwrap_or(0));
    let bots = to_f64(history.plan.bots as u64);
    let allowed = to_f64(history.max_bytes) * PER_BYTE + bots * PER_BOT + ALWAYS;
    let mib = |bytes: f64| bytes / (1024.0 * 1024.0);
    Check {
        asked: "the database is bounded",
        holds: largest <= allowed,
        because: format!("at most {:.0} MiB with its log; {:.0} are allowed", mib(largest), mib(allowed)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "nothing here is counted to 2^52")]
pub(crate) const fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An hour of samples with noise.
    fn hour(figure: impl Fn(f64) -> f64) -> Vec<Sample> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
        (1..=360_u32)
            .map(|number| {
                let at_s = f64::from(number) * 10.0;
                let noise = f64::from(number * 7919 % 1000);
                Sample { at_s, rss_kb: (figure(at_s) + noise) as u64, ..Sample::default() }
            })
            .collect()
    }

    fn memory_is_flat(samples: &[Sample]) -> bool {
        growth(samples, |sample| to_f64(sample.rss_kb) / 1024.0)
            .is_some_and(|(mean, growth)| growth <= MEMORY.of(mean, 1.0))
    }

    #[test]
    fn noise_and_a_warm_up_are_no_growth() {
        assert!(memory_is_flat(&hour(|_| 100_000.0)));
        assert!(memory_is_flat(&hour(|at| if at < 2200.0 { at * 50.0 } else { 110_000.0 })));
    }

    #[test]
    fn a_leak_of_five_megabytes_an_hour_is_growth() {
        assert!(!memory_is_flat(&hour(|at| 100_000.0 + at * 5.0 * 1024.0 / 3600.0)));
    }

    #[test]
    fn a_jump_that_stays_is_growth() {
        assert!(!memory_is_flat(&hour(|at| if at < 3000.0 { 100_000.0 } else { 106_000.0 })));
    }

    #[test]
    fn what_was_measured_too_seldom_is_not_flat() {
        assert!(!memory_is_flat(&hour(|_| 100_000.0)[..1]));
    }
}
