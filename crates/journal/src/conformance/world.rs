//! A store, a clock that stands still, and short words for what the cases say often.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tandem_model::{
    BotId, Clock, Conversation, Event, EventKind, Family, Filter, Flags, Held, HeldState, LaneId, Lifetime,
    NewEvent, Seq, SourceId, Timestamp, Topic, Upstream, UpstreamId, Wait,
};

use crate::{
    Append, Appended, Lane, LaneKind, Lease, NewLane, Page, Settlement, Shard, Start, Store, WriteError,
};

/// An engine under test, with a place of its own for its data.
pub trait Engine: Sized + Send + Sync {
    /// An empty place.
    fn prepare() -> impl Future<Output = Self> + Send;

    /// Opens the store there; after it was closed, with what is there.
    fn open(&self, clock: Arc<dyn Clock>) -> impl Future<Output = Arc<dyn Store>> + Send;
}

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Stands at some moment of 2026.
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(1_780_000_000_000)))
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, _when: Timestamp) -> Wait {
        Box::pin(std::future::pending())
    }
}

/// A page that is never full.
pub const WHOLE: Page = Page { events: 100_000, bytes: 1 << 30 };

/// A store and what a case needs around it.
pub struct World<E> {
    /// The place.
    pub engine: E,
    /// The clock the store was opened with.
    pub clock: Arc<ManualClock>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The bot of the case.
    pub bot: BotId,
    /// Its lease.
    pub lease: Lease,
}

#[expect(clippy::missing_panics_doc, reason = "a failed case panics")]
impl<E: Engine> World<E> {
    /// An empty store, with a lease for the bot.
    pub async fn new() -> Self {
        Self::on(E::prepare().await).await
    }

    /// The store at this place, with a lease for the bot.
    pub async fn on(engine: E) -> Self {
        let clock = ManualClock::new();
        let store = engine.open(Arc::clone(&clock) as Arc<dyn Clock>).await;
        let bot = bot(7_000_000_001);
        let lease = lease(&*store, bot).await;
        Self { engine, clock, store, bot, lease }
    }

    /// Closes the store and opens it again. The lease stays.
    pub async fn reopen(&mut self) {
        self.store.close().await;
        // The last hold on the files may be the one we have.
        self.store = self.engine.open(Arc::clone(&self.clock) as Arc<dyn Clock>).await;
    }

    /// Appends as the bot's owner.
    pub async fn append(&self, events: Vec<NewEvent>) -> Result<Vec<Appended>, WriteError> {
        self.store.append(self.lease, self.bot, Append { events, ..Append::default() }).await
    }

    /// Appends so many messages to one conversation.
    pub async fn append_messages(&self, conversation: i64, count: usize) {
        let events = (0..count).map(|n| message(conversation, &format!("message {n}"))).collect();
        self.append(events).await.expect("an append of messages");
    }

    /// A route from the beginning that wants every update.
    pub async fn route(&self, name: &str) -> Lane {
        self.lane(name, LaneKind::Route, Start::Beginning, Filter::UPDATES).await
    }

    /// A lane.
    pub async fn lane(&self, name: &str, kind: LaneKind, start: Start, filter: Filter) -> Lane {
        let lane = NewLane { name: name.to_owned(), kind, start, filter };
        self.store.create_lane(self.lease, self.bot, lane).await.expect("a new lane")
    }

    /// The lane as it is now.
    pub async fn find(&self, lane: LaneId) -> Lane {
        self.store.find_lane(self.bot, lane).await.expect("a readable lane").expect("the lane")
    }

    /// Settles as the bot's owner.
    pub async fn settle(&self, lane: LaneId, settlement: Settlement) {
        self.store.settle(self.lease, self.bot, lane, settlement).await.expect("a settlement");
    }

    /// Moves a cursor forward.
    pub async fn acknowledge(&self, lane: LaneId, seq: i64) {
        self.settle(lane, Settlement { acked: Some(at(seq)), ..Settlement::default() }).await;
    }

    /// Everything a lane reads after `after`, whatever the number of steps.
    pub async fn read_all(&self, lane: LaneId, after: Seq) -> Vec<Event> {
        let mut events = Vec::new();
        let mut from = after;
        loop {
            let page = self.store.read_lane(self.bot, lane, from, WHOLE).await.expect("a page of a lane");
            events.extend(page.events);
            assert!(page.scanned_to >= from, "a step goes forward");
            if page.scanned_to >= page.head {
                return events;
            }
            assert!(page.scanned_to > from, "a step goes forward");
            from = page.scanned_to;
        }
    }
}

/// A lease of a bot's shard.
#[expect(clippy::missing_panics_doc, reason = "a failed case panics")]
pub async fn lease(store: &dyn Store, bot: BotId) -> Lease {
    let shards = vec![Shard::of(bot)];
    let leases = store.acquire(shards, "case".to_owned(), Duration::from_hours(1)).await;
    leases.expect("a lease").pop().expect("one lease")
}

/// A bot.
#[expect(clippy::missing_panics_doc, reason = "a wrong number is a wrong case")]
pub fn bot(id: i64) -> BotId {
    BotId::new(id).expect("a bot's id")
}

/// A position.
#[expect(clippy::missing_panics_doc, reason = "a wrong number is a wrong case")]
pub fn at(seq: i64) -> Seq {
    Seq::new(seq).expect("a position")
}

/// The positions of events.
pub fn seqs(events: &[Event]) -> Vec<i64> {
    events.iter().map(|event| event.seq.get()).collect()
}

/// A number of a source.
#[expect(clippy::missing_panics_doc, reason = "a wrong number is a wrong case")]
pub fn upstream(source: i64, id: i64) -> Upstream {
    Upstream { source: SourceId::new(source).expect("a source"), id: UpstreamId::new(id).expect("an id") }
}

/// A topic.
#[expect(clippy::missing_panics_doc, reason = "a wrong number is a wrong case")]
pub fn topic(number: u8) -> Topic {
    Topic::new(number).expect("a topic")
}

/// An update without a number of its source's.
pub fn message(conversation: i64, text: &str) -> NewEvent {
    NewEvent {
        kind: EventKind::Update,
        topic: topic(0),
        conversation: Conversation::chat(conversation),
        family: Family(0),
        at: Timestamp::from_secs(1_779_999_000),
        lifetime: Lifetime::Backlog,
        flags: Flags::NONE,
        upstream: None,
        cause: None,
        owner: None,
        body: Bytes::copy_from_slice(text.as_bytes()),
    }
}

/// An update with its source's number.
pub fn numbered(id: i64) -> NewEvent {
    NewEvent { upstream: Some(upstream(0, id)), ..message(1, &format!("update {id}")) }
}

/// Something the company's side said.
pub fn sent(conversation: i64, text: &str) -> NewEvent {
    NewEvent { kind: EventKind::Sent, ..message(conversation, text) }
}

/// A held row.
pub fn held(seq: i64, conversation: i64, state: HeldState) -> Held {
    Held {
        seq: at(seq),
        conversation: Conversation::chat(conversation),
        family: None,
        state,
        tries: 0,
        attempts: Vec::new(),
        next_at: Timestamp::EPOCH,
        reason: String::new(),
    }
}
