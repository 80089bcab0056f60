//! Configuration: bots, apps, routes and connections. What the store needs to find them are typed columns; the
//! rest is a document that belongs to whoever is above and is not looked into.

use async_trait::async_trait;
use tandem_model::{BotId, ConnectionId, LaneId};

use super::SecretOwner;
use crate::{ReadError, SealedSecret, SettingsError};

/// Counts the changes of the settings. 0 before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub i64);

/// Settings of one thing, as JSON text. Valid JSON, or it could not be kept by every engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document(String);

impl Document {
    /// Writes a value down.
    pub fn of<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        serde_json::to_string(value).map(Self)
    }

    /// Takes a text that is JSON.
    pub fn parse(text: String) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&serde_json::value::RawValue>(&text)?;
        Ok(Self(text))
    }

    /// Reads it back.
    pub fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// Its id.
    pub bot: BotId,
    /// Its settings.
    pub document: Document,
}

/// An app of a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// Of which bot.
    pub bot: BotId,
    /// Unique within the bot.
    pub name: String,
    /// Its lane, once it has one.
    pub lane: Option<LaneId>,
    /// Its settings.
    pub document: Document,
}

/// A route of a bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Of which bot.
    pub bot: BotId,
    /// Unique within the bot.
    pub name: String,
    /// Its lane, once it has one.
    pub lane: Option<LaneId>,
    /// The account it goes to, where it has one.
    pub connection: Option<ConnectionId>,
    /// Its settings.
    pub document: Document,
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Given by the store, never reused.
    pub id: ConnectionId,
    /// Unique.
    pub name: String,
    /// Which vendor's.
    pub vendor: String,
    /// Its settings.
    pub document: Document,
}

/// One change of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsChange {
    /// Makes or replaces a bot.
    PutBot(Bot),
    /// Removes a bot with its apps, routes and secrets. Its journal goes by retention.
    RemoveBot(BotId),
    /// Makes or replaces an app of an existing bot.
    PutApp(App),
    /// Removes an app and its secrets.
    RemoveApp(BotId, String),
    /// Makes or replaces a route of an existing bot; its connection must exist.
    PutRoute(Route),
    /// Removes a route and its secrets.
    RemoveRoute(BotId, String),
    /// Makes or replaces a connection, found by its name.
    PutConnection {
        /// Its name.
        name: String,
        /// Which vendor's.
        vendor: String,
        /// Its settings.
        document: Document,
    },
    /// Removes a connection and its secrets. Refused while a route uses it.
    RemoveConnection(ConnectionId),
    /// Stores a secret of something that exists after the changes before this one.
    PutSecret {
        /// Whose.
        owner: SecretOwner,
        /// Unique within the owner.
        name: String,
        /// The secret.
        secret: SealedSecret,
    },
}

/// Configuration. Any replica may change it: what guards it is the revision, not a lease.
#[async_trait]
pub trait Settings: Send + Sync {
    /// The revision now. Whoever keeps settings in memory asks for it now and then.
    async fn revision(&self) -> Result<Revision, ReadError>;

    /// Makes all changes in one commit, or none. `expected`: the revision they were decided on; `None` decides
    /// blindly. Returns the new revision.
    async fn change_settings(
        &self,
        expected: Option<Revision>,
        changes: Vec<SettingsChange>,
    ) -> Result<Revision, SettingsError>;

    /// Bots by id, after `after`.
    async fn list_bots(&self, after: Option<BotId>, limit: usize) -> Result<Vec<Bot>, ReadError>;

    /// One bot.
    async fn find_bot(&self, bot: BotId) -> Result<Option<Bot>, ReadError>;

    /// A bot's apps by name.
    async fn list_apps(&self, bot: BotId) -> Result<Vec<App>, ReadError>;

    /// A bot's routes by name.
    async fn list_routes(&self, bot: BotId) -> Result<Vec<Route>, ReadError>;

    /// Connections by id, after `after`.
    async fn list_connections(
        &self,
        after: Option<ConnectionId>,
        limit: usize,
    ) -> Result<Vec<Connection>, ReadError>;

    /// The connection of this name.
    async fn find_connection(&self, name: String) -> Result<Option<Connection>, ReadError>;
}
