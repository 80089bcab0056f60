//! How bots, lanes and the store are: read once for each time somebody looks, from memory and in one pass over the
//! lanes.
//!
//! **Bounded.** At most [`MAX_BOTS`] bots and [`MAX_LANES`] lanes have series of their own: those that need somebody
//! first. How many more there are is a figure too.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use tandem_bridge::{BotStatus, Bridge, IntakeState};
use tandem_journal::{LaneGlance, ReadError};
use tandem_metrics::{Figures, Label, Measured, Metric, Source};
use tandem_model::{PauseReason, Timestamp};

use super::{guard, store};

/// So many bots are shown one by one.
const MAX_BOTS: usize = 1_000;
/// So many lanes are.
const MAX_LANES: usize = 1_000;

/// The figures of bots and lanes.
pub(super) const METRICS: &[Metric] = &[
    BUILD,
    BOTS,
    BOT_STATE,
    LANES,
    LANES_SHOWN,
    LANE_LAG,
    LANE_OLDEST,
    LANE_PAUSED,
    LANE_HELD,
    LANE_SKIPPED,
    LANE_EXPIRED,
    LANE_LOST,
];

const BOT: Label =
    Label { name: "bot", values: "the bot's id; of at most 1,000 bots, those not running first" };
const OF_BOT: Label = Label { name: "bot", values: "the bot's id" };
const LANE: Label = Label {
    name: "lane",
    values: "the lane's name; at most 1,000, those that hold most and are furthest behind first",
};
const STATE: Label =
    Label { name: "state", values: "stopped, starting, running, conflict, trouble, store_refuses, revoked" };

const BUILD: Metric = Metric::gauge("tandem_build_info", "1", &[Label { name: "version", values: "one" }]);
const BOTS: Metric = Metric::gauge("tandem_bots", "Bots, by how taking their updates in goes", &[STATE]);
const BOT_STATE: Metric =
    Metric::gauge("tandem_bot_state", "1 for how taking a bot's updates in goes", &[BOT, STATE]);
const LANES: Metric = Metric::gauge("tandem_lanes", "Lanes of all bots", &[]);
const LANES_SHOWN: Metric =
    Metric::gauge("tandem_lanes_shown", "Of them, those with series of their own", &[]);
const LANE_LAG: Metric =
    Metric::gauge("tandem_lane_lag_events", "Events after a lane's cursor, wanted or not", &[OF_BOT, LANE]);
const LANE_OLDEST: Metric = Metric::gauge(
    "tandem_lane_oldest_seconds",
    "How long the first event after a lane's cursor has been in the journal, in seconds; 0 when there is none",
    &[OF_BOT, LANE],
);
const LANE_PAUSED: Metric = Metric::gauge(
    "tandem_lane_paused",
    "1 for a lane that stands still as a whole",
    &[OF_BOT, LANE, Label { name: "reason", values: "down, refused, operator, crowded" }],
);
const LANE_HELD: Metric = Metric::gauge(
    "tandem_lane_held_events",
    "Events that a lane has set aside; dead and unknown ones wait for a person",
    &[OF_BOT, LANE, Label { name: "state", values: "sending, retrying, unknown, dead" }],
);
const LANE_SKIPPED: Metric = Metric::counter(
    "tandem_lane_skipped_events",
    "Events that a lane passed because an operator skipped them or an app dropped its backlog, since it was made",
    &[OF_BOT, LANE],
);
const LANE_EXPIRED: Metric = Metric::counter(
    "tandem_lane_expired_events",
    "Events that a lane passed because their lifetime had ended, since it was made",
    &[OF_BOT, LANE],
);
const LANE_LOST: Metric = Metric::counter(
    "tandem_lane_lost_events",
    "Events that retention took from a lane before it had them, since it was made",
    &[OF_BOT, LANE],
);

/// The state as it was read last.
#[derive(Debug)]
pub(super) struct StateFigures {
    bridge: Bridge,
    latest: Mutex<Figures>,
    /// One reads at a time: whoever comes meanwhile would read the same.
    reading: tokio::sync::Mutex<()>,
}

impl StateFigures {
    pub(super) fn new(bridge: Bridge) -> Self {
        Self { bridge, latest: Mutex::default(), reading: tokio::sync::Mutex::default() }
    }

    /// Reads the state. What could be read is shown, also when the rest could not.
    pub(super) async fn refresh(&self) -> Result<(), ReadError> {
        let _reading = self.reading.lock().await;
        let parts = self.bridge.parts();
        let mut figures = Figures::default();
        let version = Measured { labels: vec![env!("CARGO_PKG_VERSION").to_owned()], value: 1.0 };
        figures.add_all(&BUILD, vec![version]);
        add_bots(&mut figures, self.bridge.list_status());
        guard::add(&mut figures, self.bridge.guard_counters());
        let read = async {
            let health = parts.store.health().borrow().clone();
            store::add(&mut figures, &health, &parts.store.stats().await?);
            let survey = parts.store.survey(MAX_LANES).await?;
            add_lanes(&mut figures, &survey.lanes, survey.all, parts.clock.now());
            Ok(())
        };
        let read = read.await;
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = figures;
        read
    }
}

impl Source for StateFigures {
    fn figures(&self) -> Figures {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

const fn word(state: &IntakeState) -> &'static str {
    match state {
        IntakeState::Stopped => "stopped",
        IntakeState::Starting => "starting",
        IntakeState::Running { .. } => "running",
        IntakeState::Conflict { .. } => "conflict",
        IntakeState::Trouble { .. } => "trouble",
        IntakeState::StoreRefuses { .. } => "store_refuses",
        IntakeState::Revoked { .. } => "revoked",
    }
}

fn measured<const N: usize>(labels: [&str; N], value: f64) -> Measured {
    Measured { labels: labels.map(str::to_owned).into(), value }
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 bots")]
fn add_bots(figures: &mut Figures, mut bots: Vec<BotStatus>) {
    let mut states: BTreeMap<&str, usize> = STATE.values.split(", ").map(|state| (state, 0)).collect();
    for bot in &bots {
        *states.entry(word(&bot.intake.state)).or_default() += 1;
    }
    let states = states.into_iter().map(|(state, count)| measured([state], count as f64));
    figures.add_all(&BOTS, states.collect());
    bots.sort_by_key(|bot| (matches!(bot.intake.state, IntakeState::Running { .. }), bot.bot));
    bots.truncate(MAX_BOTS);
    let shown = bots.iter().map(|bot| measured([&bot.bot.to_string(), word(&bot.intake.state)], 1.0));
    figures.add_all(&BOT_STATE, shown.collect());
}

const fn reason(reason: PauseReason) -> &'static str {
    match reason {
        PauseReason::Down => "down",
        PauseReason::Refused => "refused",
        PauseReason::Operator => "operator",
        PauseReason::Crowded => "crowded",
    }
}

#[expect(clippy::cast_precision_loss, reason = "nor 2^53 events")]
fn add_lanes(figures: &mut Figures, lanes: &[LaneGlance], all: u64, now: Timestamp) {
    figures.add(&LANES, all as f64);
    figures.add(&LANES_SHOWN, lanes.len() as f64);
    let each = |value: &dyn Fn(&LaneGlance) -> f64| {
        lanes.iter().map(|lane| measured([&lane.bot.to_string(), &lane.name], value(lane))).collect()
    };
    figures.add_all(&LANE_LAG, each(&|lane| lane.behind as f64));
    figures.add_all(&LANE_OLDEST, each(&|lane| lane.oldest.map_or(0.0, |at| now.since(at).as_secs_f64())));
    figures.add_all(&LANE_SKIPPED, each(&|lane| lane.passed.skipped as f64));
    figures.add_all(&LANE_EXPIRED, each(&|lane| lane.passed.expired as f64));
    figures.add_all(&LANE_LOST, each(&|lane| lane.lost as f64));
    let paused = lanes.iter().filter_map(|lane| {
        lane.paused.map(|why| measured([&lane.bot.to_string(), &lane.name, reason(why)], 1.0))
    });
    figures.add_all(&LANE_PAUSED, paused.collect());
    let held = lanes.iter().flat_map(|lane| {
        let held = lane.held;
        [
            ("sending", held.sending),
            ("retrying", held.retrying),
            ("unknown", held.unknown),
            ("dead", held.dead),
        ]
        .map(|(state, count)| measured([&lane.bot.to_string(), &lane.name, state], count as f64))
    });
    figures.add_all(&LANE_HELD, held.collect());
}
