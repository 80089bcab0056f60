//! What can be seen of a bot from outside, for the command line and the console. No secrets, no addresses.

use serde::{Deserialize, Serialize};
use tandem_model::{BotId, Timestamp};

use crate::{BotPhase, HolderKind, UpstreamMode};

/// A bot as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotStatus {
    /// Its id.
    pub bot: BotId,
    /// Its name without the `@`.
    pub username: Option<String>,
    /// Its name for people.
    pub name: String,
    /// How far it is.
    pub phase: BotPhase,
    /// How its updates come to us.
    pub upstream: UpstreamMode,
    /// How taking them in goes.
    pub intake: IntakeStatus,
}

/// How taking updates in goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeStatus {
    /// What it is doing.
    #[serde(flatten)]
    pub state: IntakeState,
    /// So many updates were taken in since the process was started.
    pub taken: u64,
    /// So many came again and were recognised.
    pub repeated: u64,
    /// When the latest came.
    pub last_at: Option<Timestamp>,
}

/// What taking updates in is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum IntakeState {
    /// Nothing: the service does not run, or the bot is not ours.
    Stopped,
    /// It has begun and has not heard from Telegram yet.
    Starting,
    /// All is well.
    Running {
        /// Since when.
        since: Timestamp,
    },
    /// Somebody else takes the stream.
    Conflict {
        /// Since when.
        since: Timestamp,
        /// Who it is.
        holder: HolderKind,
        /// The host of his webhook; `None` for another program that polls.
        host: Option<String>,
        /// What to do.
        advice: String,
    },
    /// Telegram cannot be reached or does not answer as it should.
    Trouble {
        /// Since when.
        since: Timestamp,
        /// Failures in a row.
        failures: u32,
        /// The latest one: without secrets.
        reason: String,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// The store does not take what comes; Telegram keeps it meanwhile.
    StoreRefuses {
        /// Since when.
        since: Timestamp,
        /// Why.
        reason: String,
    },
    /// Telegram refuses the bot's token.
    Revoked {
        /// Since when.
        since: Timestamp,
        /// What to do.
        advice: String,
    },
}

impl Default for IntakeStatus {
    fn default() -> Self {
        Self { state: IntakeState::Stopped, taken: 0, repeated: 0, last_at: None }
    }
}

impl IntakeState {
    pub(crate) fn revoked(since: Timestamp) -> Self {
        let advice = "Telegram refuses the bot's token: it was revoked in @BotFather, or the bot was deleted. \
                      Run `tandem adopt` again with the new token";
        Self::Revoked { since, advice: advice.to_owned() }
    }

    /// Since when it has been so; `None` where that does not matter.
    pub const fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Stopped | Self::Starting => None,
            Self::Running { since }
            | Self::Conflict { since, .. }
            | Self::Trouble { since, .. }
            | Self::StoreRefuses { since, .. }
            | Self::Revoked { since, .. } => Some(*since),
        }
    }
}
