//! A project at Wahelp, and what is done in it.
//!
//! Nothing of conversations is kept here but what only makes things quicker: which channels there are, to whom something
//! is being sent just now (its echo may come before the answer), who could not be reached lately.

mod check;
mod check_route;
mod connect;
mod listen;
mod probe;
mod tell;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::tz::Offset;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tandem_model::{
    Clock, Rng, Timestamp,
    message::{MessageKey, ReplyOrigin, ReplyResult},
};
use tandem_outbound::Client;
use tandem_vendor::{
    Abilities, Account, ChatIds, Failure, FailureKind, Finding, Found, Heard, History, Hook, HookRefusal,
    Keep, News, OpenedChat, Opening, Recognition, Standing, Strangers, Taken, Telling,
};
use url::Url;

use self::tell::Sending;
use crate::{
    api::Api, channels::Channels, connection::Connection, document::ConnectionDocument, login::Tokens,
    pace::Pace,
};

/// How often is asked what is new where no hook can come (13.6).
const POLL: Duration = Duration::from_secs(20);
/// How often is asked in case hooks do not come, and whether ours is still subscribed.
const PRECAUTION: Duration = Duration::from_mins(10);
/// Strange words that are told apart.
const WORDS: usize = 100;

/// A project.
pub(crate) struct WahelpAccount {
    document: ConnectionDocument,
    offset: Offset,
    public_url: Option<String>,
    api: Api,
    keep: Arc<dyn Keep>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    pace: Pace,
    known: Mutex<Known>,
    connecting: tokio::sync::Mutex<()>,
}

/// What is known of it at the moment.
#[derive(Debug)]
struct Known {
    link: Standing,
    channels: Arc<Channels>,
    /// When that was asked for last.
    channels_at: Option<Timestamp>,
    hook_secret: Option<SecretString>,
    /// Whether our hook is subscribed, as far as Wahelp says.
    hooked: bool,
    /// When that was looked at last.
    hooked_at: Option<Timestamp>,
    sending: Sending,
    /// Channels of routes, by uuid.
    used: BTreeSet<String>,
    /// Clients by channel and phone whom it cannot reach, and until when nobody asks again.
    unreachable: BTreeMap<String, Timestamp>,
    /// Words that mean nothing to us, and how often they came.
    words: BTreeMap<String, u64>,
}

impl WahelpAccount {
    pub(crate) fn new(
        connection: Connection,
        sent: Option<&SecretString>,
        client: Client,
        keep: Arc<dyn Keep>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Self {
        let Connection { document, base, offset, access, hook_secret, public_url } = connection;
        let words = document.words.clone();
        let tokens = Tokens::new(
            access,
            client.clone(),
            base.clone(),
            words.clone(),
            Arc::clone(&keep),
            Arc::clone(&clock),
        );
        let api = Api::new(client, base, document.project.clone(), words, tokens);
        let pace = Pace::new(document.pace, offset, sent.map(ExposeSecret::expose_secret));
        let known = Known {
            link: Standing::Unconnected,
            channels: Arc::default(),
            channels_at: None,
            hook_secret,
            hooked: false,
            hooked_at: None,
            sending: Sending::default(),
            used: BTreeSet::new(),
            unreachable: BTreeMap::new(),
            words: BTreeMap::new(),
        };
        Self {
            document,
            offset,
            public_url,
            api,
            keep,
            clock,
            rng,
            pace,
            known: Mutex::new(known),
            connecting: tokio::sync::Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn channels(&self) -> Arc<Channels> {
        Arc::clone(&self.known().channels)
    }

    /// A word that means nothing to us is counted: whoever looks at the account sees it.
    fn count_words(&self, news: &[News]) {
        let mut known = self.known();
        for word in news.iter().filter_map(|news| match news {
            News::Ignored(word) => Some(word),
            _ => None,
        }) {
            if known.words.len() < WORDS || known.words.contains_key(word) {
                let word: String = word.chars().filter(|c| !c.is_control()).take(80).collect();
                *known.words.entry(word).or_default() += 1;
            }
        }
    }
}

#[async_trait]
impl Account for WahelpAccount {
    fn abilities(&self) -> Abilities {
        Abilities { repeats: Recognition::None, history: History::None, strangers: Strangers::Ordinary }
    }

    async fn connect(&self) -> Result<(), Failure> {
        let _one_at_a_time = self.connecting.lock().await;
        self.connect_once().await
    }

    fn standing(&self) -> Standing {
        match self.api.refusal() {
            Some(words) => Standing::Refused(words),
            None => self.known().link.clone(),
        }
    }

    async fn open_chat(&self, opening: &Opening) -> Result<OpenedChat, Failure> {
        self.open(opening).await
    }

    async fn prepare(&self, telling: &Telling) -> Result<(), Failure> {
        self.take_turn(telling).await
    }

    async fn tell(&self, telling: &Telling) -> Result<Taken, Failure> {
        self.send(telling).await
    }

    fn fingerprint(&self, telling: &Telling) -> Option<String> {
        tell::fingerprint(telling)
    }

    async fn find(&self, _: &ChatIds, _: &MessageKey) -> Result<Found, Failure> {
        Ok(Found::Unknowable)
    }

    /// There is no way to: whatever is written there goes to the client.
    async fn report(&self, _: &ReplyOrigin, _: &ReplyResult) -> Result<(), Failure> {
        Ok(())
    }

    async fn note(&self, _: &ChatIds, _: &str) -> Result<bool, Failure> {
        Ok(false)
    }

    fn owns(&self, path: &[String]) -> bool {
        let [given] = path else { return false };
        let known = self.known();
        let Some(secret) = &known.hook_secret else { return false };
        given.as_bytes().ct_eq(secret.expose_secret().as_bytes()).into()
    }

    fn hear(&self, hook: &Hook) -> Result<Vec<News>, HookRefusal> {
        if !self.owns(&hook.path) {
            return Err(HookRefusal::Unproven);
        }
        self.read(hook)
    }

    async fn missed(&self, _: &ChatIds, _: Timestamp) -> Result<Vec<Heard>, Failure> {
        Ok(Vec::new())
    }

    async fn heard_since(&self, since: Timestamp) -> Option<Result<Vec<News>, Failure>> {
        Some(self.look_through(since).await)
    }

    fn polls_every(&self) -> Option<Duration> {
        Some(if self.known().hooked { PRECAUTION } else { POLL })
    }

    fn may_fetch(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        if !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let is_own = host == self.api.base.host();
        let hosts = &self.document.fetch_hosts;
        let is_named = hosts.is_empty() || hosts.iter().any(|known| known.eq_ignore_ascii_case(host));
        match url.scheme() {
            "https" => is_own || is_named,
            // An emulator speaks plain HTTP; nobody else may.
            "http" => is_own && self.api.base.is_plain(),
            _ => false,
        }
    }

    fn authorize_url(&self, _: &str) -> Option<Url> {
        None
    }

    async fn take_grant(&self, _: &[(String, String)]) -> Result<(), Failure> {
        let words = "Wahelp grants access by a login or a token in the file, not by a link";
        Err(Failure::new(FailureKind::Refused, words))
    }

    async fn check(&self) -> Vec<Finding> {
        self.check_all().await
    }

    async fn check_route(&self, route: &serde_json::Value) -> Vec<Finding> {
        self.check_route_settings(route).await
    }

    async fn probe_to(&self, to: &str) -> Vec<Finding> {
        self.probe_with(to).await
    }
}

impl fmt::Debug for WahelpAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WahelpAccount")
            .field("project", &self.document.project)
            .field("link", &self.known().link)
            .finish_non_exhaustive()
    }
}
