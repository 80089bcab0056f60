//! A vendor of our own: its accounts do what a test says, its hooks are JSON with a shared secret in a header.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tandem_model::{
    Blame, Timestamp,
    message::{Manager, MessageKey, ReplyAct, ReplyOrigin, ReplyResult},
};
use tandem_vendor::{
    Abilities, Account, Arrived, ChatIds, ConnectionSetting, Doubt, Failure, FailureKind, Finding, Found,
    Heard, HeardAct, HeardChat, Hook, HookRefusal, Keep, News, OpenError, OpenedChat, Opening, Spoken,
    Standing, Strangers, Taken, Telling, Vendor,
};
use url::Url;

/// What proves its hooks, and must show nowhere.
pub(crate) const SECRET: &str = "crm-secret-4f1d9c0b7a6e";

/// The path that all accounts have; a hook there says for whom it is.
pub(crate) const FOR_ALL: &str = "all";
/// Accounts that are called so know who they are once they are connected.
pub(crate) const YOUNG: &str = "young";

/// The vendor.
#[derive(Debug)]
pub(crate) struct Crm {
    name: &'static str,
    strangers: Strangers,
    asked_every: Option<Duration>,
    world: Arc<World>,
}

/// What its accounts do, and what was asked of them.
#[derive(Debug, Default)]
struct World {
    connecting: Mutex<VecDeque<Failure>>,
    connects: Mutex<BTreeMap<String, u32>>,
    opened: Mutex<Vec<ConnectionSetting>>,
    history: Mutex<BTreeMap<String, Vec<Heard>>>,
    asked: Mutex<Vec<(ChatIds, Timestamp)>>,
    granted: Mutex<Vec<Vec<(String, String)>>>,
}

impl Crm {
    /// Under this word in settings and addresses.
    pub(crate) fn named(name: &'static str) -> Self {
        Self { name, strangers: Strangers::Reported, asked_every: None, world: Arc::default() }
    }

    /// Most of its clients have nothing to do with any bot.
    pub(crate) fn for_strangers(self) -> Self {
        Self { strangers: Strangers::Ordinary, ..self }
    }

    /// It is to be asked so often what is new, and can be.
    pub(crate) fn asked_every(self, every: Duration) -> Self {
        Self { asked_every: Some(every), ..self }
    }

    /// The next attempts to connect fail so.
    pub(crate) fn fails_to_connect(&self, times: usize, kind: &FailureKind, words: &str) {
        let failures = (0..times).map(|_| Failure::new(kind.clone(), words));
        self.world.connecting.lock().unwrap().extend(failures);
    }

    /// Nothing keeps accounts from being connected any more.
    pub(crate) fn can_connect(&self) {
        self.world.connecting.lock().unwrap().clear();
    }

    /// How often an account was connected.
    pub(crate) fn connects(&self, account: &str) -> u32 {
        self.world.connects.lock().unwrap().get(account).copied().unwrap_or_default()
    }

    /// With what accounts were opened.
    pub(crate) fn opened(&self) -> Vec<ConnectionSetting> {
        self.world.opened.lock().unwrap().clone()
    }

    /// A manager did something that no hook tells.
    pub(crate) fn did(&self, chat: &str, message: &str, text: &str, at: Timestamp) {
        let heard = heard(chat, Some(message), text, at);
        self.world.history.lock().unwrap().entry(chat.to_owned()).or_default().push(heard);
    }

    /// Chats whose history was asked for.
    pub(crate) fn asked(&self) -> Vec<(ChatIds, Timestamp)> {
        self.world.asked.lock().unwrap().clone()
    }

    /// What people brought back.
    pub(crate) fn granted(&self) -> Vec<Vec<(String, String)>> {
        self.world.granted.lock().unwrap().clone()
    }
}

pub(crate) fn heard(chat: &str, message: Option<&str>, text: &str, at: Timestamp) -> Heard {
    Heard {
        id: message.map(str::to_owned),
        chat: HeardChat {
            theirs: chat.to_owned(),
            ours: None,
            person: Some(format!("person of {chat}")),
            person_ours: None,
            phone: None,
            source: None,
        },
        by: Manager { id: "olga".to_owned(), name: None },
        at,
        act: HeardAct::Reply(ReplyAct::Say {
            text: text.to_owned(),
            file: None,
            keyboard: None,
            quote: None,
            album: None,
        }),
    }
}

impl Vendor for Crm {
    fn name(&self) -> &'static str {
        self.name
    }

    fn open(&self, setting: &ConnectionSetting, keep: Arc<dyn Keep>) -> Result<Arc<dyn Account>, OpenError> {
        let account = setting.document["account"].as_str().ok_or(OpenError::Missing { what: "account" })?;
        let secret = setting.secret("token").ok_or(OpenError::Missing { what: "token" })?;
        self.world.opened.lock().unwrap().push(setting.clone());
        Ok(Arc::new(At {
            account: account.to_owned(),
            secret: secret.expose_secret().to_owned(),
            standing: Mutex::new(Standing::Unconnected),
            strangers: self.strangers,
            asked_every: self.asked_every,
            world: Arc::clone(&self.world),
            keep,
        }))
    }
}

struct At {
    account: String,
    secret: String,
    standing: Mutex<Standing>,
    strangers: Strangers,
    asked_every: Option<Duration>,
    world: Arc<World>,
    keep: Arc<dyn Keep>,
}

impl std::fmt::Debug for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("At").field("account", &self.account).finish_non_exhaustive()
    }
}

fn news(word: &Value) -> Result<News, HookRefusal> {
    let text = |name: &str| word[name].as_str().map(str::to_owned);
    match word["word"].as_str() {
        Some("said") => {
            let at = Timestamp::from_millis(word["at"].as_i64().unwrap_or_default());
            let chat = text("chat").unwrap_or_default();
            let mut heard = heard(&chat, text("id").as_deref(), &text("text").unwrap_or_default(), at);
            heard.chat.ours = text("ours");
            heard.chat.person_ours = text("person_ours");
            heard.chat.phone = text("phone");
            heard.chat.source = text("source");
            if word["past_us"] == true {
                heard.act = HeardAct::Said(text("text").unwrap_or_default());
            }
            if word["types"] == true {
                heard.act = HeardAct::Reply(ReplyAct::Type { until: at });
            }
            Ok(News::Heard(Box::new(heard)))
        }
        Some("spoken") => {
            let mut said = word.clone();
            said["word"] = "said".into();
            let News::Heard(heard) = news(&said)? else { unreachable!("a word that was said is heard") };
            let doubt = if word["doubt"] == true { Doubt::LookAgain } else { Doubt::None };
            let fingerprint = text("fingerprint").unwrap_or_default();
            Ok(News::Spoken(Box::new(Spoken { heard: *heard, fingerprint, doubt })))
        }
        Some("arrived") => {
            let how = text("how").and_then(|how| Arrived::read(&how)).unwrap();
            Ok(News::Arrived { message: text("id").unwrap(), how })
        }
        Some("disabled") => Ok(News::Disabled),
        Some(other) => Ok(News::Ignored(other.to_owned())),
        None => Err(HookRefusal::Unreadable { reason: "it has no word".to_owned() }),
    }
}

#[async_trait]
impl Account for At {
    fn abilities(&self) -> Abilities {
        Abilities { strangers: self.strangers, ..Abilities::ALL }
    }

    async fn heard_since(&self, since: Timestamp) -> Option<Result<Vec<News>, Failure>> {
        self.asked_every?;
        let history = self.world.history.lock().unwrap();
        let told = history.values().flatten().filter(|heard| heard.at >= since).cloned();
        Some(Ok(told.map(|heard| News::Heard(Box::new(heard))).collect()))
    }

    fn polls_every(&self) -> Option<Duration> {
        self.asked_every
    }

    async fn connect(&self) -> Result<(), Failure> {
        *self.world.connects.lock().unwrap().entry(self.account.clone()).or_default() += 1;
        if let Some(failure) = self.world.connecting.lock().unwrap().pop_front() {
            return Err(failure);
        }
        *self.standing.lock().unwrap() = Standing::Connected;
        Ok(())
    }

    fn standing(&self) -> Standing {
        self.standing.lock().unwrap().clone()
    }

    async fn open_chat(&self, _: &Opening) -> Result<OpenedChat, Failure> {
        Err(Failure::new(FailureKind::Refused, "no chats here"))
    }

    async fn tell(&self, _: &Telling) -> Result<Taken, Failure> {
        Ok(Taken::default())
    }

    async fn find(&self, _: &ChatIds, _: &MessageKey) -> Result<Found, Failure> {
        Ok(Found::Unknowable)
    }

    async fn report(&self, _: &ReplyOrigin, _: &ReplyResult) -> Result<(), Failure> {
        Ok(())
    }

    async fn note(&self, _: &ChatIds, _: &str) -> Result<bool, Failure> {
        Ok(false)
    }

    fn owns(&self, path: &[String]) -> bool {
        path.first().is_some_and(|first| *first == self.account || first == FOR_ALL)
    }

    fn knows_itself(&self) -> bool {
        !self.account.starts_with(YOUNG) || self.standing() == Standing::Connected
    }

    fn hear(&self, hook: &Hook) -> Result<Vec<News>, HookRefusal> {
        let shown = hook.headers.get("x-secret").and_then(|shown| shown.to_str().ok());
        if shown != Some(self.secret.as_str()) {
            return Err(HookRefusal::Unproven);
        }
        let body: Value = serde_json::from_slice(&hook.body)
            .map_err(|error| HookRefusal::Unreadable { reason: error.to_string() })?;
        if hook.path[0] == FOR_ALL && self.knows_itself() && body["account"] != *self.account {
            return Err(HookRefusal::Unproven);
        }
        match &body {
            Value::Array(words) => words.iter().map(news).collect(),
            word => Ok(vec![news(word)?]),
        }
    }

    async fn missed(&self, chat: &ChatIds, since: Timestamp) -> Result<Vec<Heard>, Failure> {
        self.world.asked.lock().unwrap().push((chat.clone(), since));
        let history = self.world.history.lock().unwrap();
        let told = history.get(chat.chat.as_deref().unwrap_or_default());
        Ok(told.into_iter().flatten().filter(|heard| heard.at >= since).cloned().collect())
    }

    fn may_fetch(&self, _: &Url) -> bool {
        false
    }

    fn authorize_url(&self, state: &str) -> Option<Url> {
        Url::parse(&format!("https://crm.example/grant?state={state}")).ok()
    }

    async fn take_grant(&self, query: &[(String, String)]) -> Result<(), Failure> {
        let Some((_, code)) = query.iter().find(|(name, _)| name == "code") else {
            return Err(Failure::new(FailureKind::Refused, "the account said no"));
        };
        let kept = vec![("refresh", SecretString::from(format!("token of {code}")))];
        self.keep.keep(kept).await.map_err(|error| {
            let kind = FailureKind::Later { after: None, blame: Blame::Unclear };
            Failure::new(kind, error.to_string())
        })?;
        self.world.granted.lock().unwrap().push(query.to_vec());
        Ok(())
    }

    async fn check(&self) -> Vec<Finding> {
        Vec::new()
    }
}
