//! Reading the end of a journal from memory: that it happens, that it says nothing the rows would not say, and that
//! nothing is in it that is not committed.

use std::sync::Arc;

use tandem_crashfs::Disk;
use tandem_journal::{
    LaneKind, LanePage, NewLane, Page, ReadError, Start, Store, WriteError,
    conformance::{
        Engine, World,
        world::{WHOLE, at, message, sent, seqs},
    },
    sqlite::{Options, SqliteStore},
};
use tandem_model::{Clock, Event, EventKind, EventKinds, Filter, LaneId, Seq};
use tokio::task::JoinSet;

struct OnDisk(Arc<Disk>);

impl Engine for OnDisk {
    async fn prepare() -> Self {
        Self(Arc::new(Disk::new(1)))
    }

    async fn open(&self, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        let options = Options { vfs: Some(self.0.vfs().to_owned()), ..Options::new("/data/tandem.db") };
        Arc::new(SqliteStore::open(options, clock).await.expect("an open store"))
    }
}

async fn read(world: &World<OnDisk>, lane: LaneId, after: i64) -> (Vec<i64>, i64) {
    let page = world.store.read_lane(world.bot, lane, at(after), WHOLE).await.expect("a page");
    (seqs(&page.events), page.head.get())
}

/// A route that keeps up, at the end of a journal of three.
async fn keeping_up() -> (World<OnDisk>, LaneId) {
    let world = World::<OnDisk>::new().await;
    let lane = world.route("route").await.id;
    world.append_messages(1, 3).await;
    assert_eq!(read(&world, lane, 0).await, (vec![1, 2, 3], 3));
    (world, lane)
}

/// Whether a read is answered from memory.
async fn is_in_memory(world: &World<OnDisk>, lane: LaneId, after: i64) -> bool {
    let before = world.store.stats().await.expect("figures").lane_reads;
    read(world, lane, after).await;
    let reads = world.store.stats().await.expect("figures").lane_reads;
    assert_eq!(reads.all, before.all + 1);
    reads.in_memory > before.in_memory
}

#[tokio::test]
async fn a_lane_that_keeps_up_is_answered_from_memory() {
    let (world, lane) = keeping_up().await;
    for seq in 4..20 {
        world.append_messages(1, 1).await;
        assert!(is_in_memory(&world, lane, seq - 1).await);
        assert_eq!(read(&world, lane, seq - 1).await, (vec![seq], seq));
    }
}

#[tokio::test]
async fn a_lane_begins_anew_after_a_change_of_its_filter_and_after_reopening() {
    let (mut world, lane) = keeping_up().await;
    let everything = Filter { kinds: EventKinds::ALL, ..Filter::UPDATES };
    world.append(vec![sent(1, "not wanted yet")]).await.unwrap();
    world.store.set_filter(world.lease, world.bot, lane, everything).await.unwrap();
    world.append(vec![sent(1, "wanted")]).await.unwrap();
    assert!(!is_in_memory(&world, lane, 3).await, "the filter is asked of the store");
    assert_eq!(read(&world, lane, 3).await, (vec![5], 5), "4 was not wanted when it was appended");
    assert!(is_in_memory(&world, lane, 4).await);

    world.reopen().await;
    assert!(!is_in_memory(&world, lane, 4).await);
    assert_eq!(read(&world, lane, 0).await, (vec![1, 2, 3, 5], 5));
}

#[tokio::test]
async fn what_was_not_committed_is_not_there() {
    let (mut world, lane) = keeping_up().await;
    let disk = Arc::clone(&world.engine.0);
    disk.leave_free(Some(100_000));
    let large = message(1, &"x".repeat(300_000));
    world.append(vec![large]).await.unwrap_err();
    disk.leave_free(None);
    assert_eq!(read(&world, lane, 3).await, (vec![], 3), "it did not fit on the disk");

    disk.fail_syncs(1);
    let error = world.append(vec![message(1, "in the failing commit")]).await.unwrap_err();
    assert!(matches!(error, WriteError::Unavailable(_)), "{error:?}");
    assert_eq!(read(&world, lane, 0).await, (vec![1, 2, 3], 3), "nobody knows whether it is stored");
    assert_eq!(read(&world, lane, 3).await, (vec![], 3));

    world.reopen().await;
    let (_, head) = read(&world, lane, 0).await;
    world.append(vec![message(1, "after reopening")]).await.unwrap();
    assert_eq!(read(&world, lane, head).await, (vec![head + 1], head + 1));
}

#[tokio::test]
async fn a_closed_store_has_nothing_in_memory() {
    let (world, lane) = keeping_up().await;
    world.append_messages(1, 1).await;
    world.store.close().await;
    let page = world.store.read_lane(world.bot, lane, at(3), WHOLE).await;
    assert!(matches!(page, Err(ReadError::Closed)), "{page:?}");
}

/// Follows a lane to `end` in small pages, as a lane does that keeps up.
async fn follow(store: Arc<dyn Store>, bot: tandem_model::BotId, lane: LaneId, end: Seq) -> Vec<Event> {
    let (mut events, mut after) = (Vec::new(), Seq::ZERO);
    while after < end {
        let page = Page { events: 3, bytes: 1000 };
        let page: LanePage = store.read_lane(bot, lane, after, page).await.expect("a page");
        assert!(page.scanned_to >= after, "never backwards");
        events.extend(page.events);
        after = page.scanned_to;
        tokio::task::yield_now().await;
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn those_who_read_beside_writers_see_what_the_rows_say_afterwards() {
    const ROUNDS: i64 = 150;
    let mut world = World::<OnDisk>::new().await;
    let kinds = [EventKinds::ALL, EventKinds::of(&[EventKind::Update]), EventKinds::of(&[EventKind::Sent])];
    let mut lanes = Vec::new();
    for name in 0..3 {
        let new = NewLane {
            name: name.to_string(),
            kind: LaneKind::Route,
            start: Start::Beginning,
            filter: Filter::UPDATES,
        };
        lanes.push(world.store.create_lane(world.lease, world.bot, new).await.unwrap().id);
    }
    let mut readers = JoinSet::new();
    for lane in lanes.repeat(2) {
        let store = Arc::clone(&world.store);
        let bot = world.bot;
        readers.spawn(async move { (lane, follow(store, bot, lane, at(2 * ROUNDS)).await) });
    }
    let writer = async {
        for round in 0..ROUNDS {
            world.append(vec![message(1, "update"), sent(1, "sent")]).await.unwrap();
            if round % 5 == 0 {
                let turn = usize::try_from(round / 5).unwrap();
                let filter = Filter { kinds: kinds[turn % 3], ..Filter::UPDATES };
                let lane = lanes[turn / 3 % 3];
                world.store.set_filter(world.lease, world.bot, lane, filter).await.unwrap();
            }
        }
    };
    writer.await;
    let seen = readers.join_all().await;
    let in_memory = world.store.stats().await.unwrap().lane_reads.in_memory;
    assert!(in_memory > 0, "some were answered from memory");
    world.reopen().await;
    for (lane, events) in seen {
        assert_eq!(events, world.read_all(lane, Seq::ZERO).await, "lane {lane}");
    }
}
