//! What will go wrong and when: everything of it follows from the seed.
//!
//! The plan is exact; how real processes, disks and networks meet it is not, so two runs of one seed meet the same
//! faults at the same moments but not at the same instruction.

use std::{collections::BTreeMap, time::Duration};

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha12Rng, seq::SliceRandom as _};
use serde::Serialize;

/// How large a run is.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// People who write.
    pub clients: usize,
    /// Groups in which some of them write too.
    pub groups: usize,
    /// How often the service is killed.
    pub kills: usize,
    /// The pause between two kills, on average.
    pub kill_every: Duration,
    /// How long a client waits between two acts, on average.
    pub client_pause: Duration,
    /// How long any other fault lasts at most.
    pub longest_fault: Duration,
    /// How long the CRM is away, each time.
    pub crm_outages: [Duration; 2],
    /// How long everybody may take to have everything once the faults have ended.
    pub settle: Duration,
}

impl Extent {
    /// The run of the issue: two hundred clients, minutes without a CRM.
    pub const fn full(kills: usize) -> Self {
        Self {
            clients: 200,
            groups: 10,
            kills,
            kill_every: Duration::from_millis(3_500),
            client_pause: Duration::from_secs(6),
            longest_fault: Duration::from_secs(3),
            crm_outages: [Duration::from_mins(2), Duration::from_mins(1)],
            settle: Duration::from_mins(5),
        }
    }

    /// For the tests: every kind of fault once, in less than a minute.
    pub const fn small() -> Self {
        Self {
            clients: 24,
            groups: 2,
            kills: 5,
            kill_every: Duration::from_millis(2_500),
            client_pause: Duration::from_secs(1),
            longest_fault: Duration::from_millis(1_400),
            crm_outages: [Duration::from_secs(4), Duration::from_secs(2)],
            settle: Duration::from_mins(2),
        }
    }
}

/// What can go wrong, apart from kills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Between Telegram and the service connections are reset before Telegram has the request.
    UpstreamResets,
    /// They are reset after Telegram has carried it out.
    UpstreamLosesAnswers,
    /// Telegram's answers come seconds later, some of them never.
    UpstreamStalls,
    /// A proxy's page instead of an answer.
    UpstreamAnswersHtml,
    /// 500 in Telegram's own form.
    UpstreamFails,
    /// 429 with `retry_after`.
    UpstreamIsBusy,
    /// An answer ends in the middle.
    UpstreamCutsAnswers,
    /// Updates that were confirmed come again.
    UpstreamRepeats,
    /// Nobody listens.
    UpstreamIsAway,
    /// The sequence of update ids goes on elsewhere.
    UpstreamRebases,
    /// The CRM's address refuses connections.
    CrmIsAway,
    /// The CRM resets connections.
    CrmResets,
    /// The relay's receiver answers 500.
    RelayFails,
    /// It answers after seconds.
    RelayIsSlow,
    /// It refuses connections.
    RelayIsAway,
    /// The app's webhook answers 410.
    WebhookIsGone,
    /// It answers 500, or takes and answers 500.
    WebhookFails,
    /// It answers after seconds.
    WebhookIsSlow,
    /// It refuses connections.
    WebhookIsAway,
    /// The polling app stops asking and begins anew without an offset.
    PollerRestarts,
    /// The polling app runs twice.
    PollerTwice,
    /// Less than the low watermark is free.
    DiskIsLow,
    /// The disk is full, the reserve file is all that is left.
    DiskIsFull,
    /// And the reserve is taken by somebody else, too.
    DiskIsFullForGood,
    /// A sync takes a second.
    DiskIsSlow,
    /// A sync fails.
    DiskFails,
    /// The clock is set ahead.
    ClockAhead,
    /// The clock is set back.
    ClockBack,
    /// The clock stands still.
    ClockFrozen,
    /// The process stands still.
    Stopped,
    /// SIGTERM under load, and a new start.
    Terminated,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 31] = [
        Self::UpstreamResets,
        Self::UpstreamLosesAnswers,
        Self::UpstreamStalls,
        Self::UpstreamAnswersHtml,
        Self::UpstreamFails,
        Self::UpstreamIsBusy,
        Self::UpstreamCutsAnswers,
        Self::UpstreamRepeats,
        Self::UpstreamIsAway,
        Self::UpstreamRebases,
        Self::CrmIsAway,
        Self::CrmResets,
        Self::RelayFails,
        Self::RelayIsSlow,
        Self::RelayIsAway,
        Self::WebhookIsGone,
        Self::WebhookFails,
        Self::WebhookIsSlow,
        Self::WebhookIsAway,
        Self::PollerRestarts,
        Self::PollerTwice,
        Self::DiskIsLow,
        Self::DiskIsFull,
        Self::DiskIsFullForGood,
        Self::DiskIsSlow,
        Self::DiskFails,
        Self::ClockAhead,
        Self::ClockBack,
        Self::ClockFrozen,
        Self::Stopped,
        Self::Terminated,
    ];

    /// Whether it happens at a moment, rather than lasting.
    const fn is_momentary(self) -> bool {
        matches!(self, Self::UpstreamRebases | Self::PollerRestarts | Self::Terminated)
    }

    /// Whether there is one place for it, so that two of the same cannot overlap.
    pub(crate) const fn place(self) -> Place {
        match self {
            Self::UpstreamResets
            | Self::UpstreamLosesAnswers
            | Self::UpstreamStalls
            | Self::UpstreamAnswersHtml
            | Self::UpstreamFails
            | Self::UpstreamIsBusy
            | Self::UpstreamCutsAnswers
            | Self::UpstreamRepeats
            | Self::UpstreamIsAway
            | Self::UpstreamRebases => Place::Upstream,
            Self::CrmIsAway | Self::CrmResets => Place::Crm,
            Self::RelayFails | Self::RelayIsSlow | Self::RelayIsAway => Place::Relay,
            Self::WebhookIsGone | Self::WebhookFails | Self::WebhookIsSlow | Self::WebhookIsAway => {
                Place::Webhook
            }
            Self::PollerRestarts | Self::PollerTwice => Place::Poller,
            Self::DiskIsLow
            | Self::DiskIsFull
            | Self::DiskIsFullForGood
            | Self::DiskIsSlow
            | Self::DiskFails => Place::Disk,
            Self::ClockAhead | Self::ClockBack | Self::ClockFrozen => Place::Clock,
            Self::Stopped | Self::Terminated => Place::Process,
        }
    }
}

/// Where a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Upstream,
    Crm,
    Relay,
    Webhook,
    Poller,
    Disk,
    Clock,
    Process,
}

/// A fault with its time.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Episode {
    /// When it begins, from the beginning of the load.
    pub at: Duration,
    /// How long it lasts; zero for what happens at a moment.
    pub lasts: Duration,
    /// What it is.
    pub fault: Fault,
    /// A number for what the fault leaves open: how far a clock jumps, how slow a disk is; below 1000.
    pub extent: u32,
}

/// Everything that will go wrong.
#[derive(Debug)]
pub struct Plan {
    /// When the service is killed.
    pub kills: Vec<Duration>,
    /// What else happens, in order.
    pub episodes: Vec<Episode>,
    /// When the clients stop and everything is healed.
    pub lasts: Duration,
}

impl Plan {
    /// The plan of a seed.
    pub fn of(seed: u64, extent: &Extent) -> Self {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let kills = kills(&mut rng, extent);
        let last = kills.last().copied().unwrap_or_default();
        let outages: Duration = extent.crm_outages.iter().sum();
        let (mut episodes, ended) = others(&mut rng, last.max(outages * 2), extent.longest_fault);
        let lasts = ended + Duration::from_secs(1);
        episodes.extend(crm_outages(extent, lasts));
        episodes.sort_by_key(|episode| episode.at);
        Self { kills, episodes, lasts }
    }

    /// How often each fault happens.
    pub fn counts(&self) -> BTreeMap<Fault, usize> {
        let mut counts = BTreeMap::new();
        for episode in &self.episodes {
            *counts.entry(episode.fault).or_default() += 1;
        }
        counts
    }
}

/// At random moments; one in five soon after the one before, when the service is just starting.
fn kills(rng: &mut ChaCha12Rng, extent: &Extent) -> Vec<Duration> {
    let mean = extent.kill_every.as_secs_f64();
    let mut at = Duration::from_secs(1);
    (0..extent.kills)
        .map(|_| {
            let pause = if rng.random_bool(0.2) {
                rng.random_range(0.05..0.6)
            } else {
                mean * rng.random_range(0.5..1.9)
            };
            at += Duration::from_secs_f64(pause);
            at
        })
        .collect()
}

/// The CRM is away twice, for long.
fn crm_outages(extent: &Extent, lasts: Duration) -> [Episode; 2] {
    let [first, second] = extent.crm_outages;
    let episode = |at, lasts, fault| Episode { at, lasts, fault, extent: 0 };
    [
        episode(lasts / 10, first, Fault::CrmIsAway),
        episode(lasts / 10 + first + lasts.saturating_sub(first + second) / 3, second, Fault::CrmResets),
    ]
}

/// All other faults: first each of them once, then whichever comes until `least`, at several places at a time; and
/// when the last of them is over.
fn others(rng: &mut ChaCha12Rng, least: Duration, longest: Duration) -> (Vec<Episode>, Duration) {
    let kinds: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| fault.place() != Place::Crm).collect();
    let mut busy: BTreeMap<Place, Duration> = BTreeMap::new();
    let mut episodes = Vec::new();
    let step = (least / u32::try_from(kinds.len()).unwrap_or(u32::MAX)).min(Duration::from_millis(1_800));
    let mut at = Duration::from_millis(500);
    let mut round: Vec<Fault> = Vec::new();
    let mut first_round = true;
    let mut ended = least;
    while at < least || first_round {
        if round.is_empty() {
            first_round = episodes.is_empty();
            round.clone_from(&kinds);
            round.shuffle(rng);
        }
        let Some(fault) = round.pop() else { break };
        let free_from = busy.get(&fault.place()).copied().unwrap_or_default();
        let begin = if first_round { at.max(free_from) } else { at };
        at += step.mul_f64(rng.random_range(0.5..1.5));
        if begin < free_from {
            continue;
        }
        let lasts = if fault.is_momentary() {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(rng.random_range(longest.as_secs_f64() / 8.0..longest.as_secs_f64()))
        };
        ended = ended.max(begin + lasts);
        busy.insert(fault.place(), begin + lasts + Duration::from_millis(300));
        episodes.push(Episode { at: begin, lasts, fault, extent: rng.random_range(0..1000) });
    }
    (episodes, ended)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_plan_and_another_seed_another() {
        let shown = |seed| {
            let plan = Plan::of(seed, &Extent::full(100));
            format!("{:?} {:?}", plan.kills, plan.episodes)
        };
        assert_eq!(shown(1), shown(1));
        assert_ne!(shown(1), shown(2));
    }

    #[test]
    fn every_fault_happens_at_least_once_and_none_twice_at_a_place() {
        for (seed, extent) in [(1, Extent::full(100)), (7, Extent::small()), (8, Extent::small())] {
            let plan = Plan::of(seed, &extent);
            assert_eq!(plan.kills.len(), extent.kills);
            assert_eq!(plan.counts().len(), Fault::ALL.len(), "seed {seed}: {:?}", plan.counts());
            let mut ends: BTreeMap<Place, Duration> = BTreeMap::new();
            for episode in &plan.episodes {
                let end = ends.entry(episode.fault.place()).or_default();
                assert!(episode.at >= *end, "{episode:?}");
                *end = episode.at + episode.lasts;
            }
        }
    }
}
