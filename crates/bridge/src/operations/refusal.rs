//! Why an operation was not done, in words that a person can act on.

use serde::{Deserialize, Serialize};

/// An operation that was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{sentence}")]
pub struct Refusal {
    /// Which of the closed list: stable, for programs.
    pub code: RefusalCode,
    /// What happened, in one sentence.
    pub sentence: String,
    /// What to do about it, in one sentence.
    pub what_to_do: String,
}

/// The closed list of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// No bot of this id or name, or none at all.
    NoSuchBot,
    /// Several bots, and the request names none.
    WhichBot,
    /// No app of this name.
    NoSuchApp,
    /// No lane of this name.
    NoSuchLane,
    /// No connection of this name.
    NoSuchConnection,
    /// No event of this number is held.
    NoSuchEvent,
    /// Something of this name exists already.
    NameTaken,
    /// What was asked for does not fit: a name, a number, a combination.
    BadRequest,
    /// A text is no bot token, or Telegram does not accept it.
    BadToken,
    /// Another program polls the bot.
    AnotherPoller,
    /// Somebody has put a webhook of his own on the bot.
    WebhookTaken,
    /// A webhook's address would have to be reachable from the internet.
    NeedsPublicUrl,
    /// Events are undelivered, and the request does not allow to leave them.
    Undelivered,
    /// The bot is being adopted, or was not adopted yet, or was given back.
    WrongState,
    /// It is not possible in this version.
    NotInThisVersion,
    /// Telegram could not be reached or had trouble.
    Telegram,
    /// A vendor could not be reached or refused.
    Vendor,
    /// It needs `tandem serve` to be running.
    NotRunning,
    /// Settings do not fit what is there.
    Conflict,
    /// The store did not take it.
    Store,
}

impl Refusal {
    /// A refusal.
    pub fn new(code: RefusalCode, sentence: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into(), what_to_do: what_to_do.into() }
    }
}
