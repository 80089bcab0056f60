//! What is stored of a bot.

use serde::{Deserialize, Serialize};
use tandem_gateway::Owners;
use tandem_model::{SourceId, Timestamp};

use super::{GuardDocument, Holder};

/// A bot, as stored. Its token and the secret of our own webhook are stored sealed, apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BotDocument {
    /// Its name without the `@`.
    pub username: Option<String>,
    /// Its name for people.
    pub name: String,
    /// How far it is.
    pub phase: BotPhase,
    /// How its updates come to us.
    pub upstream: UpstreamMode,
    /// Where its updates come from: another server is another source.
    pub source: SourceId,
    /// Who had the stream before us, to be given back.
    pub taken_from: Option<Holder>,
    /// Which apps answer what only one can answer.
    #[serde(default)]
    pub owners: Owners,
    /// What is done when somebody else takes the stream, and what was.
    #[serde(default)]
    pub guard: GuardDocument,
}

/// How far a bot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", deny_unknown_fields)]
pub enum BotPhase {
    /// Being taken over: who held it is committed, and what has been done since.
    Adopting {
        /// The last step that is committed.
        step: AdoptStep,
    },
    /// Ours.
    Active,
    /// Telegram refuses its token.
    Revoked {
        /// Since when.
        since: Timestamp,
    },
    /// Being given back.
    Releasing,
    /// Given back.
    Released {
        /// Since when.
        since: Timestamp,
    },
}

/// The steps of taking a bot over, each committed before the next is begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdoptStep {
    /// Who held it is noted; nothing has been changed at Telegram.
    Noted,
    /// Its routes and apps have their lanes: what comes from now on reaches them.
    Prepared,
}

/// How a bot's updates come to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamMode {
    /// We ask. Needs no public address, and whoever else takes the stream is noticed at once.
    #[default]
    Polling,
    /// Telegram posts to our public address.
    Webhook,
}
