//! Single values: how each is written, and what is said when it is written wrongly. Variables of the environment
//! are always text, so numbers and switches may be given as text too.

use std::{
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, de};
use tandem_gateway::{Limits, Network};
use url::Url;

use super::SettingsError;

pub(super) const DAY: Duration = Duration::from_hours(24);

/// Which engine keeps the journal, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreUrl(PathBuf);

impl StoreUrl {
    /// The database file.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for StoreUrl {
    fn default() -> Self {
        Self(PathBuf::from("tandem.db"))
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite:{}", self.0.display())
    }
}

impl std::str::FromStr for StoreUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Self(PathBuf::from(path))),
            _ => Err("expected \"sqlite:\" and a path, such as \"sqlite:tandem.db\""),
        }
    }
}

impl<'de> Deserialize<'de> for StoreUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A proxy on the way to Telegram. Its address may hold a password, so it is treated as a secret.
#[derive(Clone)]
pub struct Proxy(SecretString);

impl Proxy {
    /// The address, with its password.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The address without user and password.
    pub fn shown(&self) -> String {
        Url::parse(self.expose())
            .map(|url| {
                format!("{}://{}:{}", url.scheme(), url.host_str().unwrap_or(""), url.port().unwrap_or(1080))
            })
            .unwrap_or_default()
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.shown())
    }
}

impl std::str::FromStr for Proxy {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "socks5" | "http") && url.host_str().is_some_and(|host| !host.is_empty())
        });
        if known {
            Ok(Self(SecretString::from(text.to_owned())))
        } else {
            Err(
                "expected \"socks5://host:port\" or \"http://host:port\", with user:password@ before the host if it asks for them",
            )
        }
    }
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

pub(super) fn read_proxy(path: &Path) -> Result<Proxy, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
    text.trim().parse().map_err(|message: &str| SettingsError::Wrong {
        source_name: format!("{} (telegram.proxy_file)", path.display()),
        message: message.to_owned(),
    })
}

/// How updates come from Telegram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Upstream {
    /// Whatever suits: polling.
    #[default]
    Auto,
    /// We ask for them.
    Polling,
    /// Telegram brings them to `public_url`.
    Webhook,
}

impl Upstream {
    /// The word in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Polling => "polling",
            Self::Webhook => "webhook",
        }
    }
}

impl<'de> Deserialize<'de> for Upstream {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "auto" => Ok(Self::Auto),
            "polling" => Ok(Self::Polling),
            "webhook" => Ok(Self::Webhook),
            _ => Err(de::Error::custom("expected \"auto\", \"polling\" or \"webhook\"")),
        }
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// A JSON object per line.
    Json,
}

impl LogFormat {
    /// The word in settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl<'de> Deserialize<'de> for LogFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(de::Error::custom("expected \"text\" or \"json\"")),
        }
    }
}

/// A list of texts, or one text with commas. What each of them is, is for others to say.
#[derive(Deserialize)]
#[serde(untagged)]
enum ListOrText {
    List(Vec<String>),
    Text(String),
    #[expect(dead_code, reason = "catches values of other types, for one message in one voice")]
    Other(toml::Value),
}

impl ListOrText {
    /// What is in it; `None` for a value that is no list.
    fn items(self) -> Option<Vec<String>> {
        let items = match self {
            Self::List(list) => list,
            Self::Text(text) => text.split(',').map(str::to_owned).collect(),
            Self::Other(_) => return None,
        };
        let items = items.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        Some(items.map(str::to_owned).collect())
    }
}

/// Proxies that are believed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Networks(pub(super) Vec<Network>);

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected =
            || de::Error::custom("expected addresses and networks such as [\"10.0.0.5\", \"fd00::/8\"]");
        let items = ListOrText::deserialize(deserializer)?.items().ok_or_else(expected)?;
        let networks: Result<_, _> = items.iter().map(|item| item.parse()).collect();
        networks.map(Self).map_err(|_malformed| expected())
    }
}

/// Hosts, each with or without a port.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Hosts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let is_host = |item: &String| {
            url::Url::parse(&format!("https://{item}/"))
                .is_ok_and(|url| url.path() == "/" && url.username().is_empty())
        };
        let items = ListOrText::deserialize(deserializer)?.items();
        items.filter(|items| items.iter().all(is_host)).map(Self).ok_or_else(|| {
            de::Error::custom("expected hosts such as [\"hooks.example\", \"127.0.0.1:9083\"]")
        })
    }
}

pub(super) fn address(text: &'static str) -> Url {
    Url::parse(text).expect("a constant address is well formed")
}

pub(super) fn socket_address<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse()
        .map(Some)
        .map_err(|_malformed| de::Error::custom("expected an address and a port such as 127.0.0.1:8080"))
}

/// The address of a Bot API server: http or https, nothing after the path.
pub(super) fn base_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    web_address(&String::deserialize(deserializer)?, &["https", "http"])
        .map(Some)
        .ok_or_else(|| de::Error::custom("expected an address such as \"https://api.telegram.org\""))
}

/// Telegram delivers to https only; plain http is for its own server in local mode.
pub(super) fn public_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    web_address(&String::deserialize(deserializer)?, &["https", "http"]).map(Some).ok_or_else(|| {
        de::Error::custom(
            "expected the address at which Telegram reaches us, such as \"https://bots.example\"",
        )
    })
}

fn web_address(text: &str, schemes: &[&str]) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.query().is_none()
        && url.fragment().is_none()
        && url.password().is_none()
        && url.username().is_empty();
    (schemes.contains(&url.scheme()) && url.has_host() && plain).then_some(url)
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(i64),
    Text(String),
    #[expect(dead_code, reason = "catches values of other types, for one message in one voice")]
    Other(toml::Value),
}

fn number<'de, D: Deserializer<'de>>(deserializer: D, expected: &str) -> Result<i64, D::Error> {
    match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(number) => Ok(number),
        NumberOrText::Text(text) => text.trim().parse().map_err(|_malformed| de::Error::custom(expected)),
        NumberOrText::Other(_) => Err(de::Error::custom(expected)),
    }
}

/// A number of days, or a part of one: `0.5`.
pub(super) fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let expected = || de::Error::custom("expected a number of days");
    let days: f64 = match toml::Value::deserialize(deserializer)? {
        toml::Value::Integer(whole) => f64::from(u32::try_from(whole).map_err(|_too_many| expected())?),
        toml::Value::Float(days) => days,
        toml::Value::String(text) => text.trim().parse().map_err(|_malformed| expected())?,
        _ => return Err(expected()),
    };
    let seconds = Duration::try_from_secs_f64((days * DAY.as_secs_f64()).round());
    seconds.map(Some).map_err(|_negative_or_endless| expected())
}

pub(super) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    at_least(deserializer, 1, "expected a number of seconds, at least 1")
}

pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    at_least(deserializer, 1, "expected a number, at least 1")
}

pub(super) fn head_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    let least = u32::try_from(Limits::LEAST_HEAD_BYTES).unwrap_or(u32::MAX);
    at_least(deserializer, least, "expected a number of bytes, at least 8192")
}

fn at_least<'de, D: Deserializer<'de>>(
    deserializer: D,
    least: u32,
    expected: &str,
) -> Result<Option<u32>, D::Error> {
    match u32::try_from(number(deserializer, expected)?) {
        Ok(number) if number >= least => Ok(Some(number)),
        Ok(_) | Err(_) => Err(de::Error::custom(expected)),
    }
}

pub(super) fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let expected = "expected a number of bytes";
    number(deserializer, expected)?.try_into().map(Some).map_err(|_malformed| de::Error::custom(expected))
}

pub(super) fn switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match toml::Value::deserialize(deserializer)? {
        toml::Value::Boolean(switch) => Ok(Some(switch)),
        toml::Value::String(text) if text == "true" => Ok(Some(true)),
        toml::Value::String(text) if text == "false" => Ok(Some(false)),
        _ => Err(de::Error::custom("expected true or false")),
    }
}
