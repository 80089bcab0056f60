//! An account at amoCRM or Kommo: what is known of it, and what can be done in it.

mod check;
mod check_route;
mod connect;
mod doubles;
mod fields;
mod grant;
mod history;
mod leads;
mod listen;
mod managers;
mod match_people;
mod probe;
mod sources;
mod speak;
mod tend;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use tandem_model::{
    Clock, PauseReason, Timestamp,
    message::{MessageKey, ReplyOrigin, ReplyResult},
};
use tandem_vendor::{
    Account, ChatIds, Failure, FailureKind, Finding, Found, Heard, Hook, HookRefusal, Listening, Need, News,
    OpenedChat, Opening, Standing, Taken, Telling, Tended, Tending,
};
use url::Url;

pub(crate) use self::listen::Ears;
use self::listen::{ACCOUNT, Hooks};
use crate::{
    chats::Chats,
    connection::Connection,
    inbound::{self, DISABLED, Disabling, Known},
    people::People,
    rest::{Rest, RestTrouble},
    tell::Order,
};

/// An account.
pub(crate) struct AmocrmAccount {
    connection: Connection,
    chats: Option<Chats>,
    rest: Option<Rest>,
    order: Order,
    facts: Mutex<Arc<Facts>>,
    link: Mutex<Link>,
    connecting: tokio::sync::Mutex<()>,
    ears: Ears,
    people: Arc<People>,
    clock: Arc<dyn Clock>,
    id_field: fields::KnownField,
    pipelines: leads::KnownPipelines,
    sources: sources::KnownSources,
    nameless: managers::Nameless,
}

/// What is known of the account.
#[derive(Debug, Clone, Default)]
struct Facts {
    /// Its id at the chat service.
    amojo_id: Option<String>,
    /// Its number.
    number: Option<u64>,
    /// The channel in it.
    scope: Option<String>,
    /// Where its files are.
    drive_host: Option<String>,
    /// Names of its users by their ids at the chat service.
    managers: HashMap<String, String>,
}

/// How the channel stands in the account; without a channel, how the account's API does.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Link {
    /// Not asked yet, or the service does not know it (any more).
    Unconnected,
    Connected,
    /// Somebody has switched the integration off.
    Disabled,
    /// Somebody has to act.
    Refused(String),
}

impl AmocrmAccount {
    pub(crate) fn new(
        connection: Connection,
        chats: Option<Chats>,
        rest: Option<Rest>,
        number: Option<u64>,
        ears: Ears,
        people: Arc<People>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let given = connection.channel.as_ref().and_then(|channel| channel.account.clone());
        let facts = Facts { amojo_id: given, number, ..Facts::default() };
        Self {
            connection,
            chats,
            rest,
            order: Order::default(),
            facts: Mutex::new(Arc::new(facts)),
            link: Mutex::new(Link::Unconnected),
            connecting: tokio::sync::Mutex::default(),
            ears,
            people,
            clock,
            id_field: fields::KnownField::default(),
            pipelines: leads::KnownPipelines::default(),
            sources: sources::KnownSources::default(),
            nameless: managers::Nameless::default(),
        }
    }

    fn facts(&self) -> Arc<Facts> {
        Arc::clone(&self.facts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn change_facts(&self, change: impl FnOnce(&mut Facts)) {
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut facts));
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chats(&self) -> Result<&Chats, Failure> {
        self.chats.as_ref().ok_or_else(|| {
            let kind = FailureKind::Stop(PauseReason::Refused);
            Failure::new(kind, format!("connection {} has no channel", self.connection.name))
        })
    }

    /// What keeps the account's API from being asked; for people, with what to do.
    fn rest_trouble(&self) -> Option<RestTrouble> {
        let trouble = self.rest.as_ref()?.trouble()?;
        Some(match trouble {
            RestTrouble::Refused(words) => RestTrouble::Refused(self.with_way_out(&words)),
            resting @ RestTrouble::Resting(_) => resting,
        })
    }
}

#[async_trait]
impl Account for AmocrmAccount {
    async fn connect(&self) -> Result<(), Failure> {
        let _one_at_a_time = self.connecting.lock().await;
        self.connect_once().await
    }

    fn standing(&self) -> Standing {
        let link = self.link().clone();
        let rest = self.rest_trouble();
        match (link, rest, &self.chats) {
            (Link::Refused(words), _, _) => Standing::Refused(words),
            // Chats go on without the account's API, nothing else does.
            (Link::Connected, Some(RestTrouble::Resting(words) | RestTrouble::Refused(words)), Some(_))
            | (_, Some(RestTrouble::Resting(words)), None) => Standing::Impaired(words),
            (_, Some(RestTrouble::Refused(words)), _) => Standing::Refused(words),
            (Link::Connected, None, _) => match self.ears.hooks() {
                Hooks::Missing(words) => Standing::Impaired(words),
                Hooks::Unasked | Hooks::On | Hooks::OnAgain | Hooks::Without(_) => Standing::Connected,
            },
            (Link::Unconnected | Link::Disabled, _, _) => Standing::Unconnected,
        }
    }

    fn knows_people(&self) -> bool {
        self.rest_trouble().is_none()
    }

    async fn open_chat(&self, opening: &Opening) -> Result<OpenedChat, Failure> {
        self.open(opening).await
    }

    async fn tend(&self, tending: &Tending) -> Result<Tended, Failure> {
        self.tend_chat(tending).await
    }

    async fn tell(&self, telling: &Telling) -> Result<Taken, Failure> {
        self.say(telling).await
    }

    async fn find(&self, chat: &ChatIds, key: &MessageKey) -> Result<Found, Failure> {
        self.find_message(chat, key).await
    }

    async fn report(&self, origin: &ReplyOrigin, result: &ReplyResult) -> Result<(), Failure> {
        self.learn_names().await;
        self.report_status(origin, result).await
    }

    async fn note(&self, chat: &ChatIds, words: &str) -> Result<bool, Failure> {
        self.write_note(chat, words).await
    }

    async fn note_contact(&self, contact: &str, words: &str) -> Result<bool, Failure> {
        self.write_note_to(contact, words).await
    }

    async fn listen(&self, need: Need) -> Result<Listening, Failure> {
        self.listen_for_hooks(need).await
    }

    fn owns(&self, path: &[String]) -> bool {
        let is_disable_hook = || {
            let [first, client_id] = path else { return false };
            first == DISABLED
                && self.connection.integration.as_ref().is_some_and(|known| known.client_id == *client_id)
        };
        let is_chat_hook = || {
            let Some(chats) = &self.chats else { return false };
            let facts = self.facts();
            let known = Known {
                channel: chats.channel(),
                account: facts.amojo_id.as_deref(),
                managers: &facts.managers,
            };
            inbound::owns(&known, path)
        };
        is_disable_hook() || is_chat_hook() || self.owns_account_path(path)
    }

    fn knows_itself(&self) -> bool {
        let facts = self.facts();
        let chats_are_known = self.chats.is_none() || facts.amojo_id.is_some();
        let number_is_known = self.connection.integration.is_none() || facts.number.is_some();
        chats_are_known && number_is_known
    }

    fn hear(&self, hook: &Hook) -> Result<Vec<News>, HookRefusal> {
        if hook.path.first().is_some_and(|first| first == ACCOUNT) {
            return self.hear_account(hook);
        }
        let facts = self.facts();
        if hook.path.first().is_some_and(|first| first == DISABLED) {
            let integration = self.connection.integration.as_ref().ok_or(HookRefusal::Unproven)?;
            let known = Disabling {
                client_id: &integration.client_id,
                client_secret: &integration.client_secret,
                account: facts.number,
            };
            let news = inbound::disabled(&known, hook)?;
            *self.link() = Link::Disabled;
            return Ok(news);
        }
        let chats = self.chats.as_ref().ok_or(HookRefusal::Unproven)?;
        let known =
            Known { channel: chats.channel(), account: facts.amojo_id.as_deref(), managers: &facts.managers };
        let news = inbound::chat_hook(&known, hook)?;
        self.note_speakers(&news);
        Ok(news)
    }

    async fn missed(&self, chat: &ChatIds, since: Timestamp) -> Result<Vec<Heard>, Failure> {
        self.missed_since(chat, since).await
    }

    fn may_fetch(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        if !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let Connection { rest, chats, account_host, fetch_hosts, .. } = &self.connection;
        let facts = self.facts();
        let known = [chats.host(), rest.host(), account_host];
        let is_known = known.contains(&host)
            || facts.drive_host.as_deref() == Some(host)
            || fetch_hosts.iter().any(|known| known == host);
        // An emulator speaks plain HTTP; nobody else may.
        let is_plain = || [chats, rest].iter().any(|base| !base.is_https() && base.host() == host);
        is_known && (url.scheme() == "https" || (url.scheme() == "http" && is_plain()))
    }

    fn authorize_url(&self, state: &str) -> Option<Url> {
        self.grant_url(state)
    }

    async fn take_grant(&self, query: &[(String, String)]) -> Result<(), Failure> {
        self.take_code(query).await
    }

    async fn check(&self) -> Vec<Finding> {
        self.check_all().await
    }

    async fn check_route(&self, route: &serde_json::Value) -> Vec<Finding> {
        self.check_settings(route).await
    }

    async fn probe(&self) -> Vec<Finding> {
        self.probe_all().await
    }
}

impl fmt::Debug for AmocrmAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AmocrmAccount")
            .field("name", &self.connection.name)
            .field("account", &self.connection.account_host)
            .field("link", &*self.link())
            .finish_non_exhaustive()
    }
}
