//! The words of the scenarios: a bot whose customers write, lanes with a desk at their end, time that is told to
//! pass, and a service that can be restarted or killed.

pub(crate) mod desk;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use tandem_crashfs::Disk;
use tandem_journal::{
    Append, Appended, HeldStates, Lane, LaneKind, LaneState, Lease, NewLane, Shard, Start, Store, Urgency,
    sqlite::{Options, SqliteStore, Synchronous},
};
use tandem_lanes::{Config, LaneAddress, Lanes, LeaseSource, Pull, PushSpec};
use tandem_model::{
    Authorship, BotId, Clock, Conversation, EventKind, Family, Filter, Flags, Held, LaneId, Lifetime,
    NewEvent, PauseReason, SeededRng, Seq, SourceId, Topic, Upstream, UpstreamId,
};
use tandem_testkit::ManualClock;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::desk::Desk;

/// The leases of a process that owns everything.
#[derive(Debug)]
pub(crate) struct AllLeases(BTreeMap<u8, Lease>);

impl AllLeases {
    pub(crate) async fn of(store: &Arc<dyn Store>) -> Arc<Self> {
        let shards = Shard::all().collect();
        let leases = store.acquire(shards, "test".to_owned(), Duration::from_hours(1)).await.unwrap();
        Arc::new(Self(leases.into_iter().map(|lease| (lease.shard.get(), lease)).collect()))
    }
}

impl LeaseSource for AllLeases {
    fn lease(&self, bot: BotId) -> Option<Lease> {
        self.0.get(&Shard::of(bot).get()).copied()
    }
}

/// A service with lanes, on a database of its own.
pub(crate) struct Service {
    pub(crate) clock: ManualClock,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) leases: Arc<AllLeases>,
    pub(crate) lanes: Lanes,
    pub(crate) config: Config,
    place: Place,
    attached: Vec<(LaneAddress, Arc<PushSpec>, Arc<Desk>)>,
    upstream: i64,
    running: Option<(CancellationToken, CancellationToken, JoinHandle<()>)>,
}

/// The bot of the scenarios.
pub(crate) fn bot() -> BotId {
    BotId::new(700_100).unwrap()
}

/// How long the scenarios' apps want what they missed.
pub(crate) const BACKLOG: Duration = Duration::from_hours(24);

/// Where a database is.
enum Place {
    /// In the file system, without waiting for the disk.
    Directory(tempfile::TempDir),
    /// On a disk that can fail.
    Disk(Disk),
}

async fn open(place: &Place, clock: &ManualClock) -> Arc<dyn Store> {
    let options = match place {
        Place::Directory(directory) => {
            let mut options = Options::new(directory.path().join("lanes.db"));
            options.synchronous = Synchronous::Off;
            options.watermarks.reserve_bytes = 0;
            options
        }
        Place::Disk(disk) => {
            let mut options = Options::new("lanes.db");
            options.vfs = Some(disk.vfs().to_owned());
            options
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    Arc::new(SqliteStore::open(options, clock).await.unwrap())
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    pub(crate) async fn start_with(config: Config) -> Self {
        Self::start_at(Place::Directory(tandem_testkit::folder()), config).await
    }

    /// On a disk that can fail.
    pub(crate) async fn start_on(disk: Disk) -> Self {
        Self::start_at(Place::Disk(disk), Config::default()).await
    }

    /// The disk it was started on.
    pub(crate) fn disk(&self) -> &Disk {
        match &self.place {
            Place::Disk(disk) => disk,
            Place::Directory(_) => panic!("this service was not started on a disk that can fail"),
        }
    }

    async fn start_at(place: Place, config: Config) -> Self {
        let clock = ManualClock::new();
        let store = open(&place, &clock).await;
        let leases = AllLeases::of(&store).await;
        let lanes = Self::lanes_over(&store, &leases, &clock, &config);
        let (attached, upstream, running) = (Vec::new(), 1000, None);
        Self { clock, store, leases, lanes, config, place, attached, upstream, running }
    }

    fn lanes_over(
        store: &Arc<dyn Store>,
        leases: &Arc<AllLeases>,
        clock: &ManualClock,
        config: &Config,
    ) -> Lanes {
        let clock = Arc::new(clock.clone());
        let rng = Arc::new(SeededRng::from_seed(1));
        Lanes::new(Arc::clone(store), Arc::<AllLeases>::clone(leases), clock, rng, config.clone())
    }

    pub(crate) fn lease(&self) -> Lease {
        self.leases.lease(bot()).unwrap()
    }

    /// A lane from the oldest event on.
    pub(crate) async fn lane(&self, name: &str, kind: LaneKind, filter: Filter) -> LaneAddress {
        self.lane_of(bot(), name, kind, filter).await
    }

    pub(crate) async fn lane_of(
        &self,
        bot: BotId,
        name: &str,
        kind: LaneKind,
        filter: Filter,
    ) -> LaneAddress {
        let new = NewLane { name: name.to_owned(), kind, start: Start::Beginning, filter };
        let lease = self.leases.lease(bot).unwrap();
        let lane = self.store.create_lane(lease, bot, new).await.unwrap();
        LaneAddress { bot, lane: lane.id }
    }

    /// A lane with a desk at its end.
    pub(crate) async fn desk(&mut self, name: &str, spec: PushSpec) -> (LaneAddress, Arc<Desk>) {
        let kind = if spec.backlog.is_some() { LaneKind::App } else { LaneKind::Route };
        let lane = self.lane(name, kind, Filter::UPDATES).await;
        let desk = Desk::new(self.clock.clone());
        self.attach(lane, spec, &desk);
        (lane, desk)
    }

    pub(crate) fn attach(&mut self, lane: LaneAddress, spec: PushSpec, desk: &Arc<Desk>) {
        let spec = Arc::new(spec);
        self.lanes.attach(lane, Arc::clone(&spec), Arc::<Desk>::clone(desk)).unwrap();
        self.attached.retain(|(other, ..)| *other != lane);
        self.attached.push((lane, spec, Arc::clone(desk)));
    }

    pub(crate) async fn detach(&mut self, lane: LaneAddress) {
        self.lanes.detach(lane).await.unwrap();
        self.attached.retain(|(other, ..)| *other != lane);
    }

    /// An app that polls.
    pub(crate) async fn app(&self, name: &str) -> LaneAddress {
        let filter = Filter { authorship: Authorship::OthersOnlyAndNotOwned, ..Filter::UPDATES };
        self.lane(name, LaneKind::App, filter).await
    }

    /// A customer writes: the text is marked with who it is.
    pub(crate) async fn says(&mut self, customer: i64, text: &str) -> Seq {
        let text = format!("{customer}:{text}");
        self.append(update(customer, 0, &text)).await
    }

    /// Appends an event as it is.
    pub(crate) async fn append(&mut self, event: NewEvent) -> Seq {
        self.append_all(vec![event]).await[0]
    }

    pub(crate) async fn append_all(&mut self, events: Vec<NewEvent>) -> Vec<Seq> {
        let mut events = events;
        for event in &mut events {
            self.upstream += 1;
            event.at = self.clock.now();
            event.upstream = Some(Upstream {
                source: SourceId::new(0).unwrap(),
                id: UpstreamId::new(self.upstream).unwrap(),
            });
        }
        let append = Append { events, urgency: Urgency::MustKeep, ..Append::default() };
        let appended = self.store.append(self.lease(), bot(), append).await.unwrap();
        let seqs: Vec<Seq> = appended.into_iter().map(Appended::seq).collect();
        if let Some(last) = seqs.iter().max() {
            self.lanes.wake(bot(), *last);
        }
        seqs
    }

    /// Telegram numbers anew.
    pub(crate) fn upstream_restarts_at(&mut self, id: UpstreamId) {
        self.upstream = id.get() - 1;
    }

    pub(crate) async fn run_due(&self) {
        let limit = Duration::from_secs(30);
        tokio::time::timeout(limit, self.lanes.run_due()).await.expect("the lanes come to rest");
    }

    /// Time passes, and what is due is done.
    pub(crate) async fn later(&self, by: Duration) {
        self.clock.advance(by);
        self.run_due().await;
    }

    /// Lets the lanes run by themselves from now on.
    pub(crate) fn run(&mut self) {
        let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
        let lanes = self.lanes.clone();
        let (stop, kill) = (soft.clone(), hard.clone());
        let task = tokio::spawn(async move { lanes.run(stop, kill).await });
        self.running = Some((soft, hard, task));
    }

    /// Finishes what is under way.
    pub(crate) async fn stop(&mut self) {
        if let Some((soft, _, task)) = self.running.take() {
            soft.cancel();
            task.await.unwrap();
        }
    }

    /// Ends at once, as a crash would.
    pub(crate) async fn kill(&mut self) {
        if let Some((_, hard, task)) = self.running.take() {
            hard.cancel();
            task.await.unwrap();
        }
    }

    /// Starts again from what is on disk, with the same destinations.
    pub(crate) async fn restart(&mut self) {
        self.store.close().await;
        self.store = open(&self.place, &self.clock).await;
        self.leases = AllLeases::of(&self.store).await;
        self.lanes = Self::lanes_over(&self.store, &self.leases, &self.clock, &self.config);
        for (lane, spec, desk) in &self.attached {
            self.lanes.attach(*lane, Arc::clone(spec), Arc::<Desk>::clone(desk)).unwrap();
        }
    }

    pub(crate) async fn state(&self, lane: LaneAddress) -> Lane {
        self.store.find_lane(lane.bot, lane.lane).await.unwrap().unwrap()
    }

    /// Why the lane stands still, if it does.
    pub(crate) async fn paused(&self, lane: LaneAddress) -> Option<PauseReason> {
        match self.state(lane).await.state {
            LaneState::Running => None,
            LaneState::Paused { reason, .. } => Some(reason),
        }
    }

    pub(crate) async fn held(&self, lane: LaneAddress) -> Vec<Held> {
        self.lanes.list_held(lane, HeldStates::ALL, Seq::ZERO, 100_000).await.unwrap()
    }

    /// The next answer to an app: texts.
    pub(crate) async fn pull(&self, lane: LaneAddress, offset: i64) -> Vec<String> {
        let pull = Pull { offset, limit: 100, max_bytes: 1 << 20, backlog: BACKLOG };
        let events = self.lanes.pull(lane, pull).await.unwrap();
        events.iter().map(|event| String::from_utf8(event.body.to_vec()).unwrap()).collect()
    }
}

/// An update of a chat.
pub(crate) fn update(chat: i64, family: u8, text: &str) -> NewEvent {
    NewEvent {
        kind: EventKind::Update,
        topic: Topic::new(0).unwrap(),
        conversation: Conversation::chat(chat),
        family: Family(family),
        at: tandem_model::Timestamp::EPOCH,
        lifetime: Lifetime::Backlog,
        flags: Flags::NONE,
        upstream: None,
        cause: None,
        owner: None,
        body: Bytes::from(text.to_owned()),
    }
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

/// Waits for a condition on the store, with a limit.
pub(crate) async fn until_async<F: Future<Output = bool> + Send>(
    what: &str,
    condition: impl Fn() -> F + Send + Sync,
) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("{what}"));
}

/// The id of a lane, for events that are owned or caused.
pub(crate) fn id(lane: LaneAddress) -> LaneId {
    lane.lane
}
