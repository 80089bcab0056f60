//! A channel: what amoCRM's support hands out on request (reference 3), and the account it is connected to.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::amocrm::ids::{hex, uuid};
use crate::random::Random;

/// Where the hook's address has the scope.
pub(crate) const SCOPE_MARKER: &str = ":scope_id";

/// A channel as support has set it up.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) secret: String,
    /// `amo.ext.<x>`.
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) bot: ChannelBot,
    /// The integration it belongs to.
    pub(crate) client_id: String,
    pub(crate) hook_url: Option<String>,
    /// The accounts it may be connected to, by their ids in the chat service.
    pub(crate) accounts: Vec<String>,
    #[serde(flatten)]
    pub(crate) settings: Settings,
    pub(crate) connection: Option<Connected>,
    /// Hooks that failed in a row.
    pub(crate) hooks_failed: u32,
}

/// In whose name messages of unknown authors are imported.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelBot {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) name: String,
}

/// What `connect` wrote down.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Connected {
    pub(crate) account_id: String,
    pub(crate) title: String,
    pub(crate) hook_api_version: HookVersion,
    pub(crate) is_time_window_disabled: bool,
    pub(crate) at_ms: i64,
}

/// Which shape hooks have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HookVersion {
    V1,
    V2,
}

/// What support switches on and off, and how this amoCRM behaves where the real one is not known to the digit.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is one line of the registration form or one switch")]
pub(crate) struct Settings {
    pub(crate) quoting: bool,
    pub(crate) typing: bool,
    pub(crate) reactions: bool,
    pub(crate) write_first: bool,
    /// The newline after a hook's body, outside the signature.
    pub(crate) hook_newline: bool,
    /// One hook of a chat after the other; else each on its own.
    pub(crate) hooks_in_order: bool,
    /// Whether a message imported on behalf of a manager comes back as a hook.
    pub(crate) echo_managers: bool,
    /// How long a message is on its way after the 200, from and to, by the sandbox's clock.
    pub(crate) processing_ms: [u64; 2],
    /// Every hook waits so long: the slow queue.
    pub(crate) slow_queue_ms: Option<u64>,
    /// After so many failed hooks in a row the channel is in the slow queue until one succeeds.
    pub(crate) slow_queue_after: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            quoting: true,
            typing: true,
            reactions: true,
            write_first: true,
            hook_newline: true,
            hooks_in_order: true,
            echo_managers: false,
            processing_ms: [0, 0],
            slow_queue_ms: None,
            slow_queue_after: None,
        }
    }
}

/// The wait in the slow queue when only `slow_queue_after` is set.
const SLOW_QUEUE_MS: u64 = 60_000;

/// A channel to be made, or changes to one: what is not given is made up, or stays.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Fixture {
    id: Option<String>,
    secret: Option<String>,
    code: Option<String>,
    name: Option<String>,
    bot: Option<ChannelBot>,
    client_id: Option<String>,
    hook_url: Option<String>,
    accounts: Option<Vec<String>>,
    /// The rest must be settings.
    #[serde(flatten)]
    settings: Map<String, Value>,
}

/// A fixture that makes no sense.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FixtureError {
    #[error("hook_url: an http or https URL with {SCOPE_MARKER} in it")]
    HookUrl,
    #[error("the id of a channel stays what it is")]
    Id,
    #[error("settings")]
    Settings(#[source] serde_json::Error),
}

impl Channel {
    /// A channel with everything that the fixture does not name made up from `random`.
    pub(crate) fn new(
        fixture: Fixture,
        random: &Random,
        account: &str,
        client_id: &str,
    ) -> Result<Self, FixtureError> {
        let id = fixture.id.clone().unwrap_or_else(|| uuid(random));
        let mut channel = Self {
            id,
            secret: hex(&random.bytes::<20>()),
            code: format!("amo.ext.{}", hex(&random.bytes::<4>())),
            name: "SandboxTelegram".to_owned(),
            bot: ChannelBot {
                id: uuid(random),
                client_id: "channel-bot".to_owned(),
                name: "SandboxTelegram bot".to_owned(),
            },
            client_id: client_id.to_owned(),
            hook_url: None,
            accounts: vec![account.to_owned()],
            settings: Settings::default(),
            connection: None,
            hooks_failed: 0,
        };
        channel.change(fixture)?;
        Ok(channel)
    }

    pub(crate) fn change(&mut self, fixture: Fixture) -> Result<(), FixtureError> {
        if fixture.id.is_some_and(|id| id != self.id) {
            return Err(FixtureError::Id);
        }
        let good = |url: &String| {
            url.contains(SCOPE_MARKER)
                && url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        };
        if !fixture.hook_url.as_ref().is_none_or(good) {
            return Err(FixtureError::HookUrl);
        }
        self.settings = self.settings.with(fixture.settings).map_err(FixtureError::Settings)?;
        self.hook_url = fixture.hook_url.or(self.hook_url.take());
        for (field, given) in [
            (&mut self.secret, fixture.secret),
            (&mut self.code, fixture.code),
            (&mut self.name, fixture.name),
            (&mut self.client_id, fixture.client_id),
        ] {
            if let Some(given) = given {
                *field = given;
            }
        }
        if let Some(bot) = fixture.bot {
            self.bot = bot;
        }
        if let Some(accounts) = fixture.accounts {
            self.accounts = accounts;
        }
        Ok(())
    }

    /// The scope while it is connected.
    pub(crate) fn scope_id(&self) -> Option<String> {
        self.connection.as_ref().map(|connection| self.scope_of(&connection.account_id))
    }

    pub(crate) fn scope_of(&self, account_id: &str) -> String {
        format!("{}_{account_id}", self.id)
    }

    /// Where hooks go now.
    pub(crate) fn hook_address(&self) -> Option<String> {
        Some(self.hook_url.as_ref()?.replace(SCOPE_MARKER, &self.scope_id()?))
    }

    /// How long a hook waits in the slow queue.
    pub(crate) fn queue_ms(&self) -> u64 {
        let Settings { slow_queue_ms, slow_queue_after, .. } = self.settings;
        match slow_queue_after {
            None => slow_queue_ms.unwrap_or(0),
            Some(after) if self.hooks_failed >= after => slow_queue_ms.unwrap_or(SLOW_QUEUE_MS),
            Some(_) => 0,
        }
    }
}

impl Settings {
    fn with(&self, changes: Map<String, Value>) -> Result<Self, serde_json::Error> {
        let mut all = serde_json::to_value(self)?;
        if let Some(all) = all.as_object_mut() {
            all.extend(changes);
        }
        serde_json::from_value(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn changes_leave_the_rest_and_unknown_settings_are_refused() {
        let fixture = |value| serde_json::from_value::<Fixture>(value).unwrap();
        let first = fixture(json!({"secret": "s", "quoting": false, "hook_url": "http://h/:scope_id"}));
        let mut channel = Channel::new(first, &Random::seeded(1), "acc", "int").unwrap();
        channel.change(fixture(json!({"slow_queue_after": 2}))).unwrap();
        assert!(!channel.settings.quoting && channel.settings.hook_newline);
        assert_eq!(
            (channel.secret.as_str(), channel.accounts.as_slice()),
            ("s", ["acc".to_owned()].as_slice())
        );
        assert!(channel.change(fixture(json!({"quotng": true}))).is_err());
        assert!(channel.change(fixture(json!({"hook_url": "http://h/"}))).is_err());
        channel.hooks_failed = 1;
        assert_eq!(channel.queue_ms(), 0);
        channel.hooks_failed = 2;
        assert_eq!(channel.queue_ms(), SLOW_QUEUE_MS);
    }
}
