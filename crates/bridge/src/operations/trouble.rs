//! How errors of the layers below read to an operator.

use std::error::Error;

use tandem_journal::{LaneError, ReadError, SettingsError, WriteError};
use tandem_lanes::{OperateError, PullError};
use tandem_telegram::{
    token::redact,
    upstream::{CallError, Conflict},
};

use super::{Refusal, RefusalCode};
use crate::{ChangeError, SyncError, bridge::Chain, secrets::SecretError};

impl Refusal {
    /// The store did not do it.
    pub(crate) fn store(error: &(dyn Error + Send + Sync)) -> Self {
        Self::new(
            RefusalCode::Store,
            format!("The database did not take it: {}.", Chain(error)),
            "See that the disk has space and the file can be written, then run this again; what was done so far is \
             kept and is not done twice.",
        )
    }

    /// Telegram did not do it. `what` says what was being done: `asking who holds the bot`.
    pub(crate) fn telegram(error: &CallError, what: &str) -> Self {
        match error.conflict() {
            Some(Conflict::Poller) => return Self::another_poller(),
            Some(Conflict::Webhook) => {
                return Self::new(
                    RefusalCode::WebhookTaken,
                    format!("Somebody set a webhook on the bot while {what}."),
                    "Run this again: the new holder is then seen and kept.",
                );
            }
            None => {}
        }
        let chain = Chain(error).to_string();
        let reason = redact(&chain);
        match error {
            CallError::Unauthorized(_) => Self::new(
                RefusalCode::BadToken,
                "Telegram does not accept this token.",
                "Take the bot's token from @BotFather (/mybots, the bot, API Token) and run this again.",
            ),
            CallError::RetryAfter { after, .. } => Self::new(
                RefusalCode::Telegram,
                format!("Telegram asks to wait {} s while {what}.", after.as_secs()),
                "Run this again after that time; what was done so far is kept.",
            ),
            CallError::Refused(refusal) => Self::new(
                RefusalCode::Telegram,
                format!("Telegram refused while {what}: {}.", redact(&refusal.description)),
                "Mend what Telegram names and run this again; what was done so far is kept.",
            ),
            CallError::NotSent(_)
            | CallError::Lost(_)
            | CallError::BadGateway { .. }
            | CallError::ServerError(_)
            | CallError::UnexpectedResult => Self::new(
                RefusalCode::Telegram,
                format!("Telegram did not answer as it should while {what}: {reason}."),
                "See that this machine reaches telegram.api_base (or set telegram.proxy) and run this again; what was \
                 done so far is kept.",
            ),
        }
    }

    /// Another program polls.
    pub(crate) fn another_poller() -> Self {
        Self::new(
            RefusalCode::AnotherPoller,
            "Another program is polling this bot: Telegram ended our waiting question with a 409 because of it.",
            "Stop that program (usually the bot itself), run this again, and start it afterwards with the one line \
             changed; Telegram keeps what comes meanwhile for 24 hours.",
        )
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        Self::store(&error)
    }
}

impl From<WriteError> for Refusal {
    fn from(error: WriteError) -> Self {
        Self::store(&error)
    }
}

impl From<LaneError> for Refusal {
    fn from(error: LaneError) -> Self {
        Self::store(&error)
    }
}

impl From<PullError> for Refusal {
    fn from(error: PullError) -> Self {
        Self::store(&error)
    }
}

impl From<SettingsError> for Refusal {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Stale { .. } => Self::new(
                RefusalCode::Conflict,
                "Somebody else changed the settings at the same time.",
                "Run this again.",
            ),
            error => Self::store(&error),
        }
    }
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Document { bot, source } => unreadable(&format!("bot {bot}"), &source),
            ChangeError::Connection { name, source } => unreadable(&format!("connection {name}"), &source),
            error => Self::store(&error),
        }
    }
}

impl From<SecretError> for Refusal {
    fn from(error: SecretError) -> Self {
        Self::new(
            RefusalCode::Store,
            format!("A secret is not at hand: {}.", Chain(&error)),
            "See that security.key_file is the file this database was used with, then run this again.",
        )
    }
}

impl From<SyncError> for Refusal {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Document { what, source } => unreadable(&what, &source),
            SyncError::Secret(error) => error.into(),
            SyncError::Route { name, source } => Self::new(
                RefusalCode::BadRequest,
                format!("Route {name} cannot be served: {}.", Chain(&source)),
                "Give the route settings that fit and run this again.",
            ),
            error => Self::store(&error),
        }
    }
}

impl From<OperateError> for Refusal {
    fn from(error: OperateError) -> Self {
        match error {
            OperateError::NotAttached { .. } => Self::new(
                RefusalCode::BadRequest,
                "Nothing delivers through this lane: its app fetches its updates by polling, or its route cannot be \
                 served.",
                "See what `tandem lanes` says of it; what a polling app has confirmed never comes back to it.",
            ),
            OperateError::Interrupted { .. } => Self::new(
                RefusalCode::Store,
                "The lane was interrupted before it could answer.",
                "See with `tandem held` and `tandem lanes` what was done, and run this again if need be.",
            ),
        }
    }
}

/// A document of another version.
pub(crate) fn unreadable(what: &str, error: &serde_json::Error) -> Refusal {
    Refusal::new(
        RefusalCode::Store,
        format!("What is stored of {what} cannot be read by this version: {error}."),
        "Use the version of Tandem that last used this database, or a newer one.",
    )
}
