//! What the SQLite engine says and does when its disk fails: each a typed error, nothing acknowledged that is not
//! there. The disk is `tandem-crashfs`'s.

use std::sync::Arc;

use tandem_crashfs::{Access, Disk};
use tandem_journal::{
    Health, LaneError, SettingsError, Settlement, Store, WriteError,
    conformance::{
        Engine, World,
        world::{WHOLE, at, message, seqs},
    },
    sqlite::{OpenError, Options, SqliteStore},
};
use tandem_model::{Clock, NewEvent, Seq};

const FILE: &str = "/data/tandem.db";

struct OnDisk(Arc<Disk>);

impl OnDisk {
    async fn try_open(&self, clock: Arc<dyn Clock>) -> Result<SqliteStore, OpenError> {
        let options = Options { vfs: Some(self.0.vfs().to_owned()), ..Options::new(FILE) };
        SqliteStore::open(options, clock).await
    }
}

impl Engine for OnDisk {
    async fn prepare() -> Self {
        Self(Arc::new(Disk::new(1)))
    }

    async fn open(&self, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        Arc::new(self.try_open(clock).await.expect("an open store"))
    }
}

async fn journal(world: &World<OnDisk>) -> Vec<i64> {
    let page = world.store.read_journal(world.bot, Seq::ZERO, WHOLE).await;
    seqs(&page.expect("a readable journal").events)
}

fn large() -> NewEvent {
    NewEvent { body: vec![b'x'; 300_000].into(), ..message(1, "") }
}

#[tokio::test]
async fn a_full_disk_refuses_and_takes_again_once_there_is_space() {
    let mut world = World::<OnDisk>::new().await;
    let disk = Arc::clone(&world.engine.0);
    world.append(vec![message(1, "before")]).await.unwrap();
    disk.leave_free(Some(100_000));
    let error = world.append(vec![large()]).await.unwrap_err();
    assert!(matches!(error, WriteError::Full), "{error:?}");
    assert!(error.to_string().contains("free"), "says what to do: {error}");
    assert_eq!(*world.store.health().borrow(), Health::Full);
    assert_eq!(journal(&world).await, [1], "what is there can be read");

    disk.leave_free(None);
    let appended = world.append(vec![large()]).await.unwrap();
    assert_eq!(appended[0].seq(), at(2), "the refused one has taken no number");
    assert_eq!(*world.store.health().borrow(), Health::Good);
    world.reopen().await;
    assert_eq!(journal(&world).await, [1, 2]);
    assert!(world.store.check().await.unwrap().is_empty());
}

#[tokio::test]
async fn after_one_failed_fsync_nothing_is_claimed_until_the_store_is_opened_again() {
    let mut world = World::<OnDisk>::new().await;
    let disk = Arc::clone(&world.engine.0);
    world.append(vec![message(1, "before")]).await.unwrap();
    disk.fail_syncs(1);
    let error = world.append(vec![message(1, "in the failing commit")]).await.unwrap_err();
    assert!(matches!(error, WriteError::Unavailable(_)), "{error:?}");
    let health = world.store.health().borrow().clone();
    assert!(matches!(health, Health::Failed { .. }), "{health:?}");
    for _ in 0..3 {
        // The disk would say "all is well" to every further fsync.
        let error = world.append(vec![message(1, "after")]).await.unwrap_err();
        assert!(matches!(error, WriteError::Unavailable(_)), "{error:?}");
    }
    assert_eq!(journal(&world).await, [1], "what was acknowledged can be read");

    world.reopen().await;
    assert_eq!(*world.store.health().borrow(), Health::Good);
    let there = journal(&world).await;
    assert!(there == [1] || there == [1, 2], "the failed one may be there: {there:?}");
    let appended = world.append(vec![message(1, "after reopening")]).await.unwrap();
    let expected: Vec<_> = (1..=appended[0].seq().get()).collect();
    world.store.close().await;
    disk.crash();
    disk.reboot();
    world.reopen().await;
    assert_eq!(journal(&world).await, expected, "what was acknowledged after it survives a power cut");
}

#[tokio::test]
async fn a_disk_that_became_read_only_refuses_writes_and_says_so() {
    let world = World::<OnDisk>::new().await;
    let disk = Arc::clone(&world.engine.0);
    let lane = world.route("route").await;
    world.append(vec![message(1, "before")]).await.unwrap();
    disk.set_access(Access::ReadOnly);
    let refused = |error: &WriteError| {
        matches!(error, WriteError::ReadOnly | WriteError::Unavailable(_)) && !error.to_string().is_empty()
    };
    let error = world.append(vec![message(1, "refused")]).await.unwrap_err();
    assert!(refused(&error), "{error:?}");
    let settled = world.store.settle(world.lease, world.bot, lane.id, Settlement::default()).await;
    assert!(
        settled.is_ok() || matches!(&settled, Err(LaneError::Write(error)) if refused(error)),
        "{settled:?}"
    );
    let changed = world.store.change_settings(None, Vec::new()).await;
    assert!(matches!(&changed, Err(SettingsError::Write(error)) if refused(error)), "{changed:?}");
    assert_eq!(journal(&world).await, [1]);
}

#[tokio::test]
async fn a_database_on_a_read_only_disk_is_not_opened() {
    let world = World::<OnDisk>::new().await;
    world.append(vec![message(1, "before")]).await.unwrap();
    world.store.close().await;
    world.engine.0.set_access(Access::ReadOnly);
    let clock = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let error = world.engine.try_open(clock).await.unwrap_err();
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().contains("right to write"), "says what to do: {error}");
}

#[tokio::test]
async fn a_database_on_a_full_disk_is_not_made() {
    let disk = OnDisk::prepare().await;
    disk.0.leave_free(Some(10_000));
    let clock = tandem_journal::conformance::ManualClock::new();
    let error = disk.try_open(clock).await.unwrap_err();
    assert!(matches!(error, OpenError::Full { .. }), "{error:?}");
}

#[tokio::test]
async fn a_failing_read_is_an_error_and_not_an_empty_page() {
    let mut world = World::<OnDisk>::new().await;
    let lane = world.route("route").await;
    world.append(vec![large(), large()]).await.unwrap();
    world.reopen().await;
    let disk = Arc::clone(&world.engine.0);
    disk.fail_reads(1);
    let page = world.store.read_lane(world.bot, lane.id, Seq::ZERO, WHOLE).await;
    assert!(page.is_err(), "{page:?}");
    disk.fail_reads(0);
    assert_eq!(seqs(&world.read_all(lane.id, Seq::ZERO).await), [1, 2]);
}
