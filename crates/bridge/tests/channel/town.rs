//! Accounts at amoCRM whose API is asked, bots of theirs, and a clock that moves only when nothing is under way.
//!
//! The emulators count requests by the clock that the bridge waits by. So it moves when a second's requests have all come,
//! or when nothing has come for a while: what is asked in one second is then counted in that second, however slow the
//! machine is.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use secrecy::SecretString;
use serde_json::{Value, json};
use tandem_amocrm::{Amocrm, Settings, secret};
use tandem_bridge::{ConnectionDocument, RouteDocument, RouteKind, RouteMode, UpstreamMode};
use tandem_journal::{Document, Route, SecretOwner, SettingsChange};
use tandem_model::{ConnectionId, SeededRng};
use tandem_sandbox::{Config, Sandbox, telegram::Bot};

use crate::support::{SandboxClock, Service, Stage, id};

/// What an integration may ask in a second.
const MOST: usize = 7;
/// What is asked for people who are not waited for; the rest is kept for those who are.
const BACKGROUND: usize = 5;
/// How long nothing must have come before the clock moves.
const QUIET: Duration = Duration::from_millis(60);
/// How long a test may take altogether.
const LIMIT: Duration = Duration::from_secs(110);

pub(crate) struct Town {
    pub(crate) stage: Stage,
    pub(crate) service: Service,
    pub(crate) accounts: Vec<Account>,
}

/// An account with a channel.
pub(crate) struct Account {
    pub(crate) connection: ConnectionId,
    control: String,
    amocrm: String,
    channel: String,
    token: String,
    integration: Value,
    http: reqwest::Client,
    /// What was asked since requests are counted.
    asked: Mutex<Asked>,
    _own: Option<Sandbox>,
}

impl Town {
    /// So many accounts, each asked by a pair of tokens that its integration was granted.
    pub(crate) async fn open(count: u64) -> Self {
        let mut stage = Stage::new().await;
        let clock = Arc::new(SandboxClock(stage.clock.clone()));
        let rng = Arc::new(SeededRng::from_seed(3));
        stage.vendors = vec![Arc::new(Amocrm::new(&Settings::default(), clock, rng).unwrap())];
        let service = stage.serve().await;
        let mut accounts = Vec::new();
        for number in 0..count {
            let own = if number == 0 {
                None
            } else {
                let config = Config { clock: stage.clock.clone(), seed: 70 + number, ..Config::default() };
                Some(Sandbox::start(config).await.unwrap())
            };
            accounts.push(Account::open(&stage, &service, number, own).await);
        }
        service.bridge.sync_connections().await.unwrap();
        Self { stage, service, accounts }
    }

    /// A bot with a route into an account.
    pub(crate) async fn bot(&self, account: &Account, route: Value) -> Arc<Bot> {
        let bot = self.stage.bot();
        self.service.add(&bot, UpstreamMode::Polling, &[]).await;
        let document: RouteDocument = serde_json::from_value(json!({
            "kind": RouteKind::Amocrm, "mode": RouteMode::Channel, "kinds": null, "max_connections": null,
            "ip_address": null, "channel": route,
        }))
        .unwrap();
        let route = SettingsChange::PutRoute(Route {
            bot: id(&bot),
            name: "crm".to_owned(),
            lane: None,
            connection: Some(account.connection),
            document: Document::of(&document).unwrap(),
        });
        self.service.store.change_settings(None, vec![route]).await.unwrap();
        self.service.bridge.sync(id(&bot)).await.unwrap();
        bot
    }

    /// Somebody writes, or shares his phone.
    pub(crate) fn writes(&self, bot: &Arc<Bot>, chat: i64, number: i64, what: &Value) {
        let mut message = json!({
            "message_id": number, "date": self.stage.clock.now_ms() / 1000,
            "chat": {"id": chat, "type": "private", "first_name": format!("Client {chat}")},
            "from": {"id": chat, "is_bot": false, "first_name": format!("Client {chat}")},
        });
        message.as_object_mut().unwrap().extend(what.as_object().cloned().unwrap_or_default());
        crate::shop::push(bot, "message", &message);
    }

    /// Lets time pass until all accounts show so many lines altogether.
    pub(crate) async fn has_lines(&self, count: usize) {
        let begun = Instant::now();
        for step in 0_u64.. {
            if step.is_multiple_of(25) {
                let mut lines = 0;
                for account in &self.accounts {
                    lines += account.chats().await.iter().map(|chat| chat.lines.len()).sum::<usize>();
                }
                assert!(lines <= count, "{lines} lines instead of {count}");
                if lines == count {
                    return;
                }
                assert!(begun.elapsed() < LIMIT, "{lines} of {count} lines within {LIMIT:?}");
            }
            self.second().await;
        }
    }

    pub(crate) async fn seconds(&self, count: usize) {
        for _ in 0..count {
            self.second().await;
        }
    }

    /// One second, once all of it has been asked that can be.
    async fn second(&self) {
        let now_ms = self.stage.clock.now_ms();
        let (mut seen, mut since) = (usize::MAX, Instant::now());
        loop {
            let mut asked = Vec::new();
            for account in &self.accounts {
                asked.push(account.asked_at(now_ms).await);
            }
            let all: usize = asked.iter().sum();
            if all != seen {
                (seen, since) = (all, Instant::now());
            }
            if asked.iter().all(|count| *count >= BACKGROUND) || since.elapsed() > QUIET {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.stage.clock.advance(Duration::from_secs(1));
    }

    /// No account was asked more than it takes in any second.
    pub(crate) async fn asked_no_more_than_is_taken(&self) {
        for account in &self.accounts {
            account.look_at_calls().await;
            let times = &account.asked.lock().unwrap().at_ms;
            let most = times.windows(MOST + 1).filter(|some| some[MOST] - some[0] < 1000).count();
            assert!(!times.is_empty() && most == 0, "more than {MOST} in a second, {most} times");
        }
    }
}

/// Requests of an account's API.
#[derive(Default)]
struct Asked {
    /// The last one that was looked at.
    last: u64,
    at_ms: Vec<i64>,
}

/// A chat as a manager sees it.
pub(crate) struct Chat {
    pub(crate) user: i64,
    pub(crate) contact: Option<u64>,
    pub(crate) lines: Vec<String>,
}

impl Account {
    async fn open(stage: &Stage, service: &Service, number: u64, own: Option<Sandbox>) -> Self {
        let of = own.as_ref().unwrap_or(&stage.sandbox);
        let (control, amocrm) = (of.control_url(), of.amocrm_url());
        let mut account = Self {
            connection: ConnectionId::new(1).unwrap(),
            control,
            amocrm,
            channel: String::new(),
            token: String::new(),
            integration: Value::Null,
            http: stage.http.clone(),
            asked: Mutex::default(),
            _own: own,
        };
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let made = account.act("channels", json!({})).await;
        account.channel = word(&made["id"]);
        let shown = account.act("account", json!({"rate_limit": false})).await;
        account.token = word(&shown["account"]["access_token"]);
        account.integration = shown["integrations"][0].clone();
        let base = account.amocrm.clone();
        let settings = json!({
            "account": format!("shop{number}.amocrm.ru"), "chats_base": base, "rest_base": base, "oauth_base": base,
            "channel": {"id": account.channel, "bot_id": made["bot"]["id"], "account": shown["account"]["amojo_id"]},
            "oauth": {"client_id": account.integration["client_id"], "redirect_url": account.integration["redirect_uri"]},
        });
        let name = format!("shop{number}");
        let document = Document::of(&ConnectionDocument { settings, disabled_since: None }).unwrap();
        let vendor = Amocrm::NAME.to_owned();
        let put = SettingsChange::PutConnection { name: name.clone(), vendor, document };
        service.store.change_settings(None, vec![put]).await.unwrap();
        account.connection = service.store.find_connection(name).await.unwrap().unwrap().id;
        let secrets = [
            (secret::CHANNEL_SECRET, word(&made["secret"])),
            (secret::CLIENT_SECRET, word(&account.integration["client_secret"])),
        ];
        account.keeps(service, &secrets).await;
        account.grants(service).await;
        account
    }

    async fn keeps(&self, service: &Service, secrets: &[(&'static str, String)]) {
        let owner = SecretOwner::Connection(self.connection);
        let vault = service.bridge.vault();
        let put = secrets
            .iter()
            .map(|(name, secret)| vault.put(owner.clone(), name, &SecretString::from(secret.as_str())));
        service.store.change_settings(None, put.collect()).await.unwrap();
    }

    /// Somebody grants the integration access, and what it was given is kept as if it had asked for it.
    pub(crate) async fn grants(&self, service: &Service) {
        let code =
            self.act(&format!("integrations/{}/authorise", self.client()), json!({})).await["code"].clone();
        let asked = json!({"client_id": self.client(), "client_secret": self.integration["client_secret"],
            "redirect_uri": self.integration["redirect_uri"], "grant_type": "authorization_code", "code": code});
        let address = format!("{}/oauth2/access_token", self.amocrm);
        let pair: Value = self.http.post(address).json(&asked).send().await.unwrap().json().await.unwrap();
        let word = |name: &str| pair[name].as_str().unwrap().to_owned();
        let secrets =
            [(secret::ACCESS_TOKEN, word("access_token")), (secret::REFRESH_TOKEN, word("refresh_token"))];
        self.keeps(service, &secrets).await;
    }

    fn client(&self) -> &str {
        self.integration["client_id"].as_str().unwrap()
    }

    /// All tokens of the integration are taken away.
    pub(crate) async fn revokes(&self) {
        self.act(&format!("integrations/{}/revoke", self.client()), json!({})).await;
    }

    /// From now on requests are counted, here and there.
    pub(crate) async fn counts(&self) {
        self.look_at_calls().await;
        self.asked.lock().unwrap().at_ms.clear();
        self.act("account", json!({"rate_limit": true})).await;
    }

    pub(crate) async fn act(&self, path: &str, body: Value) -> Value {
        let address = format!("{}/amocrm/{path}", self.control);
        let answer = self.http.post(address).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "POST {path}: {}", answer.status());
        answer.json().await.unwrap_or(Value::Null)
    }

    /// Nothing fails any more that was made to.
    pub(crate) async fn recovers(&self) {
        for part in ["amojo", "rest"] {
            let address = format!("{}/amocrm/faults/{part}", self.control);
            assert!(self.http.delete(address).send().await.unwrap().status().is_success());
        }
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        let address = format!("{}/amocrm/{path}", self.control);
        self.http.get(address).send().await.unwrap().json().await.unwrap()
    }

    async fn look_at_calls(&self) {
        let after = self.asked.lock().unwrap().last;
        let shown = self.look(&format!("calls?on=rest&after={after}")).await;
        let mut asked = self.asked.lock().unwrap();
        for call in shown["calls"].as_array().unwrap() {
            asked.last = call["n"].as_u64().unwrap();
            asked.at_ms.push(call["at_ms"].as_i64().unwrap());
            assert!(call["status"] != 429 || call["fault"].is_object(), "the limit was met: {call}");
        }
    }

    /// How many requests came at this very moment.
    async fn asked_at(&self, now_ms: i64) -> usize {
        self.look_at_calls().await;
        self.asked.lock().unwrap().at_ms.iter().rev().take_while(|at| **at == now_ms).count()
    }

    /// Makes cards, and gives their numbers.
    pub(crate) async fn cards(&self, cards: &[Value]) -> Vec<u64> {
        let mut ids = Vec::new();
        for batch in cards.chunks(250) {
            let made = self.rest("contacts", &json!(batch)).await;
            let made = made["_embedded"]["contacts"].as_array().unwrap();
            ids.extend(made.iter().map(|card| card["id"].as_u64().unwrap()));
        }
        ids
    }

    pub(crate) async fn rest(&self, path: &str, body: &Value) -> Value {
        let address = format!("{}/api/v4/{path}", self.amocrm);
        let answer = self.http.post(address).bearer_auth(&self.token).json(body).send().await.unwrap();
        answer.json().await.unwrap()
    }

    pub(crate) async fn contacts(&self) -> Vec<u64> {
        let shown = self.look("contacts").await;
        shown["contacts"].as_array().unwrap().iter().map(|card| card["id"].as_u64().unwrap()).collect()
    }

    pub(crate) async fn chats(&self) -> Vec<Chat> {
        let shown = self.look(&format!("channels/{}/chats", self.channel)).await;
        let chats = shown["chats"].as_array().unwrap().iter();
        chats.map(Chat::of).collect()
    }

    /// Nobody waits to be sorted: all of them had cards, or were made theirs.
    pub(crate) async fn has_nobody_unsorted(&self) {
        let leads = self.look("leads").await;
        let unsorted = leads["leads"].as_array().unwrap().iter().filter(|lead| lead["status"] == "unsorted");
        assert_eq!(unsorted.count(), 0);
    }
}

impl Chat {
    fn of(shown: &Value) -> Self {
        let user = shown["client_id"].as_str().and_then(|name| name.rsplit(':').next()?.parse().ok());
        let lines = shown["messages"].as_array().unwrap().iter();
        Self {
            user: user.unwrap(),
            contact: shown["contact_id"].as_u64(),
            lines: lines.map(|line| line["text"].as_str().unwrap_or_default().to_owned()).collect(),
        }
    }
}
