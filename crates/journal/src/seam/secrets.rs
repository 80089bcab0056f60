//! Sealed secrets. The store never sees one in clear: a [`Sealer`](crate::Sealer) seals and opens them above.

use std::fmt;

use async_trait::async_trait;
use tandem_model::{BotId, ConnectionId};

use crate::{ReadError, SealedSecret, WriteError};

/// Whose secret it is. Sealed into it, so that one owner's secret cannot be passed off as another's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretOwner {
    /// A bot.
    Bot(BotId),
    /// An app of a bot, by name.
    App(BotId, String),
    /// A route of a bot, by name.
    Route(BotId, String),
    /// A connection.
    Connection(ConnectionId),
}

impl fmt::Display for SecretOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bot(bot) => write!(f, "bot/{bot}"),
            Self::App(bot, name) => write!(f, "app/{bot}/{name}"),
            Self::Route(bot, name) => write!(f, "route/{bot}/{name}"),
            Self::Connection(connection) => write!(f, "connection/{connection}"),
        }
    }
}

/// Secrets. They are written with the settings they belong to
/// ([`SettingsChange::PutSecret`](super::SettingsChange)) or alone, when a token was refreshed.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// Stores it, in place of one of the same name.
    async fn put_secret(
        &self,
        owner: SecretOwner,
        name: String,
        secret: SealedSecret,
    ) -> Result<(), WriteError>;

    /// The secret of this name.
    async fn find_secret(&self, owner: SecretOwner, name: String) -> Result<Option<SealedSecret>, ReadError>;

    /// All secrets of an owner.
    async fn list_secrets(&self, owner: SecretOwner) -> Result<Vec<(String, SealedSecret)>, ReadError>;

    /// Forgets it; nothing happens when there is none.
    async fn remove_secret(&self, owner: SecretOwner, name: String) -> Result<(), WriteError>;
}
