//! Tandem with everything in it, in this process: bridge, gateway, lanes, SQLite, before the sandbox's Telegram and
//! under its clock.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use secrecy::SecretString;
use serde_json::Value;
use tandem_bridge::{
    BotDocument, BotPhase, Bridge, Config, GuardDocument, Ownership, Parts, UpstreamMode, secrets,
};
use tandem_gateway::{App, AppDocument, Directory, DropPending, Gateway, Limits, Owners, Recorder};
use tandem_journal::{
    App as AppRow, Bot as BotRow, Document, Page, Sealer, SecretOwner, SettingsChange, Store,
    sqlite::{Options, SqliteStore, Synchronous},
};
use tandem_lanes::Lanes;
use tandem_model::{BotId, Clock, EventKind, Rng, SeededRng, Seq, SourceId, Timestamp, Wait};
use tandem_sandbox::telegram::Bot;
use tandem_telegram::{
    token::Token,
    upstream::{ServerBase, Settings, Upstream},
    webhook::WebhookPolicy,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::soon;

/// The sandbox's clock as Tandem's, so that both sides move together.
#[derive(Debug, Clone)]
struct SandboxClock(tandem_sandbox::Clock);

impl Clock for SandboxClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now_ms())
    }

    fn sleep_until(&self, when: Timestamp) -> Wait {
        let clock = self.0.clone();
        Box::pin(async move { clock.sleep_until(when.as_millis()).await })
    }
}

/// A Tandem that runs.
pub(crate) struct Tandem {
    pub(crate) address: SocketAddr,
    store: Arc<dyn Store>,
    bridge: Bridge,
    bot: BotId,
    soft: CancellationToken,
    hard: CancellationToken,
    running: Vec<JoinHandle<()>>,
}

impl Tandem {
    /// Opens what is in the folder and serves it at `address`.
    pub(crate) async fn start(
        folder: &Path,
        address: SocketAddr,
        (telegram, bot): (&str, BotId),
        clock: &tandem_sandbox::Clock,
        webhooks: WebhookPolicy,
    ) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SandboxClock(clock.clone()));
        let rng: Arc<dyn Rng> = Arc::new(SeededRng::from_seed(11));
        let mut options = Options::new(folder.join("tandem.db"));
        options.synchronous = Synchronous::Off;
        options.watermarks.reserve_bytes = 0;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(options, clock.clone()).await.unwrap());
        let sealer = Arc::new(Sealer::open(&folder.join("tandem.key"), &*rng).unwrap());
        let ownership = Ownership::take(&*store, "tandem").await.unwrap();
        let lanes = Lanes::new(
            store.clone(),
            ownership.clone(),
            clock.clone(),
            rng.clone(),
            tandem_lanes::Config::default(),
        );
        let upstream = Upstream::new(Settings::for_server(ServerBase::parse(telegram).unwrap())).unwrap();
        let recorder = Recorder::new(store.clone(), ownership.clone(), &lanes);
        let directory = Arc::new(Directory::new());
        let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
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
            config: tandem_gateway::Config { webhooks },
            soft: soft.clone(),
            tasks: TaskTracker::new(),
        });
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving =
            tandem_gateway::serve(listener, gateway.router(), Limits::APPS, soft.clone(), hard.clone());
        let parts = Parts {
            store: store.clone(),
            sealer,
            ownership,
            lanes: lanes.clone(),
            directory,
            recorder,
            gateway,
            upstream,
            connectors: Vec::new(),
            vendors: Vec::new(),
            clock,
            rng,
            config: Config::default(),
        };
        let bridge = Bridge::open(parts).await.unwrap();
        let running = vec![
            tokio::spawn(serving),
            tokio::spawn({
                let (bridge, soft, hard) = (bridge.clone(), soft.clone(), hard.clone());
                async move { bridge.run(soft, hard).await }
            }),
            tokio::spawn({
                let (soft, hard) = (soft.clone(), hard.clone());
                async move { lanes.run(soft, hard).await }
            }),
        ];
        Self { address, store, bridge, bot, soft, hard, running }
    }

    /// Takes a bot as if it had been adopted, polling upstream; its app `main` gets a token of its own.
    pub(crate) async fn adopt(&self, bot: &Bot) -> String {
        let document = BotDocument {
            username: Some(bot.username()),
            name: bot.first_name(),
            phase: BotPhase::Active,
            upstream: UpstreamMode::Polling,
            source: SourceId::new(1).unwrap(),
            taken_from: None,
            owners: Owners::default(),
            guard: GuardDocument::default(),
        };
        let token = SecretString::from(bot.token());
        let changes = vec![
            SettingsChange::PutBot(BotRow { bot: self.bot, document: Document::of(&document).unwrap() }),
            self.bridge.vault().put(SecretOwner::Bot(self.bot), secrets::TOKEN, &token),
        ];
        self.store.change_settings(None, changes).await.unwrap();
        self.add_app(App::MAIN, DropPending::Obey).await
    }

    /// Adds an app; its token.
    pub(crate) async fn add_app(&self, name: &str, drop_pending: DropPending) -> String {
        let token = Token::generate(self.bot, &SeededRng::from_seed(name.len() as u64));
        let token_sha256 = Some(hex::encode(token.hash().as_bytes()));
        let document = AppDocument { token_sha256, drop_pending, ..AppDocument::default() };
        let app = AppRow {
            bot: self.bot,
            name: name.to_owned(),
            lane: None,
            document: Document::of(&document).unwrap(),
        };
        self.store.change_settings(None, vec![SettingsChange::PutApp(app)]).await.unwrap();
        self.bridge.sync(self.bot).await.unwrap();
        token.expose().to_owned()
    }

    /// How many updates are in the journal.
    pub(crate) async fn journaled(&self) -> usize {
        self.bodies(EventKind::Update).await.len()
    }

    /// What was noted of the company's words.
    pub(crate) async fn sent(&self) -> Vec<Value> {
        let bodies = self.bodies(EventKind::Sent).await;
        bodies.iter().map(|body| serde_json::from_slice(body).unwrap()).collect()
    }

    async fn bodies(&self, kind: EventKind) -> Vec<Vec<u8>> {
        let page = Page { events: 10_000, bytes: 64 << 20 };
        let journal = self.store.read_journal(self.bot, Seq::ZERO, page).await.unwrap();
        let of_kind = journal.events.into_iter().filter(|event| event.new.kind == kind);
        of_kind.map(|event| event.new.body.to_vec()).collect()
    }

    /// Begins to stop in order: polls that wait are answered.
    pub(crate) fn begin_to_stop(&self) {
        self.soft.cancel();
    }

    /// Ends at once, as a crash would.
    pub(crate) async fn kill(self) {
        self.hard.cancel();
        self.soft.cancel();
        for task in self.running {
            soon("the end of Tandem", task).await.unwrap();
        }
        self.store.close().await;
    }

    /// How often the intake is looked at while it is waited for.
    pub(crate) const LOOK: Duration = Duration::from_millis(2);
}
