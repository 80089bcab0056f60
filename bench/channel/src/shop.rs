//! The emulators, a bridge with one bot and one route, and a journal that is filled by hand.

use std::{fmt, sync::Arc, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use secrecy::SecretString;
use serde_json::{Value, json};
use tandem_amocrm::{Amocrm, Settings, secret};
use tandem_bridge::{
    Bridge, ChannelDocument, Config, ConnectionDocument, Ownership, Parts, PublicUrl, RouteKind, RouteMode,
    secrets,
};
use tandem_gateway::{Directory, Gateway, Recorder};
use tandem_journal::{
    Append, Bot as BotRow, Document, Route, SecretOwner, SettingsChange, Store,
    sqlite::{Options, SqliteStore},
};
use tandem_lanes::{Lanes, LeaseSource};
use tandem_model::{BotId, Clock, LaneId, Rng, SeededRng, Seq, SourceId, Timestamp, Wait};
use tandem_sandbox::{Config as SandboxConfig, Sandbox, telegram::NewBot};
use tandem_telegram::{
    update::UpdateView,
    upstream::{ServerBase, Settings as UpstreamSettings, Upstream},
    webhook::WebhookPolicy,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How many messages are appended at a time.
const BATCH: usize = 500;
/// How often it is looked whether everything is delivered.
const LOOK: Duration = Duration::from_millis(2);

/// The sandbox's clock for everybody.
#[derive(Debug, Clone)]
struct SharedClock(tandem_sandbox::Clock);

impl Clock for SharedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now_ms())
    }

    fn sleep_until(&self, when: Timestamp) -> Wait {
        let wait = when.since(self.now());
        Box::pin(tokio::time::sleep(wait))
    }
}

/// What a bare loop needs to post to the channel.
#[derive(Clone)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) secret: String,
    pub(crate) base: String,
    pub(crate) clock: tandem_sandbox::Clock,
    /// Of which round its messages are.
    pub(crate) round: usize,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Everything together.
pub(crate) struct Shop {
    channel: Channel,
    store: Arc<dyn Store>,
    ownership: Arc<Ownership>,
    lanes: Lanes,
    bot: BotId,
    lane: LaneId,
    written: i64,
    last: Seq,
    soft: CancellationToken,
    tasks: TaskTracker,
    _sandbox: Sandbox,
    _folder: tempfile::TempDir,
}

impl Shop {
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(SandboxConfig::default()).await?;
        let clock = SharedClock(sandbox.clock().clone());
        let channel = register(&sandbox).await?;
        let shared: Arc<dyn Clock> = Arc::new(clock);
        let rng: Arc<dyn Rng> = Arc::new(SeededRng::from_seed(1));
        let folder = tempfile::tempdir()?;
        let options = Options::new(folder.path().join("bench.db"));
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(options, Arc::clone(&shared)).await?);
        let sealer = Arc::new(tandem_journal::Sealer::open(&folder.path().join("bench.key"), &*rng)?);
        let ownership = Ownership::take(&*store, "bench").await?;
        let leases: Arc<dyn LeaseSource> = Arc::<Ownership>::clone(&ownership);
        let config = tandem_lanes::Config::default();
        let lanes = Lanes::new(
            Arc::clone(&store),
            Arc::clone(&leases),
            Arc::clone(&shared),
            Arc::clone(&rng),
            config,
        );
        let upstream =
            Upstream::new(UpstreamSettings::for_server(ServerBase::parse(&sandbox.telegram_url())?))?;
        let recorder = Recorder::new(Arc::clone(&store), Arc::clone(&leases), &lanes);
        let directory = Arc::new(Directory::new());
        let (soft, tasks) = (CancellationToken::new(), TaskTracker::new());
        let gateway = Gateway::new(tandem_gateway::Parts {
            store: Arc::clone(&store),
            sealer: Arc::clone(&sealer),
            leases,
            lanes: lanes.clone(),
            directory: Arc::clone(&directory),
            recorder: recorder.clone(),
            upstream: upstream.clone(),
            clock: Arc::clone(&shared),
            rng: Arc::clone(&rng),
            config: tandem_gateway::Config { webhooks: WebhookPolicy::Any },
            soft: soft.clone(),
            tasks: tasks.clone(),
        });
        let vendor = Amocrm::new(&Settings::default(), Arc::clone(&shared), Arc::clone(&rng))?;
        let public_url = PublicUrl::parse("http://127.0.0.1:9")?;
        let parts = Parts {
            store: Arc::clone(&store),
            sealer,
            ownership: Arc::clone(&ownership),
            lanes: lanes.clone(),
            directory,
            recorder,
            gateway,
            upstream,
            connectors: Vec::new(),
            vendors: vec![Arc::new(vendor)],
            clock: shared,
            rng,
            config: Config { public_url: Some(public_url), ..Config::default() },
        };
        let bridge = Bridge::open(parts).await?;
        let (bot, lane) = settle(&bridge, &sandbox, &channel).await?;
        let (running, stop) = (bridge, soft.clone());
        tasks.spawn(async move { running.run(stop.clone(), stop).await });
        let (running, stop) = (lanes.clone(), soft.clone());
        tasks.spawn(async move { running.run(stop.clone(), stop).await });
        Ok(Self {
            channel,
            store,
            ownership,
            lanes,
            bot,
            lane,
            written: 0,
            last: Seq::ZERO,
            soft,
            tasks,
            _sandbox: sandbox,
            _folder: folder,
        })
    }

    pub(crate) fn channel(&self, round: usize) -> Channel {
        Channel { round, ..self.channel.clone() }
    }

    /// Appends so many messages of clients, chat by chat in turn.
    pub(crate) async fn write(&mut self, messages: usize, chats: usize) -> anyhow::Result<()> {
        let lease = self.ownership.lease(self.bot).context("no lease")?;
        let (source, chats) = (SourceId::new(1)?, i64::try_from(chats)?);
        let mut left = messages;
        while left > 0 {
            let mut events = Vec::new();
            for _ in 0..left.min(BATCH) {
                self.written += 1;
                let now = self.channel.clock.now_ms();
                let body = update(self.written, 1000 + self.written % chats, now / 1000);
                events.push(UpdateView::of(&body)?.to_event(source, Timestamp::from_millis(now)));
            }
            left -= events.len();
            let append = Append { events, ..Append::default() };
            let appended = self.store.append(lease, self.bot, append).await?;
            self.last = appended.last().context("nothing was appended")?.seq();
        }
        Ok(())
    }

    /// Lets the lane go, and waits until all is delivered.
    pub(crate) async fn deliver(&self) -> anyhow::Result<()> {
        self.lanes.wake(self.bot, self.last);
        loop {
            let lane = self.store.find_lane(self.bot, self.lane).await?.context("the lane is gone")?;
            let held = self.store.count_held(self.bot, self.lane).await?;
            if lane.acked >= self.last && held.retrying == 0 {
                anyhow::ensure!(held.dead == 0, "{} messages were refused", held.dead);
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(crate) async fn close(self) {
        self.soft.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.store.close().await;
    }
}

fn update(number: i64, chat: i64, date: i64) -> Bytes {
    let client = json!({"id": chat, "is_bot": false, "first_name": "Client", "username": "client"});
    json!({"update_id": number, "message": {"message_id": number, "date": date, "text": format!("message {number}"),
        "chat": {"id": chat, "type": "private", "first_name": "Client"}, "from": client}})
    .to_string()
    .into()
}

async fn register(sandbox: &Sandbox) -> anyhow::Result<Channel> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let address = format!("{}/amocrm/channels", sandbox.control_url());
    let request = http.post(address).json(&json!({})).build()?;
    let made: Value = http.execute(request).await?.error_for_status()?.json().await?;
    let request = http.get(format!("{}/amocrm", sandbox.control_url())).build()?;
    let shown: Value = http.execute(request).await?.error_for_status()?.json().await?;
    let word = |value: &Value| value.as_str().map(str::to_owned).context("the sandbox answers otherwise");
    Ok(Channel {
        id: word(&made["id"])?,
        account: word(&shown["account"]["amojo_id"])?,
        secret: word(&made["secret"])?,
        base: sandbox.amocrm_url(),
        clock: sandbox.clock().clone(),
        round: 0,
    })
}

/// Stores the connection, a bot, and its route.
async fn settle(bridge: &Bridge, sandbox: &Sandbox, channel: &Channel) -> anyhow::Result<(BotId, LaneId)> {
    let store = &bridge.parts().store;
    let settings = json!({
        "account": "shop.amocrm.ru", "chats_base": channel.base, "rest_base": channel.base,
        "channel": {"id": channel.id, "bot_id": channel.id, "account": channel.account},
    });
    let document = Document::of(&ConnectionDocument { settings, disabled_since: None })?;
    let put =
        SettingsChange::PutConnection { name: "shop".to_owned(), vendor: Amocrm::NAME.to_owned(), document };
    store.change_settings(None, vec![put]).await?;
    let connection = store.find_connection("shop".to_owned()).await?.context("no connection")?.id;
    let owner = SecretOwner::Connection(connection);
    let channel_secret = SecretString::from(channel.secret.as_str());
    let sandbox_bot = sandbox.telegram().create_bot(NewBot::default())?;
    let bot = BotId::new(sandbox_bot.id())?;
    let document = json!({"username": null, "name": "Shop", "phase": {"state": "active"}, "upstream": "polling",
        "source": 1, "taken_from": null});
    let route = json!({"kind": RouteKind::Amocrm, "mode": RouteMode::Channel, "kinds": null,
        "max_connections": null, "ip_address": null, "channel": ChannelDocument::default()});
    let changes = vec![
        bridge.vault().put(owner, secret::CHANNEL_SECRET, &channel_secret),
        SettingsChange::PutBot(BotRow { bot, document: Document::of(&document)? }),
        bridge.vault().put(SecretOwner::Bot(bot), secrets::TOKEN, &SecretString::from(sandbox_bot.token())),
        SettingsChange::PutRoute(Route {
            bot,
            name: "crm".to_owned(),
            lane: None,
            connection: Some(connection),
            document: Document::of(&route)?,
        }),
    ];
    store.change_settings(None, changes).await?;
    bridge.sync_connections().await?;
    bridge.sync(bot).await?;
    let lanes = store.list_lanes(bot, None, 10).await?;
    let lane = lanes.iter().find(|lane| lane.name == "route:crm").context("the route has no lane")?;
    Ok((bot, lane.id))
}
