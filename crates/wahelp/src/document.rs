//! A connection to Wahelp, as it is stored: its settings, and the names of its secrets.

use serde::{Deserialize, Serialize};

use crate::words;

/// Names of the secrets of a connection.
pub mod secret {
    /// The password that belongs to the login.
    pub const PASSWORD: &str = "password";
    /// A token from the cabinet, in place of login and password.
    pub const TOKEN: &str = "token";
    /// What stands in the address of our hook. Made by the account itself where none was given.
    pub const HOOK_SECRET: &str = "hook_secret";
    /// The token that a login gave and until when it holds. Written by the account itself.
    pub const ACCESS_TOKEN: &str = "access_token";
    /// How much was sent today. Written by the account itself where there is a daily cap.
    pub const SENT: &str = "sent";
}

/// The settings of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectionDocument {
    /// The project's number.
    pub project: String,
    /// Where the API is.
    #[serde(default = "usual_base")]
    pub api_base: String,
    /// The login, where there is no token from the cabinet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The channels that matter here, by names of the owner's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<ChannelDocument>,
    /// What Wahelp's words mean.
    #[serde(default)]
    pub words: WordsDocument,
    /// How fast is sent.
    #[serde(default)]
    pub pace: PaceDocument,
    /// In which zone its times are that name none (8.3).
    #[serde(default = "moscow")]
    pub time_offset: String,
    /// Where a client's Telegram number stands, if it does (6.2): only what a probe has shown.
    #[serde(default)]
    pub telegram_id: TelegramId,
    /// Under which name a form has its file (7).
    #[serde(default = "usual_file_field")]
    pub file_field: String,
    /// The hosts from which managers' files may be fetched; any public one where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fetch_hosts: Vec<String>,
}

/// A channel of the project's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelDocument {
    /// The owner's name for it.
    pub alias: String,
    /// Wahelp's name for it.
    pub uuid: String,
    /// What it is, where the type that Wahelp shows does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ChannelKind>,
}

/// What a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// A Telegram bot.
    Bot,
    /// An account of a person or of a number at a messenger.
    Account,
}

/// What Wahelp's words mean, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WordsDocument {
    /// Parts of an error that say that somebody cannot be reached through the channel; with a `+` between, all of them.
    pub unreachable: Vec<String>,
    /// Parts of an error that say that it was too much.
    pub throttled: Vec<String>,
    /// Statuses of what was sent.
    pub sent: Vec<String>,
    /// Statuses of what has reached the client.
    pub delivered: Vec<String>,
    /// Statuses of what he has read.
    pub read: Vec<String>,
    /// Statuses of what will not reach him.
    pub failed: Vec<String>,
    /// What a destination begins with that is staff's.
    pub outbound_prefixes: Vec<String>,
    /// Texts, without the underscores around them, that stand for a message which was deleted.
    pub deleted: Vec<String>,
    /// Beginnings of texts, without the underscores, that stand for a call.
    pub calls: Vec<String>,
}

/// How fast a channel sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaceDocument {
    /// Between two messages.
    pub min_gap_ms: u64,
    /// Before a first message to somebody, after any other.
    pub first_gap_ms: u64,
    /// So many messages a day, by Wahelp's clock; as many as there are where this says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_cap: Option<u32>,
}

/// Where a client's Telegram number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TelegramId {
    /// Nowhere, as far as is known.
    #[default]
    None,
    /// In `uid`.
    Uid,
    /// In `uid2`.
    Uid2,
}

impl Default for WordsDocument {
    fn default() -> Self {
        let list = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            unreachable: list(words::UNREACHABLE),
            throttled: list(words::THROTTLED),
            sent: list(words::SENT),
            delivered: list(words::DELIVERED),
            read: list(words::READ),
            failed: list(words::FAILED),
            outbound_prefixes: list(words::OUTBOUND_PREFIXES),
            deleted: list(words::DELETED),
            calls: list(words::CALLS),
        }
    }
}

impl Default for PaceDocument {
    fn default() -> Self {
        Self { min_gap_ms: 1000, first_gap_ms: 1000, daily_cap: None }
    }
}

fn usual_base() -> String {
    "https://wahelp.ru/api".to_owned()
}

fn moscow() -> String {
    "+03:00".to_owned()
}

fn usual_file_field() -> String {
    "file".to_owned()
}
