//! The words of the tests: a bot with apps behind a gateway, clients that write, time that is told to pass, and a
//! service that can be started again.

pub(crate) mod http;
pub(crate) mod server;

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::{Value, json};
use tandem_crashfs::Disk;
use tandem_gateway::{
    App, AppDocument, BotHandle, Config, Directory, Gateway, Limits, Parts, Recorder, SentDocument, serve,
};
use tandem_journal::{
    App as AppRow, Append, Bot as BotRow, Document, LaneKind, Lease, NewLane, Page, Sealer, SettingsChange,
    Shard, Start, Store, Urgency,
    sqlite::{Options, SqliteStore, Synchronous},
};
use tandem_lanes::{LaneAddress, Lanes, LeaseSource};
use tandem_model::{BotId, Clock, Event, EventKind, SeededRng, Seq, SourceId};
use tandem_telegram::{
    token::Token,
    update::UpdateView,
    upstream::{ServerBase, Settings, Upstream},
    webhook::WebhookPolicy,
};
use tandem_testkit::ManualClock;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{
    http::{Answer, post, send},
    server::Server,
};

/// The bot's own token at Telegram.
pub(crate) const REAL: &str = "700100:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0";

/// The leases of a process that owns everything.
#[derive(Debug)]
struct AllLeases(BTreeMap<u8, Lease>);

impl LeaseSource for AllLeases {
    fn lease(&self, bot: BotId) -> Option<Lease> {
        self.0.get(&Shard::of(bot).get()).copied()
    }
}

enum Place {
    Directory,
    Disk(Disk),
}

/// One bot, its apps, and everything a gateway needs.
pub(crate) struct Stage {
    pub(crate) clock: ManualClock,
    pub(crate) telegram: Server,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) lanes: Lanes,
    pub(crate) directory: Arc<Directory>,
    pub(crate) recorder: Recorder,
    pub(crate) gateway: Gateway,
    pub(crate) address: SocketAddr,
    pub(crate) soft: CancellationToken,
    pub(crate) bot: Arc<BotHandle>,
    config: Config,
    leases: Arc<AllLeases>,
    tasks: TaskTracker,
    hard: CancellationToken,
    serving: JoinHandle<()>,
    directory_of_files: tempfile::TempDir,
    place: Place,
    update_id: i64,
}

impl Stage {
    /// A bot whose one app is `main`.
    pub(crate) async fn start() -> Self {
        Self::start_before(Server::start().await).await
    }

    /// Webhooks as Telegram takes them.
    pub(crate) async fn start_public() -> Self {
        Self::start_with(WebhookPolicy::PublicHttps, Place::Directory, Server::start().await).await
    }

    /// Before this Telegram.
    pub(crate) async fn start_before(telegram: Server) -> Self {
        Self::start_with(WebhookPolicy::Any, Place::Directory, telegram).await
    }

    /// On a disk that can fail.
    pub(crate) async fn start_on(disk: Disk) -> Self {
        Self::start_with(WebhookPolicy::Any, Place::Disk(disk), Server::start().await).await
    }

    async fn start_with(webhooks: WebhookPolicy, place: Place, telegram: Server) -> Self {
        let clock = ManualClock::new();
        let files = tandem_testkit::folder();
        let config = Config { webhooks };
        let mut stage = Self::over(clock, telegram, files, place, config).await;
        stage.put_bot().await;
        stage.app("main", AppDocument::default()).await;
        stage.update_id = 1000;
        stage
    }

    async fn over(
        clock: ManualClock,
        telegram: Server,
        files: tempfile::TempDir,
        place: Place,
        config: Config,
    ) -> Self {
        let store = open(&place, &files, &clock).await;
        let shards = Shard::all().collect();
        let leases = store.acquire(shards, "test".to_owned(), Duration::from_hours(1)).await.unwrap();
        let leases =
            Arc::new(AllLeases(leases.into_iter().map(|lease| (lease.shard.get(), lease)).collect()));
        let shared_clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let rng = Arc::new(SeededRng::from_seed(7));
        let lanes = Lanes::new(
            Arc::clone(&store),
            Arc::<AllLeases>::clone(&leases),
            Arc::clone(&shared_clock),
            Arc::<SeededRng>::clone(&rng),
            tandem_lanes::Config::default(),
        );
        let recorder = Recorder::new(Arc::clone(&store), Arc::<AllLeases>::clone(&leases), &lanes);
        let directory = Arc::new(Directory::new());
        let base = ServerBase::parse(&format!("http://{}", telegram.address)).unwrap();
        let mut settings = Settings::for_server(base);
        settings.limits.answer = Duration::from_secs(2);
        settings.limits.idle = Duration::from_secs(2);
        let sealer = Sealer::open(&files.path().join("key"), &*rng).unwrap();
        let (soft, hard, tasks) = (CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let gateway = Gateway::new(Parts {
            store: Arc::clone(&store),
            sealer: Arc::new(sealer),
            leases: Arc::<AllLeases>::clone(&leases),
            lanes: lanes.clone(),
            directory: Arc::clone(&directory),
            recorder: recorder.clone(),
            upstream: Upstream::new(settings).unwrap(),
            clock: shared_clock,
            rng,
            config,
            soft: soft.clone(),
            tasks: tasks.clone(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving =
            tokio::spawn(serve(listener, gateway.router(), Limits::APPS, soft.clone(), hard.clone()));
        let bot = Arc::new(BotHandle::new(Token::parse(REAL).unwrap(), SourceId::new(1).unwrap()));
        directory.insert_bot(Arc::clone(&bot));
        Self {
            clock,
            telegram,
            store,
            lanes,
            directory,
            recorder,
            gateway,
            address,
            soft,
            bot,
            config,
            leases,
            tasks,
            hard,
            serving,
            directory_of_files: files,
            place,
            update_id: 0,
        }
    }

    async fn put_bot(&self) {
        let document = Document::of(&json!({})).unwrap();
        let bot = SettingsChange::PutBot(BotRow { bot: self.bot.id(), document });
        self.store.change_settings(None, vec![bot]).await.unwrap();
    }

    fn lease(&self) -> Lease {
        self.leases.lease(self.bot.id()).unwrap()
    }

    /// Another app, with a token of its own.
    pub(crate) async fn app(&self, name: &str, document: AppDocument) -> Client {
        let token = Token::generate(self.bot.id(), &SeededRng::from_seed(name.len() as u64));
        let token_sha256 = (name != App::MAIN).then(|| hex::encode(token.hash().as_bytes()));
        let document = AppDocument { token_sha256, ..document };
        let new = NewLane {
            name: format!("app:{name}"),
            kind: LaneKind::App,
            start: Start::Now,
            filter: document.filter(),
        };
        let lane = self.store.create_lane(self.lease(), self.bot.id(), new).await.unwrap();
        let row = AppRow {
            bot: self.bot.id(),
            name: name.to_owned(),
            lane: Some(lane.id),
            document: Document::of(&document).unwrap(),
        };
        self.store.change_settings(None, vec![SettingsChange::PutApp(row)]).await.unwrap();
        let app = Arc::new(App::new(Arc::clone(&self.bot), name.to_owned(), lane.id, document));
        self.directory.insert_app(Arc::clone(&app));
        self.gateway.attach_app(&app).await.unwrap();
        let token = if name == App::MAIN { REAL.to_owned() } else { token.expose().to_owned() };
        Client { address: self.address, token }
    }

    /// Another listener of the same gateway, with limits of its own: the app `main` there.
    pub(crate) async fn listen(&self, limits: Limits) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, self.gateway.router(), limits, self.soft.clone(), self.hard.clone()));
        Client { address, token: REAL.to_owned() }
    }

    /// The app that the bot's own token means.
    pub(crate) fn main(&self) -> Client {
        Client { address: self.address, token: REAL.to_owned() }
    }

    pub(crate) fn app_of(&self, name: &str) -> Arc<App> {
        self.directory.find_app(self.bot.id(), name).unwrap()
    }

    pub(crate) fn lane_of(&self, name: &str) -> LaneAddress {
        LaneAddress { bot: self.bot.id(), lane: self.app_of(name).lane() }
    }

    /// The disk it was started on.
    pub(crate) fn disk(&self) -> Option<&Disk> {
        match &self.place {
            Place::Disk(disk) => Some(disk),
            Place::Directory => None,
        }
    }

    /// Ends as a crash would, and starts again from what is on disk.
    pub(crate) async fn restart(self) -> Self {
        self.hard.cancel();
        self.serving.await.unwrap();
        self.store.close().await;
        let Self { clock, telegram, directory_of_files, place, update_id, config, .. } = self;
        let mut stage = Self::over(clock, telegram, directory_of_files, place, config).await;
        stage.update_id = update_id;
        for row in stage.store.list_apps(stage.bot.id()).await.unwrap() {
            let document = row.document.read().unwrap();
            let app = Arc::new(App::new(Arc::clone(&stage.bot), row.name, row.lane.unwrap(), document));
            stage.directory.insert_app(Arc::clone(&app));
            stage.gateway.attach_app(&app).await.unwrap();
        }
        stage
    }

    /// Stops accepting and lets requests finish, within a limit.
    pub(crate) async fn stop(self) {
        self.soft.cancel();
        tokio::time::timeout(Duration::from_secs(10), self.serving).await.expect("it stops").unwrap();
        self.tasks.close();
        self.tasks.wait().await;
        self.store.close().await;
    }

    /// A client writes to the bot; the `update_id` that Telegram gave it.
    pub(crate) async fn says(&mut self, chat: i64, text: &str) -> i64 {
        let message = json!({
            "message_id": 10, "date": self.now_secs(), "text": text,
            "chat": {"id": chat, "type": "private"}, "from": {"id": chat, "is_bot": false, "first_name": "Ann"},
        });
        self.update("message", &message).await
    }

    /// Something happens to the bot.
    pub(crate) async fn update(&mut self, kind: &str, object: &Value) -> i64 {
        self.update_id += 1;
        let body = format!("{{\"update_id\":{},\n\"{kind}\":{object}}}", self.update_id);
        self.append(&body).await;
        self.update_id
    }

    /// An update comes in as these bytes.
    pub(crate) async fn append(&self, update: &str) {
        self.append_all(&[update.to_owned()]).await;
    }

    /// Several come in at once.
    pub(crate) async fn append_all(&self, updates: &[String]) {
        let mut append = Append { urgency: Urgency::CanWait, ..Append::default() };
        for update in updates {
            let body = Bytes::copy_from_slice(update.as_bytes());
            let (event, facts) = self.gateway.event_of(&self.bot, &UpdateView::of(&body).unwrap()).await;
            append.events.push(event);
            append.facts.extend(facts);
        }
        self.recorder.record(self.bot.id(), append).await.unwrap();
    }

    pub(crate) fn now_secs(&self) -> i64 {
        self.clock.now().as_millis() / 1000
    }

    /// Pushes everything that is due.
    pub(crate) async fn run_due(&self) {
        let limit = Duration::from_secs(30);
        tokio::time::timeout(limit, self.lanes.run_due()).await.expect("the lanes come to rest");
    }

    /// Time passes, and what is due is pushed.
    pub(crate) async fn later(&self, by: Duration) {
        self.clock.advance(by);
        self.run_due().await;
    }

    /// All events of a kind in the journal.
    pub(crate) async fn journal(&self, kind: EventKind) -> Vec<Event> {
        let page = Page { events: 1000, bytes: 64 << 20 };
        let journal = self.store.read_journal(self.bot.id(), Seq::ZERO, page).await.unwrap();
        journal.events.into_iter().filter(|event| event.kind == kind).collect()
    }

    /// What was noted of the company's words.
    pub(crate) async fn sent(&self) -> Vec<(Event, Value)> {
        let mut sent = Vec::new();
        for event in self.journal(EventKind::Sent).await {
            // It reads back as what it is.
            serde_json::from_slice::<SentDocument<'_>>(&event.body).unwrap();
            let document = serde_json::from_slice(&event.body).unwrap();
            sent.push((event, document));
        }
        sent
    }
}

async fn open(place: &Place, files: &tempfile::TempDir, clock: &ManualClock) -> Arc<dyn Store> {
    let mut options = match place {
        Place::Directory => Options::new(files.path().join("gateway.db")),
        Place::Disk(disk) => {
            let mut options = Options::new("gateway.db");
            options.vfs = Some(disk.vfs().to_owned());
            options
        }
    };
    options.synchronous = Synchronous::Off;
    options.watermarks.reserve_bytes = 0;
    Arc::new(SqliteStore::open(options, Arc::new(clock.clone())).await.unwrap())
}

/// A program that speaks the Bot API with one token.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
}

impl Client {
    pub(crate) fn path(&self, method: &str) -> String {
        format!("/bot{}/{method}", self.token)
    }

    /// Calls a method with JSON.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Answer {
        let body = serde_json::to_vec(&params).unwrap();
        send(self.address, &post(&self.path(method), "application/json", &body)).await
    }

    /// The same in the background.
    pub(crate) fn calling(&self, method: &str, params: Value) -> JoinHandle<Answer> {
        let (client, method) = (self.clone(), method.to_owned());
        tokio::spawn(async move { client.call(&method, params).await })
    }

    /// `getUpdates`, which has to succeed: the updates.
    pub(crate) async fn updates(&self, params: Value) -> Vec<Value> {
        let answer = self.call("getUpdates", params).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["result"].as_array().unwrap().clone()
    }

    /// The texts of the messages that wait.
    pub(crate) async fn texts(&self, params: Value) -> Vec<String> {
        texts(&self.updates(params).await)
    }

    /// The result of a call that has to succeed.
    pub(crate) async fn result(&self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["result"].clone()
    }
}

pub(crate) fn texts(updates: &[Value]) -> Vec<String> {
    updates.iter().map(|update| update["message"]["text"].as_str().unwrap_or("?").to_owned()).collect()
}

/// A message as Telegram gives it back.
pub(crate) fn message(id: i64, chat: i64, text: &str) -> String {
    json!({
        "message_id": id, "date": 1_800_000_000, "text": text, "chat": {"id": chat, "type": "private"},
        "from": {"id": 700_100, "is_bot": true, "first_name": "Bot"},
    })
    .to_string()
}

/// Waits for a condition, with a limit.
pub(crate) async fn until(what: &str, condition: impl Fn() -> bool + Send + Sync) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("{what}"));
}
