//! What can be seen of a guard from outside: for people, and as numbers for metrics.

use serde::{Deserialize, Serialize};
use tandem_model::{BotId, Timestamp};

use crate::{BotPhase, Bridge, GuardDocument, GuardPolicy, HolderKind, Taker, operations::find::Found};

/// A guard, for people. No secrets, no addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GuardView {
    /// What it is to do.
    pub policy: GuardPolicy,
    /// What it is doing.
    #[serde(flatten)]
    pub state: GuardState,
    /// So often it took the stream back within the last hour.
    pub retakes_last_hour: u64,
    /// So often since the bot was adopted.
    pub retakes: u64,
    /// So often somebody else was found to have the stream since the bot was adopted.
    pub alerts: u64,
    /// Updates that went past your code, by who had the stream then.
    pub went_past: Vec<WentPast>,
    /// Updates that never came while nobody was seen to have the stream.
    pub unexplained: u64,
}

/// What a guard is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum GuardState {
    /// Nothing: the bot is not ours.
    Off,
    /// The stream is ours.
    Watching,
    /// Somebody else has the stream, or a part of it.
    Taken {
        /// Since when.
        since: Timestamp,
        /// Who.
        by: Taker,
    },
    /// It gives way.
    StoodDown {
        /// Since when.
        since: Timestamp,
        /// To whom.
        by: Option<Taker>,
        /// When it tries once by itself; `None`: never.
        next_try: Option<Timestamp>,
    },
}

impl GuardState {
    /// The word for metrics and tables.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Watching => "watching",
            Self::Taken { .. } => "taken",
            Self::StoodDown { .. } => "stood_down",
        }
    }
}

/// Updates that went past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct WentPast {
    /// To whom.
    pub to: HolderKind,
    /// So many since the bot was adopted.
    pub updates: u64,
}

/// A guard as numbers, for metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardCounters {
    /// Whose.
    pub bot: BotId,
    /// What it is doing.
    pub state: &'static str,
    /// Calls it made since the process was started, to look and to take back.
    pub checks: u64,
    /// Retakes since the bot was adopted.
    pub retakes: u64,
    /// How often somebody else was found to have the stream since the bot was adopted.
    pub alerts: u64,
    /// Updates that went past or never came since the bot was adopted. Goes down when one comes late.
    pub holes: u64,
}

impl Bridge {
    /// Every guard as numbers, by bot. Cheap: nothing is read from the store.
    pub fn guard_counters(&self) -> Vec<GuardCounters> {
        let counters = |live: std::sync::Arc<crate::bots::LiveBot>| {
            let document = live.document();
            GuardCounters {
                bot: live.id(),
                state: state(document.phase, &document.guard, live.guard.is_unfinished()).as_str(),
                checks: live.guard.checks(),
                retakes: document.guard.retaken,
                alerts: document.guard.alerts,
                holes: document.guard.holes(),
            }
        };
        self.live_bots().into_iter().map(counters).collect()
    }

    pub(crate) fn guard_view(&self, found: &Found) -> GuardView {
        let (guard, now) = (&found.document.guard, self.parts().clock.now());
        let is_unfinished = self.find_live(found.bot).is_some_and(|live| live.guard.is_unfinished());
        let recent = |at: &&Timestamp| now.since(**at) < std::time::Duration::from_hours(1);
        GuardView {
            policy: guard.policy,
            state: state(found.document.phase, guard, is_unfinished),
            retakes_last_hour: guard.retakes.iter().filter(recent).count() as u64,
            retakes: guard.retaken,
            alerts: guard.alerts,
            went_past: guard.went_past.iter().map(|(&to, &updates)| WentPast { to, updates }).collect(),
            unexplained: guard.unexplained,
        }
    }
}

/// `is_unfinished`: it is being taken back in this moment.
fn state(phase: BotPhase, guard: &GuardDocument, is_unfinished: bool) -> GuardState {
    if phase != BotPhase::Active {
        return GuardState::Off;
    }
    let taken = guard.taken.as_ref().filter(|taken| taken.ended.is_none() || is_unfinished);
    match (guard.stood_down, taken) {
        (Some(down), taken) => GuardState::StoodDown {
            since: down.since,
            by: taken.map(|taken| taken.by.clone()),
            next_try: down.next_try,
        },
        (None, Some(taken)) => GuardState::Taken { since: taken.since, by: taken.by.clone() },
        (None, None) => GuardState::Watching,
    }
}
