//! What a bridge is made of, and what the operator decides about it.

use std::{fmt, sync::Arc, time::Duration};

use tandem_gateway::{Directory, Gateway, Recorder};
use tandem_journal::{Retention, Sealer, Store};
use tandem_lanes::Lanes;
use tandem_model::{BotId, Clock, Rng};
use tandem_telegram::upstream::{AddressGuard, Roots, Upstream};
use tandem_vendor::Vendor;

use crate::{Connector, FileConfig, Ownership, UpstreamMode, adopt::recognise::FurtherHosts};

/// What a bridge is made of.
#[derive(Clone)]
pub struct Parts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// What seals and opens secrets.
    pub sealer: Arc<Sealer>,
    /// The right to write for bots.
    pub ownership: Arc<Ownership>,
    /// All lanes.
    pub lanes: Lanes,
    /// Bots and apps as the gateway knows them; the bridge fills it.
    pub directory: Arc<Directory>,
    /// How events get into journals.
    pub recorder: Recorder,
    /// What apps speak to: it is told which apps there are.
    pub gateway: Gateway,
    /// Telegram.
    pub upstream: Upstream,
    /// Kinds of route beyond those that are built in.
    pub connectors: Vec<Arc<dyn Connector>>,
    /// Vendors whose accounts connections are.
    pub vendors: Vec<Arc<dyn Vendor>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub rng: Arc<dyn Rng>,
    /// What the operator decided.
    pub config: Config,
}

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct Config {
    /// How Telegram reaches us: needed by bots whose updates it posts.
    pub public_url: Option<PublicUrl>,
    /// How long a question for updates may wait at Telegram, at most 50 s.
    pub poll_timeout: Duration,
    /// How many deliveries of one bot Telegram may have under way, 1 to 100.
    pub webhook_connections: u32,
    /// Whom to believe when a route's receiver shows its certificate.
    pub roots: Roots,
    /// How the files that managers send are fetched.
    pub files: FileConfig,
    /// Asked about every address of a route or of a manager's file before it is connected to.
    pub guard: Option<Arc<dyn AddressGuard>>,
    /// How long events are kept.
    pub retention: Retention,
    /// How often what has lived its time is looked for.
    pub sweep_every: Duration,
    /// Where apps reach the gateway, for people.
    pub gateway_url: String,
    /// How updates of newly adopted bots come to us, where nothing else is asked for.
    pub upstream: UpstreamMode,
    /// Hosts besides the vendors' own on which the paths of amoCRM's hooks are amoCRM's. Loopback by default: an
    /// emulator's.
    pub amocrm_hosts: Vec<String>,
    /// Hosts besides Wahelp's own whose webhooks are Wahelp's, each with or without a port.
    pub wahelp_hosts: Vec<String>,
    /// How long an address of a file stays good.
    pub media_lifetime: Duration,
    /// How long to listen for another program that polls before a bot is taken over.
    pub listen_for_pollers: Duration,
}

impl Default for Config {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        Self {
            public_url: None,
            poll_timeout: Duration::from_secs(50),
            webhook_connections: 40,
            roots: Roots::Platform,
            guard: None,
            files: FileConfig::default(),
            retention: Retention { keep: 30 * day, at_most: 90 * day, max_bytes: None },
            sweep_every: Duration::from_mins(10),
            gateway_url: "http://127.0.0.1:8080".to_owned(),
            upstream: UpstreamMode::default(),
            amocrm_hosts: ["127.0.0.1", "localhost", "[::1]"].map(str::to_owned).to_vec(),
            wahelp_hosts: Vec::new(),
            media_lifetime: day,
            // Libraries that were ended by our question come back within this.
            listen_for_pollers: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// By which hosts holders of bots are recognised, besides those that are known.
    pub(crate) fn further_hosts(&self) -> FurtherHosts<'_> {
        FurtherHosts { amocrm: &self.amocrm_hosts, wahelp: &self.wahelp_hosts }
    }
}

/// How Telegram and vendors reach our public listener: an address without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

/// Why a text is no public address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a public address begins with https:// (or http:// for a Bot API server of one's own) and has no query"
)]
pub struct PublicUrlError;

impl PublicUrl {
    /// Reads an address; a slash at its end does not matter.
    pub fn parse(text: &str) -> Result<Self, PublicUrlError> {
        let uri: http::Uri = text.parse().map_err(|_malformed| PublicUrlError)?;
        let known = matches!(uri.scheme_str(), Some("https" | "http"));
        if !known || uri.host().is_none_or(str::is_empty) || uri.query().is_some() || text.contains('@') {
            return Err(PublicUrlError);
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// Where Telegram posts a bot's updates.
    pub fn hook(&self, bot: BotId) -> String {
        format!("{}{}", self.0, Self::hook_path(bot))
    }

    /// Where a path of ours is reached from outside.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// The path of it.
    pub(crate) fn hook_path(bot: BotId) -> String {
        format!("/hooks/telegram/{bot}")
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("config", &self.config).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_address_is_one_that_telegram_can_post_to() {
        let bot = BotId::new(42).unwrap();
        for text in ["https://a.example", "https://a.example/", "http://10.0.0.1:81"] {
            let hook = PublicUrl::parse(text).unwrap().hook(bot);
            assert_eq!(hook, format!("{}/hooks/telegram/42", text.trim_end_matches('/')));
        }
        assert_eq!(
            PublicUrl::parse("https://a.example/tandem/").unwrap().hook(bot),
            "https://a.example/tandem/hooks/telegram/42"
        );
        for text in
            ["", "a.example", "ftp://a.example", "https://a.example/?x=1", "https://u:p@a.example", "/x"]
        {
            assert!(PublicUrl::parse(text).is_err(), "{text}");
        }
    }
}
