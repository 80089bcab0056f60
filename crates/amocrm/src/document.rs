//! A connection to amoCRM or Kommo, as it is stored: its settings, and the names of its secrets.

use serde::{Deserialize, Serialize};

/// Names of the secrets of a connection.
pub mod secret {
    /// A long-lived token (6.3).
    pub const TOKEN: &str = "token";
    /// The secret of the integration, for OAuth and for the disable hook.
    pub const CLIENT_SECRET: &str = "client_secret";
    /// The access token that OAuth gave. Written by the account itself.
    pub const ACCESS_TOKEN: &str = "access_token";
    /// The refresh token that belongs to it. Written by the account itself.
    pub const REFRESH_TOKEN: &str = "refresh_token";
    /// The secret of the channel, as support gave it.
    pub const CHANNEL_SECRET: &str = "channel_secret";

    /// What proves the account's own hooks: it stands in their address. Made and written by the account itself.
    pub const HOOK_SECRET: &str = "hook_secret";

    /// All of them.
    pub const ALL: [&str; 6] =
        [TOKEN, CLIENT_SECRET, ACCESS_TOKEN, REFRESH_TOKEN, CHANNEL_SECRET, HOOK_SECRET];
}

/// The settings of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionDocument {
    /// The account's host, such as `shop.amocrm.ru`.
    pub account: String,
    /// Whose account it is.
    #[serde(default)]
    pub platform: Platform,
    /// Where the account's API is, if not at its host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_base: Option<String>,
    /// Where the chat service is, if not at the platform's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chats_base: Option<String>,
    /// Where access is granted and tokens are given, if not at the platform's and the account's hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth_base: Option<String>,
    /// The channel, where one is registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelDocument>,
    /// The integration, where access is granted by OAuth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<OauthDocument>,
    /// Bounds.
    #[serde(default)]
    pub limits: LimitsDocument,
    /// How people are found.
    #[serde(default)]
    pub people: PeopleDocument,
    /// Further hosts from which managers' files may be fetched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetch_hosts: Vec<String>,
}

/// Whose an account is: the same product on two platforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Russia.
    #[default]
    Amocrm,
    /// The rest of the world.
    Kommo,
}

/// A channel of the chat service, as support registered it (3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelDocument {
    /// Its id.
    pub id: String,
    /// The chat service's id of its bot, in whose name the company's messages stand.
    pub bot_id: String,
    /// Its code, `amo.ext.<x>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The chat service's id of the account (`amojo_id`), where there is no token to ask with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What it is called in this account; the name of the connection where this says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// An integration that is granted access (6).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OauthDocument {
    /// Its id.
    pub client_id: String,
    /// Where a person comes back to; exactly as the integration has it.
    pub redirect_url: String,
}

/// Bounds of what is asked of the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsDocument {
    /// Requests of the integration in a second.
    pub rest_per_second: u32,
    /// Of those, how many are kept for what a waiting person depends on.
    pub rest_reserve: u32,
    /// Requests to the account in a second.
    pub account_per_second: u32,
    /// Requests to the chat service at one time, at most; how many there really are, its answers decide.
    pub chats_at_once: u32,
}

/// How a channel's clients are found among the account's contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeopleDocument {
    /// The field of contacts with the Telegram id: its code, by which it is made if there is none, or its number.
    pub telegram_id_field: String,
    /// For how long a contact may be missing in the account's search after it was made.
    pub search_lag_secs: u64,
    /// Whether a note on the cards says that several contacts have one phone or one Telegram id.
    pub double_notes: bool,
}

impl Default for PeopleDocument {
    fn default() -> Self {
        Self { telegram_id_field: "TELEGRAM_ID".to_owned(), search_lag_secs: 120, double_notes: true }
    }
}

impl Default for LimitsDocument {
    fn default() -> Self {
        Self { rest_per_second: 7, rest_reserve: 2, account_per_second: 50, chats_at_once: 64 }
    }
}

impl Platform {
    /// Its name.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Amocrm => "amoCRM",
            Self::Kommo => "Kommo",
        }
    }

    pub(crate) const fn chats_base(self) -> &'static str {
        match self {
            Self::Amocrm => "https://amojo.amocrm.ru",
            Self::Kommo => "https://amojo.kommo.com",
        }
    }

    pub(crate) const fn oauth_base(self) -> &'static str {
        match self {
            Self::Amocrm => "https://www.amocrm.ru",
            Self::Kommo => "https://www.kommo.com",
        }
    }

    /// Below which domains its accounts are.
    pub(crate) const fn domains(self) -> &'static [&'static str] {
        match self {
            Self::Amocrm => &["amocrm.ru"],
            Self::Kommo => &["kommo.com", "amocrm.com"],
        }
    }

    /// Whether this is the host of an account of its.
    pub(crate) fn has_account(self, host: &str) -> bool {
        self.domains().iter().any(|domain| {
            host.strip_suffix(domain)
                .and_then(|rest| rest.strip_suffix('.'))
                .is_some_and(|name| !name.is_empty() && name.bytes().all(is_of_a_name))
        })
    }
}

const fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}
