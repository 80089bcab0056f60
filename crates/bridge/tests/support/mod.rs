//! The bridge with everything below it, beside a sandbox, under one clock that stands still: real SQLite, real HTTP.

mod clock;
mod disk;
mod receiver;

use std::{fmt::Debug, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use secrecy::SecretString;
use serde_json::{Value, json};
use tandem_bridge::{
    BotDocument, BotPhase, Bridge, Config, Connector, GuardDocument, GuardPolicy, IntakeState, Ownership,
    Parts, PublicUrl, RouteDocument, RouteKind, RouteMode, SyncError, UpstreamMode, secrets,
};
use tandem_gateway::{AppDocument, Directory, Gateway, Recorder};
use tandem_journal::{
    App, Bot as BotRow, Document, Page, Route, SecretOwner, SettingsChange, Store,
    sqlite::{Options, SqliteStore},
};
use tandem_lanes::Lanes;
use tandem_model::{BotId, Event, Rng, SeededRng, Seq, SourceId};
use tandem_sandbox::{
    Clock, Config as SandboxConfig, Sandbox,
    telegram::{Bot, NewBot, Pushed},
};
use tandem_telegram::{
    upstream::{Limits, ServerBase, Settings, Upstream},
    webhook::WebhookPolicy,
};
use tandem_vendor::Vendor;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::{clock::SandboxClock, disk::Disk, receiver::Receiver};

/// 2027-01-15, in seconds: what the clock shows first.
pub(crate) const START: i64 = 1_800_000_000;
/// How long a test waits for what must come.
const LIMIT: Duration = Duration::from_secs(30);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(3);

/// Telegram, amoCRM and a place for a database.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Clock,
    pub(crate) disk: Arc<Disk>,
    pub(crate) http: reqwest::Client,
    /// Whose accounts connections are.
    pub(crate) vendors: Vec<Arc<dyn Vendor>>,
    /// Another Telegram than the sandbox's, for what the sandbox does not do.
    pub(crate) telegram: Option<String>,
    /// Kinds of route beyond those that are built in.
    pub(crate) connectors: Vec<Arc<dyn Connector>>,
    directory: TempDir,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let clock = Clock::manual(START * 1000);
        let sandbox = SandboxConfig { clock: clock.clone(), seed: 7, ..SandboxConfig::default() };
        let sandbox = Sandbox::start(sandbox).await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let directory = tandem_testkit::folder();
        Self {
            sandbox,
            clock,
            disk: Disk::plenty(),
            http,
            vendors: Vec::new(),
            connectors: Vec::new(),
            telegram: None,
            directory,
        }
    }

    /// A new bot at the sandbox's Telegram.
    pub(crate) fn bot(&self) -> Arc<Bot> {
        self.sandbox.telegram().create_bot(NewBot::default()).unwrap()
    }

    /// Starts everything over the stage's database.
    pub(crate) async fn serve(&self) -> Service {
        self.serve_with(|_| {}, |_| {}).await
    }

    pub(crate) async fn serve_with(
        &self,
        config: impl FnOnce(&mut Config),
        limits: impl FnOnce(&mut Limits),
    ) -> Service {
        Service::start(self, config, limits).await
    }

    /// A call of the sandbox's control API.
    pub(crate) async fn act(&self, path: &str, body: Value) -> Value {
        let address = format!("{}{path}", self.sandbox.control_url());
        let answer = self.http.post(address).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "POST {path}: {}", answer.status());
        answer.json().await.unwrap_or(Value::Null)
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        let address = format!("{}{path}", self.sandbox.control_url());
        self.http.get(address).send().await.unwrap().json().await.unwrap()
    }

    /// A call of the Bot API with the bot's own token, past Tandem.
    pub(crate) async fn bot_api(&self, bot: &Bot, method: &str, parameters: Value) -> Value {
        let address = format!("{}/bot{}/{method}", self.sandbox.telegram_url(), bot.token());
        self.http.post(address).json(&parameters).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn webhook_info(&self, bot: &Bot) -> Value {
        self.bot_api(bot, "getWebhookInfo", json!({})).await["result"].clone()
    }

    /// Waits until a question for updates waits at Telegram for its 50 seconds.
    pub(crate) async fn is_asked(&self) {
        let until_ms = self.clock.now_ms() + 50_000;
        until("a question", async || self.clock.sleeping_until().contains(&until_ms).then_some(())).await;
    }

    /// Waits until something is so, moving the clock a second at a time.
    pub(crate) async fn in_time<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        until(what, async || {
            self.clock.advance(Duration::from_secs(1));
            look().await
        })
        .await
    }
}

/// A bridge that runs.
pub(crate) struct Service {
    pub(crate) bridge: Bridge,
    pub(crate) store: Arc<dyn Store>,
    /// Where our public listener is.
    pub(crate) public: String,
    soft: CancellationToken,
    hard: CancellationToken,
    running: Vec<JoinHandle<()>>,
    pub(crate) ownership: Arc<Ownership>,
}

impl Service {
    async fn start(
        stage: &Stage,
        adjust: impl FnOnce(&mut Config),
        limits: impl FnOnce(&mut Limits),
    ) -> Self {
        let clock = Arc::new(SandboxClock(stage.clock.clone()));
        let rng: Arc<dyn Rng> = Arc::new(SeededRng::from_seed(11));
        let path = stage.directory.path().join("tandem.db");
        let mut options = Options { disk_space: stage.disk.clone(), ..Options::new(path) };
        // Nobody needs 32 MiB of nothing for each test.
        options.watermarks.reserve_bytes = 0;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(options, clock.clone()).await.unwrap());
        let key = stage.directory.path().join("tandem.key");
        let sealer = Arc::new(tandem_journal::Sealer::open(&key, &*rng).unwrap());
        let ownership = Ownership::take(&*store, "tandem").await.unwrap();
        let lanes = Lanes::new(
            store.clone(),
            ownership.clone(),
            clock.clone(),
            rng.clone(),
            tandem_lanes::Config::default(),
        );
        let telegram = stage.telegram.clone().unwrap_or_else(|| stage.sandbox.telegram_url());
        let mut settings = Settings::for_server(ServerBase::parse(&telegram).unwrap());
        limits(&mut settings.limits);
        let upstream = Upstream::new(settings).unwrap();
        let recorder = Recorder::new(store.clone(), ownership.clone(), &lanes);
        let directory = Arc::new(Directory::new());
        let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
        let tasks = TaskTracker::new();
        let gateway = Gateway::new(tandem_gateway::Parts {
            store: store.clone(),
            sealer: sealer.clone(),
            leases: ownership.clone(),
            lanes: lanes.clone(),
            directory: directory.clone(),
            recorder: recorder.clone(),
            upstream: upstream.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
            config: tandem_gateway::Config { webhooks: WebhookPolicy::Any },
            soft: soft.clone(),
            tasks,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let public = format!("http://{}", listener.local_addr().unwrap());
        let mut config = Config { public_url: Some(PublicUrl::parse(&public).unwrap()), ..Config::default() };
        adjust(&mut config);
        let parts = Parts {
            store: store.clone(),
            sealer,
            ownership: ownership.clone(),
            lanes: lanes.clone(),
            directory,
            recorder,
            gateway,
            upstream,
            connectors: stage.connectors.clone(),
            vendors: stage.vendors.clone(),
            clock,
            rng,
            config,
        };
        let bridge = Bridge::open(parts).await.unwrap();
        let hooks = tandem_gateway::serve(
            listener,
            bridge.hooks(),
            tandem_gateway::Limits::APPS,
            soft.clone(),
            hard.clone(),
        );
        let running = vec![
            tokio::spawn(hooks),
            tokio::spawn({
                let (bridge, soft, hard) = (bridge.clone(), soft.clone(), hard.clone());
                async move { bridge.run(soft, hard).await }
            }),
            tokio::spawn({
                let (lanes, soft, hard) = (lanes.clone(), soft.clone(), hard.clone());
                async move { lanes.run(soft, hard).await }
            }),
        ];
        Self { bridge, store, public, soft, hard, running, ownership }
    }

    /// Stores a bot as if it had been adopted, with an app and these routes, and takes it up.
    pub(crate) async fn add(&self, bot: &Bot, upstream: UpstreamMode, routes: &[NewRoute]) {
        self.try_add(bot, upstream, routes).await.unwrap();
    }

    pub(crate) async fn try_add(
        &self,
        bot: &Bot,
        upstream: UpstreamMode,
        routes: &[NewRoute],
    ) -> Result<(), SyncError> {
        self.try_add_guarded(bot, upstream, GuardPolicy::default(), routes).await
    }

    /// The same, with what its guard is to do.
    pub(crate) async fn add_guarded(
        &self,
        bot: &Bot,
        upstream: UpstreamMode,
        policy: GuardPolicy,
        routes: &[NewRoute],
    ) {
        self.try_add_guarded(bot, upstream, policy, routes).await.unwrap();
    }

    async fn try_add_guarded(
        &self,
        bot: &Bot,
        upstream: UpstreamMode,
        policy: GuardPolicy,
        routes: &[NewRoute],
    ) -> Result<(), SyncError> {
        let id = id(bot);
        let document = BotDocument {
            username: Some(bot.username()),
            name: bot.first_name(),
            phase: BotPhase::Active,
            upstream,
            source: SourceId::new(1).unwrap(),
            taken_from: None,
            owners: tandem_gateway::Owners::default(),
            guard: GuardDocument { policy, ..GuardDocument::default() },
        };
        let vault = self.bridge.vault();
        let owner = SecretOwner::Bot(id);
        let mut changes = vec![
            SettingsChange::PutBot(BotRow { bot: id, document: Document::of(&document).unwrap() }),
            vault.put(owner, secrets::TOKEN, &SecretString::from(bot.token())),
            SettingsChange::PutApp(App {
                bot: id,
                name: "main".to_owned(),
                lane: None,
                document: Document::of(&AppDocument::default()).unwrap(),
            }),
        ];
        for route in routes {
            let owner = SecretOwner::Route(id, route.name.to_owned());
            changes.push(SettingsChange::PutRoute(Route {
                bot: id,
                name: route.name.to_owned(),
                lane: None,
                connection: None,
                document: Document::of(&route.document).unwrap(),
            }));
            changes.push(vault.put(owner.clone(), secrets::ROUTE_URL, &route.url.as_str().into()));
            if let Some(secret) = route.secret {
                changes.push(vault.put(owner.clone(), secrets::ROUTE_SECRET, &secret.into()));
            }
            if let Some(certificate) = route.certificate {
                changes.push(vault.put(owner, secrets::ROUTE_CERTIFICATE, &certificate.into()));
            }
        }
        self.store.change_settings(None, changes).await.unwrap();
        self.bridge.sync(id).await
    }

    /// Everything in a bot's journal.
    pub(crate) async fn journal(&self, bot: &Bot) -> Vec<Event> {
        let page = Page { events: 10_000, bytes: 64 << 20 };
        self.store.read_journal(id(bot), Seq::ZERO, page).await.unwrap().events
    }

    /// Waits until a bot's journal has so many events, and gives their bodies.
    pub(crate) async fn bodies(&self, bot: &Bot, count: usize) -> Vec<Bytes> {
        until(&format!("{count} events"), async || {
            let events = self.journal(bot).await;
            (events.len() >= count).then(|| events.into_iter().map(|event| event.new.body).collect())
        })
        .await
    }

    pub(crate) fn intake(&self, bot: &Bot) -> IntakeState {
        self.bridge.status(id(bot)).unwrap().intake.state
    }

    /// Waits until taking updates in is doing this.
    pub(crate) async fn intake_is(
        &self,
        bot: &Bot,
        what: &str,
        is: impl Fn(&IntakeState) -> bool + Send + Sync,
    ) -> IntakeState {
        until(what, async || Some(self.intake(bot)).filter(|state| is(state))).await
    }

    pub(crate) async fn is_running(&self, bot: &Bot) {
        self.intake_is(bot, "a running intake", |state| matches!(state, IntakeState::Running { .. })).await;
    }

    /// Ends in order.
    pub(crate) async fn stop(self) {
        self.soft.cancel();
        for task in self.running {
            soon("the end of the service", task).await.unwrap();
        }
        self.ownership.release(&*self.store).await.unwrap();
        self.store.close().await;
    }

    /// Ends at once, as a crash would.
    pub(crate) async fn kill(self) {
        self.hard.cancel();
        self.soft.cancel();
        for task in self.running {
            soon("the end of the service", task).await.unwrap();
        }
        self.store.close().await;
    }
}

/// A route to be stored.
pub(crate) struct NewRoute {
    name: &'static str,
    url: String,
    secret: Option<&'static str>,
    certificate: Option<&'static str>,
    document: RouteDocument,
}

impl NewRoute {
    pub(crate) fn relay(name: &'static str, url: &str) -> Self {
        let document = RouteDocument {
            kind: RouteKind::Relay,
            mode: None,
            kinds: None,
            max_connections: None,
            ip_address: None,
            channel: None,
            companion: None,
            rules: tandem_bridge::rules::RuleHistory::default(),
        };
        Self { name, url: url.to_owned(), secret: None, certificate: None, document }
    }

    pub(crate) fn amocrm(name: &'static str, url: &str) -> Self {
        let mut route = Self::relay(name, url);
        route.document.kind = RouteKind::Amocrm;
        route.document.mode = Some(RouteMode::Native);
        route
    }

    /// A route that hears managers.
    #[allow(dead_code, reason = "the core is shown without such routes")]
    pub(crate) fn channel(name: &'static str) -> Self {
        let mut route = Self::relay(name, "");
        route.document.kind = RouteKind::Amocrm;
        route.document.mode = Some(RouteMode::Channel);
        route.document.channel = Some(Box::default());
        route
    }

    pub(crate) fn secret(self, secret: &'static str) -> Self {
        Self { secret: Some(secret), ..self }
    }

    pub(crate) fn certificate(self, pem: &'static str) -> Self {
        Self { certificate: Some(pem), ..self }
    }

    pub(crate) fn kinds(mut self, kinds: &[&str]) -> Self {
        self.document.kinds = Some(kinds.iter().map(|&kind| kind.to_owned()).collect());
        self
    }
}

pub(crate) fn id(bot: &Bot) -> BotId {
    BotId::new(bot.id()).unwrap()
}

/// A client writes in his private chat; the update's number.
pub(crate) fn says(bot: &Arc<Bot>, chat: i64, text: &str) -> i32 {
    let message = json!({
        "message_id": 1, "date": START, "text": text,
        "chat": {"id": chat, "type": "private", "first_name": "Ann"},
        "from": {"id": chat, "is_bot": false, "first_name": "Ann"},
    });
    match bot.push("message", &message) {
        Pushed::Stored { update_id } => update_id,
        other => panic!("not stored: {other:?}"),
    }
}

pub(crate) fn text_of(body: &[u8]) -> String {
    let update: Value = serde_json::from_slice(body).unwrap();
    update["message"]["text"].as_str().unwrap_or_default().to_owned()
}

/// Waits until something is so.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    soon(what, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    })
    .await
}

/// The result, or a failed test when it does not come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(LIMIT, future).await;
    outcome.unwrap_or_else(|elapsed| panic!("{elapsed} while waiting for {what}"))
}

/// What has no token and no address of ours in it.
pub(crate) fn assert_no_secret(shown: &impl Debug, secrets: &[String]) {
    let shown = format!("{shown:?}");
    for secret in secrets {
        assert!(!shown.contains(secret.as_str()), "a secret is shown in {shown}");
    }
}
