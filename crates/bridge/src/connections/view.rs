//! What can be seen of a connection from outside. No secrets.

use serde::{Deserialize, Serialize};
use tandem_model::Timestamp;

use super::{LiveConnection, RouteOf};
use crate::{Bridge, UnknownChatView};

/// How a connection is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ConnectionState {
    /// It has not been connected yet since it was opened.
    Connecting,
    /// All is well.
    Connected,
    /// Something is missing, and it goes on without it.
    Impaired {
        /// What.
        sentence: String,
    },
    /// It could not be connected; that is tried again by itself.
    Trouble {
        /// Since when.
        since: Timestamp,
        /// Failures in a row.
        failures: u32,
        /// The latest.
        reason: String,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// Nothing goes on until somebody acts.
    Refused {
        /// Why, and what to do.
        sentence: String,
    },
    /// The account has thrown us out.
    Disabled {
        /// Since when.
        since: Timestamp,
    },
    /// Its settings cannot be used.
    Unopened {
        /// Why.
        reason: String,
    },
}

impl ConnectionState {
    /// The word for tables and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Connected => "connected",
            Self::Impaired { .. } => "impaired",
            Self::Trouble { .. } => "trouble",
            Self::Refused { .. } => "refused",
            Self::Disabled { .. } => "disabled",
            Self::Unopened { .. } => "unusable",
        }
    }

    /// What a person should know and do about connection `name`; `None` when all is well.
    pub fn sentence(&self, name: &str) -> Option<String> {
        match self {
            Self::Connecting | Self::Connected => None,
            Self::Impaired { sentence } => Some(sentence.clone()),
            Self::Trouble { reason, failures, .. } => Some(format!(
                "it could not be connected, {failures} times in a row: {reason}; it is tried again by itself"
            )),
            Self::Refused { sentence } => {
                Some(format!("{sentence}; once that is put right, `tandem connections connect {name}`"))
            }
            Self::Disabled { .. } => Some(format!(
                "disabled: connect again. The integration was switched off in the account: install it there again, \
                 then `tandem connections connect {name}`"
            )),
            Self::Unopened { reason } => {
                Some(format!("{reason}: correct it in the file and run `tandem apply`"))
            }
        }
    }
}

/// A connection, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionView {
    /// Its name.
    pub name: String,
    /// Whose account it is: `amocrm`.
    pub vendor: String,
    /// The account, as the vendor calls it.
    pub account: Option<String>,
    /// How it is.
    #[serde(flatten)]
    pub state: ConnectionState,
    /// What a person should know and do, if anything.
    pub sentence: Option<String>,
    /// The routes that use it: `bot 777/amocrm`.
    pub routes: Vec<String>,
    /// Hooks that were heard since the start.
    pub hooks: u64,
    /// When the latest came.
    pub last_hook_at: Option<Timestamp>,
    /// Since when hooks may have been missed that are still to be looked for.
    pub missed_since: Option<Timestamp>,
    /// How many chats of a built-in integration are used of which nobody knows whose they are.
    #[serde(default)]
    pub unknown_chats: usize,
    /// The latest of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<UnknownChatView>,
}

impl Bridge {
    /// Every connection, by number.
    pub fn connection_views(&self) -> Vec<ConnectionView> {
        self.connections().list().iter().map(|live| self.connection_view(live)).collect()
    }

    pub(crate) fn connection_view(&self, live: &LiveConnection) -> ConnectionView {
        let state = live.state();
        let heard = live.heard();
        let (unknown_chats, unknown) = live.unknown().views();
        let shown = |route: &RouteOf| {
            let known = self.find_live(route.bot);
            let username = known.and_then(|bot| bot.read(|document| document.username.clone()));
            let bot = crate::operations::find::shown(route.bot, username.as_deref());
            format!("{bot}/{}", route.name)
        };
        ConnectionView {
            name: live.name().to_owned(),
            vendor: live.vendor().to_owned(),
            account: live.account_name(),
            sentence: state.sentence(live.name()),
            state,
            routes: self.connections().routes_of(live.id()).iter().map(shown).collect(),
            hooks: heard.hooks,
            last_hook_at: heard.last_at,
            missed_since: live.gap(),
            unknown_chats,
            unknown,
        }
    }
}
