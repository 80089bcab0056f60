//! What the guards of bots have seen and done.

use std::collections::BTreeMap;

use tandem_bridge::GuardCounters;
use tandem_metrics::{Figures, Label, Measured, Metric};

/// So many bots are shown one by one.
const MAX_BOTS: usize = 1_000;

/// The figures of guards.
pub(super) const METRICS: &[Metric] = &[GUARDS, CHECKS, ALERTS, RETAKES, MISSING];

const STATE: Label = Label { name: "state", values: "off, watching, taken, stood_down" };
const BOT: Label = Label {
    name: "bot",
    values: "the bot's id; of at most 1,000 bots, those of which the stream was taken most often first",
};

const GUARDS: Metric =
    Metric::gauge("tandem_guards", "Guards of bots' streams, by what they are doing", &[STATE]);
const CHECKS: Metric = Metric::counter(
    "tandem_guard_checks",
    "Calls to Telegram that guards made, to look and to take back",
    &[],
);
const ALERTS: Metric = Metric::counter(
    "tandem_guard_alerts",
    "How often somebody else was found to have a bot's stream, since it was adopted",
    &[BOT],
);
const RETAKES: Metric = Metric::counter(
    "tandem_guard_retakes",
    "How often a bot's stream was taken back, since it was adopted",
    &[BOT],
);
const MISSING: Metric = Metric::gauge(
    "tandem_guard_missing_updates",
    "Updates of a bot that went past us or never came, since it was adopted; fewer when one comes late",
    &[BOT],
);

/// Adds what the guards say of themselves.
#[expect(clippy::cast_precision_loss, reason = "figures of 2^53 and more are none to look at closely")]
pub(super) fn add(figures: &mut Figures, mut guards: Vec<GuardCounters>) {
    let mut states: BTreeMap<&str, usize> = STATE.values.split(", ").map(|state| (state, 0)).collect();
    for guard in &guards {
        *states.entry(guard.state).or_default() += 1;
    }
    let one = |label: String, value: u64| Measured { labels: vec![label], value: value as f64 };
    figures.add_all(
        &GUARDS,
        states.iter().map(|(state, count)| one((*state).to_owned(), *count as u64)).collect(),
    );
    figures.add(&CHECKS, guards.iter().map(|guard| guard.checks).sum::<u64>() as f64);
    guards.sort_by_key(|guard| (std::cmp::Reverse((guard.alerts, guard.holes)), guard.bot));
    guards.truncate(MAX_BOTS);
    let each = |value: fn(&GuardCounters) -> u64| {
        guards.iter().map(|guard| one(guard.bot.to_string(), value(guard))).collect()
    };
    figures.add_all(&ALERTS, each(|guard| guard.alerts));
    figures.add_all(&RETAKES, each(|guard| guard.retakes));
    figures.add_all(&MISSING, each(|guard| guard.holes));
}
