//! Who had a bot's stream before us.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// Who had a bot's stream, as `getWebhookInfo` showed it. The address is stored sealed, apart
/// ([`crate::secrets::HOLDER_URL`]): it may hold the bot's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// Which of those we know.
    pub kind: HolderKind,
    /// The host of its address, for people; empty where there is no address.
    pub host: String,
    /// The kinds it got; `None` for the default.
    pub allowed_updates: Option<Vec<String>>,
    /// Connections at one time.
    pub max_connections: Option<u32>,
    /// The address its host was resolved to.
    pub ip_address: Option<IpAddr>,
    /// Whether it was set with a certificate, which cannot be read back.
    pub has_certificate: bool,
}

/// Who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// amoCRM's built-in integration.
    Amocrm,
    /// The same of Kommo.
    Kommo,
    /// A bot channel of Wahelp.
    Wahelp,
    /// Another webhook.
    Other,
    /// Another program that polls.
    Poller,
    /// Nobody.
    Nobody,
}

impl HolderKind {
    /// The word for logs and people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Amocrm => "amoCRM",
            Self::Kommo => "Kommo",
            Self::Wahelp => "Wahelp",
            Self::Other => "another host",
            Self::Poller => "another poller",
            Self::Nobody => "nobody",
        }
    }
}
