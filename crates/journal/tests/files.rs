//! The SQLite engine and its files: the lock, versions, the watermarks, bounds of what waits, backups.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tandem_journal::{
    Append, Events, Health, Leases, NewInboxEntry, Shard, Store, Urgency, WriteError,
    conformance::{
        Engine, ManualClock, World,
        world::{WHOLE, bot, lease, message, seqs},
    },
    sqlite::{DiskSpace, OpenError, Options, SqliteStore, Waiting, Watermarks},
};
use tandem_model::{Clock, NewEvent, Seq};
use tempfile::TempDir;

#[derive(Debug, Default)]
struct Space(AtomicU64);

impl DiskSpace for Space {
    fn free_bytes(&self, _directory: &Path) -> Option<u64> {
        Some(self.0.load(Ordering::SeqCst))
    }
}

struct Place {
    directory: TempDir,
    space: Arc<Space>,
    waiting: Waiting,
}

impl Place {
    fn options(&self) -> Options {
        Options {
            watermarks: Watermarks { low_bytes: 1000, last_bytes: 100, reserve_bytes: 5000 },
            disk_space: Arc::clone(&self.space) as Arc<dyn DiskSpace>,
            waiting_per_bot: self.waiting,
            ..Options::new(self.directory.path().join("tandem.db"))
        }
    }

    fn has_reserve(&self) -> bool {
        self.directory.path().join("tandem.db.reserve").metadata().is_ok_and(|file| file.len() == 5000)
    }
}

impl Engine for Place {
    async fn prepare() -> Self {
        let space = Arc::new(Space(1_000_000.into()));
        Self { directory: tandem_testkit::folder(), space, waiting: Waiting::default() }
    }

    async fn open(&self, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(self.options(), clock).await.expect("an open store"))
    }
}

async fn refused(options: Options) -> OpenError {
    SqliteStore::open(options, ManualClock::new()).await.expect_err("a database that is not opened")
}

#[tokio::test]
async fn a_second_opener_meets_a_clear_sentence() {
    let world = World::<Place>::new().await;
    let error = refused(world.engine.options()).await;
    let us = std::process::id();
    assert!(matches!(error, OpenError::Locked { process: Some(process), .. } if process == us), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("in use by another process") && text.contains("stop it first"), "{text}");
    world.append(vec![message(1, "the first goes on")]).await.unwrap();
    world.store.close().await;
    world.engine.open(ManualClock::new()).await.close().await;
}

#[tokio::test]
async fn a_database_that_another_program_has_locked_is_said_to_be_in_use() {
    let world = World::<Place>::new().await;
    world.store.close().await;
    let path = world.engine.options().path;
    let other = rusqlite::Connection::open(path).unwrap();
    other
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; DELETE FROM leases; COMMIT")
        .unwrap();
    let error = refused(world.engine.options()).await;
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
}

#[tokio::test]
async fn dropping_a_store_lets_go_of_it() {
    let place = Place::prepare().await;
    for _ in 0..3 {
        let store = SqliteStore::open(place.options(), ManualClock::new()).await.unwrap();
        let lease = lease(&store, bot(1)).await;
        store
            .append(lease, bot(1), Append { events: vec![message(1, "x")], ..Append::default() })
            .await
            .unwrap();
        drop(store);
    }
    let store = SqliteStore::open(place.options(), ManualClock::new()).await.unwrap();
    assert_eq!(store.head(bot(1)).await.unwrap().last.get(), 3);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_alone() {
    let world = World::<Place>::new().await;
    world.store.close().await;
    let path = world.engine.options().path;
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = refused(world.engine.options()).await;
    assert!(matches!(error, OpenError::Newer { found: 99, known: 2, .. }), "{error:?}");
    assert!(error.to_string().contains("newer version"), "{error}");
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_left_alone() {
    let place = Place::prepare().await;
    let path = place.options().path;
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(matches!(refused(place.options()).await, OpenError::Foreign { .. }));
    std::fs::write(
        &path,
        "#!/bin/sh\necho no database at all, but long enough to have a header\n".repeat(99),
    )
    .unwrap();
    assert!(matches!(refused(place.options()).await, OpenError::Corrupt { .. }));
    let nowhere = Options::new(place.directory.path().join("missing/tandem.db"));
    let error = refused(nowhere).await;
    assert!(matches!(error, OpenError::Failed { .. }), "{error:?}");
    assert!(error.to_string().contains("directory exists"), "{error}");
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_said_to_be() {
    // Root passes over permissions, but nobody makes files there.
    let error = refused(Options::new("/proc/self/tandem.db")).await;
    assert!(matches!(error, OpenError::ReadOnly { .. } | OpenError::Failed { .. }), "{error:?}");
    let error = refused(Options::new("/sys/kernel/tandem.db")).await;
    assert!(matches!(error, OpenError::ReadOnly { .. }), "{error:?}");
}

#[tokio::test]
async fn below_the_low_watermark_only_what_must_be_kept_is_taken() {
    let world = World::<Place>::new().await;
    assert!(world.engine.has_reserve());
    world.engine.space.0.store(999, Ordering::SeqCst);
    let error = world.append(vec![message(1, "Telegram keeps it")]).await.unwrap_err();
    assert!(matches!(error, WriteError::LowDisk), "{error:?}");
    let must = Append {
        events: vec![message(1, "comes only once")],
        urgency: Urgency::MustKeep,
        ..Append::default()
    };
    world.store.append(world.lease, world.bot, must.clone()).await.unwrap();
    let entry = NewInboxEntry { bot: world.bot, source: "hook".to_owned(), body: "{}".into() };
    world.store.put_inbox(vec![entry]).await.unwrap();
    assert_eq!(*world.store.health().borrow(), Health::LowDisk);
    assert!(world.engine.has_reserve(), "the reserve is for the end");

    world.engine.space.0.store(99, Ordering::SeqCst);
    world.store.append(world.lease, world.bot, must).await.unwrap();
    assert!(!world.engine.has_reserve());

    world.engine.space.0.store(1_000_000, Ordering::SeqCst);
    let mut health = world.store.health();
    let good = health.wait_for(|health| *health == Health::Good);
    tokio::time::timeout(Duration::from_secs(20), good)
        .await
        .expect("it is noticed without a write")
        .unwrap();
    assert!(world.engine.has_reserve(), "laid down anew");
    world.append(vec![message(1, "taken again")]).await.unwrap();
    assert_eq!(world.store.head(world.bot).await.unwrap().last.get(), 3);
}

#[tokio::test]
async fn a_bot_in_a_loop_is_crowded_and_others_are_not() {
    let waiting = Waiting { writes: 20, bytes: 1 << 20 };
    let world = World::on(Place { waiting, ..Place::prepare().await }).await;
    let other = bot(2);
    let other_lease = lease(&*world.store, other).await;
    let mut tasks = Vec::new();
    for n in 0..2000 {
        let (store, lease, bot) = (Arc::clone(&world.store), world.lease, world.bot);
        tasks.push(async move {
            let events = vec![message(1, &n.to_string()); 20];
            store.append(lease, bot, Append { events, ..Append::default() }).await
        });
    }
    let all = futures_join(tasks);
    let quiet = Append { events: vec![message(1, "quiet")], ..Append::default() };
    let quiet = world.store.append(other_lease, other, quiet);
    // The loop's appends are all asked for before the quiet bot's.
    let (results, quiet) = tokio::join!(all, quiet);
    quiet.expect("another bot's append");
    let taken = results.iter().filter(|result| result.is_ok()).count();
    let crowded =
        results.iter().filter(|result| matches!(result, Err(WriteError::Crowded { waiting: 20 }))).count();
    assert_eq!(taken + crowded, 2000);
    assert!(taken >= 20 && crowded > 0, "{taken} taken, {crowded} refused");
    let last = world.store.head(world.bot).await.unwrap().last.get();
    assert_eq!(last, i64::try_from(taken).unwrap() * 20, "what was refused is not there");
}

/// Polls all of them in order, as many callers at once would.
async fn futures_join<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (future, output) in &mut futures {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn too_many_bytes_of_one_bot_are_crowded_too_but_one_is_always_taken() {
    let waiting = Waiting { writes: 1000, bytes: 1000 };
    let world = World::on(Place { waiting, ..Place::prepare().await }).await;
    let large = NewEvent { body: vec![b'x'; 5000].into(), ..message(1, "") };
    world.append(vec![large]).await.expect("one, whatever its size");
}

#[tokio::test]
async fn a_backup_is_a_database_with_everything_in_it() {
    let world = World::<Place>::new().await;
    world.append_messages(1, 100).await;
    let to = world.engine.directory.path().join("backup.db");
    world.store.backup(to.clone()).await.unwrap();
    world.append_messages(1, 1).await;
    let again = world.store.backup(to.clone()).await;
    assert!(matches!(again, Err(WriteError::Unavailable(_))), "a backup is never written over: {again:?}");
    let store = SqliteStore::open(Options::new(to), ManualClock::new()).await.unwrap();
    let page = store.read_journal(world.bot, Seq::ZERO, WHOLE).await.unwrap();
    assert_eq!(seqs(&page.events), (1..=100).collect::<Vec<_>>());
    assert!(store.acquire(Shard::all().collect(), "new".to_owned(), Duration::from_secs(1)).await.is_ok());
    let nowhere = world.engine.directory.path().join("missing/backup.db");
    assert!(world.store.backup(nowhere).await.is_err());
}
