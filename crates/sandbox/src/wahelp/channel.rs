//! A channel: one messenger account, a bot or a personal one.

use std::collections::BTreeMap;

use serde::Serialize;

use super::client::Client;

/// A messenger account connected to a project.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Channel {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) project: i64,
    pub(crate) name: String,
    /// The real strings are not known, so any word is taken.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) active: bool,
    /// The word of its status.
    pub(crate) status: String,
    /// A bot channel has one.
    pub(crate) bot: Option<Bot>,
    /// The clients of any other messenger account.
    pub(crate) clients: BTreeMap<u64, Client>,
    /// Whether its messages are shown in the amoCRM that the project is linked to.
    pub(crate) linked: bool,
}

/// The bot of a bot channel, as Wahelp knows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Bot {
    pub(crate) id: i64,
    #[serde(skip)]
    pub(crate) token: String,
    /// The base address of the Bot API server it lives at.
    pub(crate) telegram: String,
}

impl Channel {
    /// The word for a reply typed in the messenger itself, past the service.
    pub(crate) fn typed_outside(&self) -> String {
        let messenger = self.kind.split('_').next().unwrap_or(&self.kind);
        format!("from_{messenger}")
    }
}
