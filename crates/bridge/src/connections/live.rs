//! A connection in memory.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tandem_model::{ConnectionId, Timestamp};
use tandem_vendor::{Account, ConnectionSetting, OpenError, Standing};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::ConnectionState;
use crate::companion::UnknownChats;

/// A connection that is open, or could not be.
#[derive(Debug)]
pub(crate) struct LiveConnection {
    id: ConnectionId,
    name: String,
    vendor: String,
    account: Result<Arc<dyn Account>, Unopened>,
    setting: Arc<Mutex<ConnectionSetting>>,
    known: Mutex<Known>,
    /// Has its task look at once.
    pub(super) nudge: Notify,
    /// Ends its task: it was changed or removed.
    pub(super) stop: CancellationToken,
}

/// Why there is no account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unopened {
    /// No vendor of this name is built in.
    #[error("this version knows no vendor of this name")]
    NoVendor,
    /// Its settings cannot be used.
    #[error(transparent)]
    Setting(#[from] OpenError),
}

#[derive(Debug, Default)]
struct Known {
    disabled_since: Option<Timestamp>,
    /// It has been connected since it was opened.
    connected: bool,
    trouble: Option<Trouble>,
    heard: Heard,
    gap_since: Option<Timestamp>,
    /// Chats of a built-in integration of which nobody knows whose they are.
    unknown: UnknownChats,
}

/// Unknown chats in hand.
pub(crate) struct UnknownChatsOf<'a>(MutexGuard<'a, Known>);

impl Deref for UnknownChatsOf<'_> {
    type Target = UnknownChats;
    fn deref(&self) -> &UnknownChats {
        &self.0.unknown
    }
}

impl DerefMut for UnknownChatsOf<'_> {
    fn deref_mut(&mut self) -> &mut UnknownChats {
        &mut self.0.unknown
    }
}

/// It could not be connected the last time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) since: Timestamp,
    pub(super) failures: u32,
    pub(super) reason: String,
    pub(super) retry_at: Timestamp,
    /// Whether it goes away by itself.
    pub(super) passes: bool,
}

/// What has been heard through it since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Heard {
    pub(super) hooks: u64,
    pub(super) last_at: Option<Timestamp>,
}

impl LiveConnection {
    pub(super) fn new(
        vendor: String,
        setting: Arc<Mutex<ConnectionSetting>>,
        account: Result<Arc<dyn Account>, Unopened>,
        disabled_since: Option<Timestamp>,
    ) -> Self {
        let (id, name) = {
            let setting = setting.lock().unwrap_or_else(PoisonError::into_inner);
            (setting.id, setting.name.clone())
        };
        Self {
            id,
            name,
            vendor,
            account,
            setting,
            known: Mutex::new(Known { disabled_since, ..Known::default() }),
            nudge: Notify::new(),
            stop: CancellationToken::new(),
        }
    }

    pub(crate) const fn id(&self) -> ConnectionId {
        self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn vendor(&self) -> &str {
        &self.vendor
    }

    /// The account, whether anything can be done in it or not.
    pub(crate) fn account(&self) -> Option<&Arc<dyn Account>> {
        self.account.as_ref().ok()
    }

    /// The account, as the vendor calls it, where the settings name it.
    pub(super) fn account_name(&self) -> Option<String> {
        let setting = self.setting.lock().unwrap_or_else(PoisonError::into_inner);
        account_of(&setting.document)
    }

    /// Has its task look at once.
    pub(crate) fn look_again(&self) {
        self.nudge.notify_one();
    }

    /// Whether it was opened with exactly this.
    pub(super) fn is_opened_with(&self, vendor: &str, setting: &ConnectionSetting) -> bool {
        self.vendor == vendor && self.setting.lock().unwrap_or_else(PoisonError::into_inner).is_same(setting)
    }

    /// How it is.
    pub(crate) fn state(&self) -> ConnectionState {
        let account = match &self.account {
            Ok(account) => account,
            Err(error) => return ConnectionState::Unopened { reason: error.to_string() },
        };
        let (disabled_since, connected, trouble) = {
            let known = self.known();
            (known.disabled_since, known.connected, known.trouble.clone())
        };
        if let Some(since) = disabled_since {
            return ConnectionState::Disabled { since };
        }
        match (account.standing(), trouble) {
            (Standing::Refused(sentence), _) => ConnectionState::Refused { sentence },
            (_, Some(Trouble { reason, passes: false, .. })) => ConnectionState::Refused { sentence: reason },
            (_, Some(Trouble { since, failures, reason, retry_at, passes: true })) => {
                ConnectionState::Trouble { since, failures, reason, retry_at }
            }
            (Standing::Connected, None) if connected => ConnectionState::Connected,
            (Standing::Impaired(sentence), None) if connected => ConnectionState::Impaired { sentence },
            (Standing::Connected | Standing::Impaired(_) | Standing::Unconnected, None) => {
                ConnectionState::Connecting
            }
        }
    }

    pub(crate) fn is_usable(&self) -> bool {
        matches!(self.state(), ConnectionState::Connected | ConnectionState::Impaired { .. })
    }

    pub(super) fn is_disabled(&self) -> bool {
        self.known().disabled_since.is_some()
    }

    pub(super) fn set_disabled(&self, since: Option<Timestamp>) {
        let mut known = self.known();
        known.disabled_since = since;
        known.connected = false;
        known.trouble = None;
    }

    /// Whether it has to be connected.
    pub(super) fn wants_connecting(&self, account: &dyn Account) -> bool {
        let connected = self.known().connected;
        !connected || matches!(account.standing(), Standing::Unconnected | Standing::Refused(_))
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.known().trouble.clone()
    }

    pub(super) fn set_connected(&self) {
        let mut known = self.known();
        known.connected = true;
        known.trouble = None;
    }

    pub(super) fn set_trouble(&self, trouble: Trouble) {
        let mut known = self.known();
        known.connected = false;
        known.trouble = Some(trouble);
    }

    /// A hook was proved to be its vendor's.
    pub(crate) fn heard_something(&self, now: Timestamp) {
        let mut known = self.known();
        known.heard.hooks += 1;
        known.heard.last_at = Some(now);
    }

    /// When it was that its vendor told anything last.
    pub(crate) fn last_heard(&self) -> Option<Timestamp> {
        self.known().heard.last_at
    }

    /// Chats of nobody known. Never held while anything is waited for.
    pub(crate) fn unknown(&self) -> UnknownChatsOf<'_> {
        UnknownChatsOf(self.known())
    }

    pub(super) fn heard(&self) -> Heard {
        self.known().heard
    }

    /// Hooks may have been missed since then: nothing that is earlier is forgotten.
    pub(crate) fn note_gap(&self, since: Timestamp) {
        let mut known = self.known();
        known.gap_since = Some(known.gap_since.map_or(since, |before| before.min(since)));
    }

    /// Since when hooks may have been missed.
    pub(crate) fn gap(&self) -> Option<Timestamp> {
        self.known().gap_since
    }

    /// What was missed since then has been looked for; a gap that began earlier meanwhile stays.
    pub(crate) fn close_gap(&self, since: Timestamp) {
        let mut known = self.known();
        if known.gap_since.is_some_and(|open| open >= since) {
            known.gap_since = None;
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The account that a connection's settings name: a host, or a project by its number.
pub(crate) fn account_of(settings: &serde_json::Value) -> Option<String> {
    let word = |name| settings.get(name).and_then(serde_json::Value::as_str);
    word("account").map(str::to_owned).or_else(|| word("project").map(|project| format!("project {project}")))
}
