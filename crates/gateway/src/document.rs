//! What is stored of an app. The bridge and the command line change the settings, the gateway what the app itself
//! has set.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};
use tandem_model::{Authorship, EventKind, EventKinds, Filter, Flags, Timestamp, Topics};
use tandem_telegram::{allowed, token::TokenHash, update::Kind};

use crate::{AppLimits, shown};

/// An app, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AppDocument {
    /// SHA-256 of its token, in hex; `None` for an app that has none: `main` also answers to the bot's own.
    pub token_sha256: Option<String>,
    /// What happens when it asks to drop what is pending.
    pub drop_pending: DropPending,
    /// How long an update of ordinary lifetime waits for it, in seconds.
    pub backlog_secs: u64,
    /// Whether it is shown a client's free words while a manager is talking.
    pub while_manager_talks: WhileManagerTalks,
    /// Which webhook addresses it may set.
    pub webhooks: WebhookPolicy,
    /// Beginnings of callback data whose presses are for it, whoever's message carries the button.
    pub claims: BTreeSet<String>,
    /// What else than updates it is shown.
    pub sees: BTreeSet<Sees>,
    /// Whether it has asked by itself for what other apps send.
    pub asked_for_sent: bool,
    /// What it may do.
    pub limits: AppLimits,
    /// The kinds it asked for (reference/telegram.md 2.5).
    pub allowed: Topics,
    /// Its webhook, if it has set one.
    pub webhook: Option<WebhookDocument>,
}

impl Default for AppDocument {
    fn default() -> Self {
        Self {
            token_sha256: None,
            drop_pending: DropPending::default(),
            backlog_secs: 24 * 60 * 60,
            while_manager_talks: WhileManagerTalks::default(),
            webhooks: WebhookPolicy::default(),
            claims: BTreeSet::new(),
            sees: BTreeSet::new(),
            asked_for_sent: false,
            limits: AppLimits::default(),
            allowed: Kind::default_topics(),
            webhook: None,
        }
    }
}

impl AppDocument {
    /// The hash its token is found by.
    pub fn token_hash(&self) -> Option<TokenHash> {
        let bytes = hex::decode(self.token_sha256.as_deref()?).ok()?;
        Some(TokenHash::from_bytes(bytes.try_into().ok()?))
    }

    /// How long an update of ordinary lifetime waits for it.
    pub const fn backlog(&self) -> Duration {
        Duration::from_secs(self.backlog_secs)
    }

    /// Whether it is shown what other apps send.
    pub fn sees_sent(&self) -> bool {
        self.asked_for_sent || self.sees.contains(&Sees::Sent)
    }

    /// The kinds it asked for, by name; `None` for Telegram's default, which Telegram does not show.
    pub fn shown_kinds(&self) -> Option<Vec<&'static str>> {
        let kinds = allowed::shown(self.allowed);
        if !self.asked_for_sent {
            return kinds;
        }
        let default =
            || Kind::documented().filter(|kind| !kind.is_opt_in()).filter_map(Kind::name).collect::<Vec<_>>();
        let mut kinds = kinds.unwrap_or_else(default);
        kinds.push(shown::SENT);
        Some(kinds)
    }

    /// What its lane lets through of what is appended from now on.
    pub fn filter(&self) -> Filter {
        Filter {
            kinds: if self.sees_sent() {
                EventKinds::of(&[EventKind::Update, EventKind::Sent])
            } else {
                EventKinds::of(&[EventKind::Update])
            },
            topics: self.allowed,
            without: match self.while_manager_talks {
                WhileManagerTalks::Deliver => Flags::NONE,
                WhileManagerTalks::Skip => Flags::MANAGER_TALKS,
            },
            authorship: Authorship::OthersOnlyAndNotOwned,
        }
    }
}

/// What happens when an app asks to drop what is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropPending {
    /// It is dropped, for this app alone, as Telegram would.
    #[default]
    Obey,
    /// It is kept and the app is told yes: for bots that drop on every start.
    Ignore,
}

/// Something else than updates that an app can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sees {
    /// What other apps of the bot send.
    Sent,
}

/// Whether an app is shown a client's free words while a manager is talking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhileManagerTalks {
    /// It is.
    #[default]
    Deliver,
    /// It is not; commands, presses, contacts and payments are delivered all the same.
    Skip,
}

/// Which webhook addresses an app may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookPolicy {
    /// Any if the gateway listens on a loopback address, otherwise as Telegram.
    #[default]
    Auto,
    /// Any: http, any port, private addresses.
    Any,
    /// As Telegram: https on ports 80, 88, 443 and 8443, public addresses.
    PublicHttps,
}

/// A virtual webhook. Its address (which often holds a secret, with some libraries the token itself), its secret and
/// its certificate are stored sealed, apart; its latest failure is its lane's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookDocument {
    /// The host it leads to.
    pub host: String,
    /// A fixed address in place of the name's.
    pub ip_address: Option<IpAddr>,
    /// What its name stood for when it was set.
    pub resolved: Option<IpAddr>,
    /// How many requests at a time.
    pub max_connections: u16,
    /// Whether a certificate was uploaded with it.
    pub has_certificate: bool,
    /// Whether a secret was set with it.
    pub has_secret: bool,
    /// When it was set: failures before that were another webhook's.
    pub set_at: Timestamp,
    /// Since when it has answered 410 and nothing else.
    pub gone_since: Option<Timestamp>,
}
