//! Figures of the lanes on this machine: memory of idle lanes, how fast a backlog drains, what lanes cost appends.
//!
//! `cargo run --release -p tandem-lanes --example figures`. The database is made in a temporary directory.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for people at a terminal")]

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use bytes::Bytes;
use tandem_journal::{
    Append, LaneKind, Lease, NewLane, Shard, Start, Store, Urgency,
    sqlite::{Options, SqliteStore},
};
use tandem_lanes::{Config, Delivered, Destination, LaneAddress, Lanes, LeaseSource, PushSpec, Repeats, Run};
use tandem_model::{
    BotId, Clock, Conversation, EventKind, Family, Filter, Flags, Lifetime, NewEvent, SeededRng, Seq,
    Timestamp, Topic, Wait,
};
use tokio_util::sync::CancellationToken;

const BODY_BYTES: usize = 700;
const CONVERSATIONS: i64 = 200;

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this program measures real time")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap())
    }

    fn sleep_until(&self, when: Timestamp) -> Wait {
        Box::pin(tokio::time::sleep(when.since(self.now())))
    }
}

struct AllLeases(Vec<Lease>);

impl LeaseSource for AllLeases {
    fn lease(&self, bot: BotId) -> Option<Lease> {
        self.0.iter().copied().find(|lease| lease.shard == Shard::of(bot))
    }
}

#[derive(Default)]
struct Counter(AtomicUsize);

#[async_trait]
impl Destination for Counter {
    async fn deliver(&self, run: &Run) -> Delivered {
        self.0.fetch_add(run.events.len(), Ordering::Relaxed);
        Delivered::all(run)
    }
}

struct Bench {
    store: Arc<dyn Store>,
    leases: Arc<AllLeases>,
    _directory: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options::new(directory.path().join("figures.db"));
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(options, Arc::new(SystemClock)).await.unwrap());
        let leases =
            store.acquire(Shard::all().collect(), "figures".into(), Duration::from_hours(1)).await.unwrap();
        Self { store, leases: Arc::new(AllLeases(leases)), _directory: directory }
    }

    fn lanes(&self) -> Lanes {
        let leases = Arc::<AllLeases>::clone(&self.leases);
        let rng = Arc::new(SeededRng::from_seed(1));
        Lanes::new(Arc::clone(&self.store), leases, Arc::new(SystemClock), rng, Config::default())
    }

    async fn lane(&self, bot: BotId, name: &str) -> LaneAddress {
        let new = NewLane {
            name: name.into(),
            kind: LaneKind::Route,
            start: Start::Beginning,
            filter: Filter::UPDATES,
        };
        let lane = self.store.create_lane(self.leases.lease(bot).unwrap(), bot, new).await.unwrap();
        LaneAddress { bot, lane: lane.id }
    }

    /// The last of them.
    async fn append(&self, bot: BotId, first: i64, events: i64) -> Seq {
        let events = (first..first + events).map(event).collect();
        let append = Append { events, urgency: Urgency::MustKeep, ..Append::default() };
        let appended = self.store.append(self.leases.lease(bot).unwrap(), bot, append).await.unwrap();
        appended.last().unwrap().seq()
    }
}

fn event(n: i64) -> NewEvent {
    NewEvent {
        kind: EventKind::Update,
        topic: Topic::new(0).unwrap(),
        conversation: Conversation::chat(n % CONVERSATIONS),
        family: Family(0),
        at: Timestamp::EPOCH,
        lifetime: Lifetime::Backlog,
        flags: Flags::NONE,
        upstream: None,
        cause: None,
        owner: None,
        body: Bytes::from(vec![b'x'; BODY_BYTES]),
    }
}

fn bot(n: i64) -> BotId {
    BotId::new(1000 + n).unwrap()
}

fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

async fn idle(bots: i64) {
    let bench = Bench::new().await;
    let mut addresses = Vec::new();
    for n in 0..bots {
        addresses.push(bench.lane(bot(n), "crm").await);
    }
    let lanes = bench.lanes();
    let (spec, counter) = (Arc::new(PushSpec::route()), Arc::new(Counter::default()));
    lanes.run_due().await;
    let before = resident_bytes();
    for address in &addresses {
        lanes.attach(*address, Arc::clone(&spec), Arc::<Counter>::clone(&counter)).unwrap();
    }
    let began = Instant::now();
    lanes.run_due().await;
    let looked = began.elapsed();
    let after = resident_bytes();
    for n in 0..bots {
        let last = bench.append(bot(n), 0, 1).await;
        lanes.wake(bot(n), last);
    }
    lanes.run_due().await;
    let used = resident_bytes();
    let each = |bytes: usize| bytes.saturating_sub(before) / addresses.len();
    println!("{bots} idle lanes: {} bytes each, looked through in {looked:.1?}", each(after));
    println!("the same after each had one event: {} bytes each", each(used));
    assert_eq!(counter.0.load(Ordering::Relaxed), addresses.len());
}

async fn drain(events: i64, repeats: Repeats, run_events: usize) {
    let bench = Bench::new().await;
    let address = bench.lane(bot(0), "crm").await;
    for first in (0..events).step_by(500) {
        bench.append(bot(0), first, 500).await;
    }
    let lanes = bench.lanes();
    let counter = Arc::new(Counter::default());
    let spec = PushSpec { repeats, run_events, max_in_flight: 40, ..PushSpec::route() };
    let before = resident_bytes();
    let commits = bench.store.stats().await.unwrap().commits;
    let began = Instant::now();
    lanes.attach(address, spec, Arc::<Counter>::clone(&counter)).unwrap();
    lanes.run_due().await;
    let rate = f64::from(u32::try_from(events).unwrap()) / began.elapsed().as_secs_f64();
    let commits = bench.store.stats().await.unwrap().commits - commits;
    let grown = resident_bytes().saturating_sub(before) >> 20;
    assert_eq!(i64::try_from(counter.0.load(Ordering::Relaxed)).unwrap(), events);
    println!(
        "drain of {events}, {repeats:?}, runs of {run_events}: {rate:.0} events/s, {commits} commits, +{grown} MB"
    );
}

async fn appends(lanes_attached: usize, seconds: u64) {
    let bench = Arc::new(Bench::new().await);
    let lanes = bench.lanes();
    let counter = Arc::new(Counter::default());
    for n in 0..lanes_attached {
        let address = bench.lane(bot(0), &format!("lane {n}")).await;
        lanes.attach(address, PushSpec::route(), Arc::<Counter>::clone(&counter)).unwrap();
    }
    let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
    let (run, stop) = (lanes.clone(), soft.clone());
    let running = tokio::spawn(async move { run.run(stop, hard).await });
    let appended = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let writers: Vec<_> = (0..64)
        .map(|writer| {
            let (bench, lanes, appended) = (Arc::clone(&bench), lanes.clone(), Arc::clone(&appended));
            tokio::spawn(async move {
                let mut n = writer;
                while began.elapsed() < Duration::from_secs(seconds) {
                    let last = bench.append(bot(0), n, 1).await;
                    lanes.wake(bot(0), last);
                    appended.fetch_add(1, Ordering::Relaxed);
                    n += 64;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let rate = appended.load(Ordering::Relaxed) / usize::try_from(seconds).unwrap();
    let delivered = counter.0.load(Ordering::Relaxed) / lanes_attached.max(1);
    println!(
        "{lanes_attached} lanes: {rate} appends/s by 64 writers, {delivered} delivered to each meanwhile"
    );
    soft.cancel();
    running.await.unwrap();
}

#[tokio::main]
async fn main() {
    idle(10_000).await;
    drain(200_000, Repeats::Recognised, 1).await;
    drain(200_000, Repeats::Recognised, 10).await;
    drain(50_000, Repeats::Unrecognised, 1).await;
    for lanes in [0, 1, 2, 4] {
        appends(lanes, 3).await;
    }
}
