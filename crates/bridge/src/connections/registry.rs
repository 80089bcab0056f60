//! All connections that are open, and the routes that use them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use tandem_model::{Blame, BotId, ConnectionId, LaneId, PauseReason, Verdict};
use tandem_vendor::{Account, Vendor};
use url::Url;

use super::{ConnectionState, LiveConnection};
use crate::{ChannelDocument, FileRule};

/// All connections. Cheap to clone: clones are the same.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    vendors: Vec<Arc<dyn Vendor>>,
    live: RwLock<BTreeMap<ConnectionId, Arc<LiveConnection>>>,
    /// By bot; what the settings of each said when they were followed last.
    routes: RwLock<BTreeMap<BotId, Vec<RouteOf>>>,
    /// Settings are followed by one at a time, and what an account gives is kept between.
    following: Arc<tokio::sync::Mutex<()>>,
}

/// A route that uses a connection.
#[derive(Debug, Clone)]
pub(crate) struct RouteOf {
    pub(crate) bot: BotId,
    pub(crate) name: String,
    pub(crate) lane: LaneId,
    pub(crate) connection: ConnectionId,
    /// How its channel goes; of a companion what both have.
    pub(crate) channel: Box<ChannelDocument>,
    /// What it is where it is a companion of a built-in integration.
    pub(crate) companion: Option<CompanionOf>,
}

/// A companion's route.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CompanionOf {
    /// The lane of its notes, where it writes some.
    pub(crate) notes: Option<LaneId>,
}

/// Why nothing can be done through a connection now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is gone, or never was.
    #[error("the route's connection does not exist: name another one in the file and run `tandem apply`")]
    Missing,
    /// It is not connected yet, or not at the moment; that is tried again by itself.
    #[error("connection {name} is not connected{}", reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default())]
    Unconnected {
        /// Its name.
        name: String,
        /// Why, if anything is known.
        reason: Option<String>,
    },
    /// Nothing goes on until somebody acts.
    #[error("connection {name}: {sentence}")]
    Refused {
        /// Its name.
        name: String,
        /// Why, and what to do.
        sentence: String,
    },
}

impl Unusable {
    /// What a route's destination says then.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Missing | Self::Refused { .. } => {
                Verdict::Stop { reason: PauseReason::Refused, detail: self.to_string() }
            }
            Self::Unconnected { .. } => {
                Verdict::Retry { after: None, blame: Blame::Destination, reason: self.to_string() }
            }
        }
    }
}

impl Connections {
    pub(crate) fn new(vendors: Vec<Arc<dyn Vendor>>) -> Self {
        Self(Arc::new(Inner {
            vendors,
            live: RwLock::default(),
            routes: RwLock::default(),
            following: Arc::default(),
        }))
    }

    /// The account to speak to now. Asked for each time: settings may have changed since.
    pub fn account(&self, connection: ConnectionId) -> Result<Arc<dyn Account>, Unusable> {
        let live = self.find(connection).ok_or(Unusable::Missing)?;
        let name = live.name().to_owned();
        match (live.state(), live.account()) {
            (ConnectionState::Connected | ConnectionState::Impaired { .. }, Some(account)) => {
                Ok(Arc::clone(account))
            }
            (ConnectionState::Connecting, _) => Err(Unusable::Unconnected { name, reason: None }),
            (ConnectionState::Trouble { reason, .. }, _) => {
                Err(Unusable::Unconnected { name, reason: Some(reason) })
            }
            (state, _) => {
                Err(Unusable::Refused { name, sentence: state.sentence(live.name()).unwrap_or_default() })
            }
        }
    }

    /// The vendor of this name.
    pub(crate) fn vendor(&self, name: &str) -> Option<&Arc<dyn Vendor>> {
        self.0.vendors.iter().find(|vendor| vendor.name() == name)
    }

    pub(crate) fn find(&self, connection: ConnectionId) -> Option<Arc<LiveConnection>> {
        self.0.live.read().unwrap_or_else(PoisonError::into_inner).get(&connection).cloned()
    }

    pub(crate) fn list(&self) -> Vec<Arc<LiveConnection>> {
        self.0.live.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// The connections whose hooks may come to this path; of any vendor where none is named.
    pub(crate) fn owners_of(&self, vendor: Option<&str>, path: &[String]) -> Vec<Arc<LiveConnection>> {
        let live = self.0.live.read().unwrap_or_else(PoisonError::into_inner);
        let owns = |live: &&Arc<LiveConnection>| {
            vendor.is_none_or(|vendor| live.vendor() == vendor)
                && live.account().is_some_and(|account| account.owns(path))
        };
        live.values().filter(owns).cloned().collect()
    }

    /// The routes that use a connection, by bot and name.
    pub(crate) fn routes_of(&self, connection: ConnectionId) -> Vec<RouteOf> {
        let routes = self.0.routes.read().unwrap_or_else(PoisonError::into_inner);
        routes.values().flatten().filter(|route| route.connection == connection).cloned().collect()
    }

    /// What a bot's settings say of routes with connections.
    pub(crate) fn set_routes(&self, bot: BotId, routes: Vec<RouteOf>) {
        let mut all = self.0.routes.write().unwrap_or_else(PoisonError::into_inner);
        if routes.is_empty() {
            all.remove(&bot);
        } else {
            all.insert(bot, routes);
        }
    }

    pub(super) fn insert(&self, live: Arc<LiveConnection>) {
        self.0.live.write().unwrap_or_else(PoisonError::into_inner).insert(live.id(), live);
    }

    pub(super) fn remove(&self, connection: ConnectionId) -> Option<Arc<LiveConnection>> {
        self.0.live.write().unwrap_or_else(PoisonError::into_inner).remove(&connection)
    }

    pub(super) fn following(&self) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.0.following)
    }
}

/// A manager's file is fetched from where the account of his route has files, whether it is connected at the moment or
/// not.
impl FileRule for Connections {
    fn may_fetch(&self, bot: BotId, route: &str, url: &Url) -> bool {
        let connection = {
            let routes = self.0.routes.read().unwrap_or_else(PoisonError::into_inner);
            let of_bot = routes.get(&bot).into_iter().flatten();
            of_bot.filter(|known| known.name == route).map(|known| known.connection).next()
        };
        let live = connection.and_then(|connection| self.find(connection));
        live.is_some_and(|live| live.account().is_some_and(|account| account.may_fetch(url)))
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("vendors", &self.0.vendors).finish_non_exhaustive()
    }
}
