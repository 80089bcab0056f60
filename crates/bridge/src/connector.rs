//! The one trait by which routes to outside consumers plug in.

use std::{fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use tandem_lanes::{Destination, LaneAddress, PushSpec};
use tandem_model::{BotId, ConnectionId};
use tandem_telegram::upstream::SetUpError;

use crate::{CompanionDocument, RouteDocument, RouteKind, RouteMode};

/// Makes destinations of routes of its kinds. Nothing is connected by it: a receiver that is down is a matter of
/// its deliveries.
pub trait Connector: Send + Sync {
    /// Whether routes like this one are its business. The first connector that says so is asked.
    fn serves(&self, route: &RouteDocument) -> bool;

    /// The destination of a route, which is delivered to through this lane.
    fn connect(&self, lane: LaneAddress, route: &RouteSetting) -> Result<Connected, ConnectError>;
}

/// A route with its secrets opened.
#[derive(Clone)]
pub struct RouteSetting {
    /// Of which bot.
    pub bot: BotId,
    /// Its name within the bot.
    pub name: String,
    /// The account it goes to, where it has one.
    pub connection: Option<ConnectionId>,
    /// Its settings.
    pub document: RouteDocument,
    /// Its secrets by name, in order.
    pub secrets: Vec<(String, SecretString)>,
}

/// A destination and how its lane delivers to it.
pub struct Connected {
    /// How its lane delivers.
    pub spec: PushSpec,
    /// The destination.
    pub destination: Arc<dyn Destination>,
}

/// Why a route has no destination. Its lane stands still until its settings are changed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No connector serves routes of this kind.
    #[error("this version has no routes of kind {kind}")]
    UnknownKind {
        /// The kind.
        kind: &'static str,
    },
    /// A secret is missing.
    #[error("the route has no {name}: give it again")]
    Missing {
        /// What.
        name: &'static str,
    },
    /// A setting cannot be used.
    #[error("the route's {name} cannot be used: {problem}")]
    Unusable {
        /// Which.
        name: &'static str,
        /// Why; never its contents.
        problem: String,
    },
    /// TLS cannot be set up.
    #[error("the route's client cannot be made")]
    SetUp(#[from] SetUpError),
}

impl RouteSetting {
    /// The secret of this name.
    pub fn secret(&self, name: &str) -> Option<&SecretString> {
        self.secrets.iter().find(|(known, _)| known == name).map(|(_, secret)| secret)
    }

    /// How the companion of a built-in integration goes; `None` where the route has none.
    pub(crate) fn companion(&self) -> Option<CompanionDocument> {
        let RouteDocument { kind, mode, companion, .. } = &self.document;
        if *mode != Some(RouteMode::Native) || self.connection.is_none() {
            return None;
        }
        let companion = companion.as_deref().cloned().unwrap_or_default();
        match kind {
            RouteKind::Relay => None,
            RouteKind::Amocrm => Some(companion),
            // Whatever is written there goes to the client.
            RouteKind::Wahelp => Some(CompanionDocument { notes: false, ..companion }),
        }
    }

    /// Whether nothing about it has changed.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        fn shown(setting: &RouteSetting) -> impl Iterator<Item = (&str, &str)> {
            setting.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose_secret()))
        }
        (self.connection, &self.document) == (other.connection, &other.document)
            && shown(self).eq(shown(other))
    }
}

impl fmt::Debug for RouteSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secrets: Vec<_> = self.secrets.iter().map(|(name, _)| name).collect();
        f.debug_struct("RouteSetting")
            .field("bot", &self.bot)
            .field("name", &self.name)
            .field("connection", &self.connection)
            .field("document", &self.document)
            .field("secrets", &secrets)
            .finish()
    }
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected").field("spec", &self.spec).finish_non_exhaustive()
    }
}
