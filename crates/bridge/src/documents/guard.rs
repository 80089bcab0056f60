//! What is stored of a bot's guard: what it is to do when somebody else takes the stream, and what it did.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tandem_model::{Seq, Timestamp};

use super::HolderKind;

/// What is done when somebody else takes a bot's stream (DESIGN section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardPolicy {
    /// Learn a changed address of the CRM, take the stream back, at most six times an hour; then stand down.
    #[default]
    Retake,
    /// Give way, say so once, and take the stream up again when it is free.
    StandDown,
    /// Take nothing back, and say so again every hour until somebody acts or the stream is free.
    Alert,
}

impl GuardPolicy {
    /// The word in settings and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retake => "retake",
            Self::StandDown => "stand_down",
            Self::Alert => "alert",
        }
    }
}

/// Who takes, or took, a bot's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taker {
    /// Which of those we know.
    pub kind: HolderKind,
    /// The host of its webhook; `None` for a program that polls, or that took our webhook away.
    pub host: Option<String>,
}

impl Taker {
    /// For people: `amoCRM (amojo.amocrm.ru)`, `another poller`.
    pub fn name(&self) -> String {
        match &self.host {
            Some(host) => format!("{} ({host})", self.kind.as_str()),
            None => self.kind.as_str().to_owned(),
        }
    }
}

/// The latest time that somebody took a bot's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// Who.
    pub by: Taker,
    /// When it was noticed.
    pub since: Timestamp,
    /// When it ended: taken back, or free again.
    pub ended: Option<Timestamp>,
}

/// That a bot's guard has given way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoodDown {
    /// Since when.
    pub since: Timestamp,
    /// When the stream is taken back by itself, once; never under the policy `stand_down`.
    pub next_try: Option<Timestamp>,
}

/// What is stored of a bot's guard. Changed together with what it decides about, before anything is done at Telegram.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardDocument {
    /// What it is to do.
    pub policy: GuardPolicy,
    /// When the stream was taken back, within the last hour.
    pub retakes: Vec<Timestamp>,
    /// How often it was taken back since the bot was adopted.
    pub retaken: u64,
    /// How often somebody else was found to have it since the bot was adopted.
    pub alerts: u64,
    /// The latest of those times.
    pub taken: Option<Taken>,
    /// Set while it gives way.
    pub stood_down: Option<StoodDown>,
    /// Somebody has ordered that it be taken back, once, whatever the policy.
    pub ordered: bool,
    /// How often in a row the stream was taken back by itself after standing down.
    pub tries: u32,
    /// Updates that went past us, by who had the stream.
    pub went_past: BTreeMap<HolderKind, u64>,
    /// Updates that never came while nobody was seen to have the stream.
    pub unexplained: u64,
    /// Holes noted in the journal up to here are counted.
    pub counted_to: Option<Seq>,
    /// Since when the stream has been ours: what came before is no hole.
    pub ours_since: Option<Timestamp>,
}
