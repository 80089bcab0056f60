//! Bits that the disk has turned over are said, never silently wrong.
//!
//! `TANDEM_FLIP_SEED=<seed>` replays one flip, `TANDEM_FLIPS=<count>` makes more of them.

mod support;

use std::{sync::Arc, time::Duration};

use tandem_crashfs::{Disk, Image};
use tandem_journal::{
    Append, Events, Health, ReadError, Store, Upkeep,
    conformance::{
        ManualClock,
        world::{bot, lease, message},
    },
    sqlite::{OpenError, Options, SqliteStore},
};
use tandem_model::{Rng, SeededRng};

const FILE: &str = "/data/tandem.db";

/// A closed, sound database.
async fn sound() -> (Image, Vec<String>) {
    let disk = Disk::new(0);
    let clock = ManualClock::new();
    let store = SqliteStore::open(options(&disk), Arc::clone(&clock) as _).await.expect("an open store");
    support::fill(&store, &clock).await;
    store.close().await;
    let store = SqliteStore::open(options(&disk), clock).await.expect("an open store");
    let expected = support::read(&store).await;
    let expected =
        expected.into_iter().map(|(what, read)| read.unwrap_or_else(|error| panic!("{what}: {error}")));
    let expected = expected.collect();
    store.close().await;
    (disk.image(), expected)
}

fn options(disk: &Disk) -> Options {
    Options { vfs: Some(disk.vfs().to_owned()), ..Options::new(FILE) }
}

#[expect(clippy::disallowed_methods, reason = "how a person asks a test for more")]
fn seeds(default: u64) -> Vec<u64> {
    let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    match number("TANDEM_FLIP_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("TANDEM_FLIPS").unwrap_or(default)).collect(),
    }
}

/// Turns over one bit, or a few near each other.
fn damage(disk: &Disk, image: &Image, seed: u64) {
    let rng = SeededRng::from_seed(seed);
    let size = image.file(FILE).expect("the file").len() as u64;
    let start = rng.below(size);
    for _ in 0..=rng.below(4) {
        let byte = (start + rng.below(16)).min(size - 1);
        let bit = u8::try_from(rng.below(8)).expect("below eight");
        disk.flip_bit(FILE, usize::try_from(byte).expect("a small file"), bit);
    }
}

/// What was read and is neither right nor said to be damaged.
async fn silently_wrong(store: &dyn Store, expected: &[String]) -> (Vec<String>, usize) {
    let mut wrong = Vec::new();
    let mut said = 0;
    for ((what, read), expected) in support::read(store).await.into_iter().zip(expected) {
        match read {
            Ok(value) if value == *expected => {}
            Ok(value) => wrong.push(format!("{what}: {value}\ninstead of {expected}")),
            Err(ReadError::Corrupt { .. }) => said += 1,
            Err(error) => wrong.push(format!("{what}: {error:?}")),
        }
    }
    (wrong, said)
}

#[tokio::test]
async fn a_flip_in_a_closed_file_is_said_when_it_is_opened_or_read() {
    let (image, expected) = sound().await;
    let (mut at_opening, mut at_reading, mut nowhere) = (0, 0, 0);
    for seed in seeds(300) {
        let disk = Disk::with_image(seed, &image);
        damage(&disk, &image, seed);
        match SqliteStore::open(options(&disk), ManualClock::new()).await {
            Ok(store) => {
                let (wrong, said) = silently_wrong(&store, &expected).await;
                assert!(wrong.is_empty(), "seed {seed}: {}", wrong.join("\n"));
                if said > 0 { at_reading += 1 } else { nowhere += 1 }
            }
            Err(OpenError::Corrupt { .. } | OpenError::Foreign { .. } | OpenError::Newer { .. }) => {
                at_opening += 1;
            }
            Err(error) => panic!("seed {seed}: {error:?}"),
        }
    }
    println!("{at_opening} said at opening, {at_reading} at reading, {nowhere} hit nothing that is read");
    assert!(at_opening > 0 && at_reading > 0);
}

#[tokio::test]
async fn a_flip_in_a_file_too_large_to_check_first_is_said_by_reading_or_by_the_check() {
    let (image, expected) = sound().await;
    let mut by_check = 0;
    for seed in seeds(150) {
        let disk = Disk::with_image(seed, &image);
        damage(&disk, &image, seed);
        let options = Options { check_before_open_bytes: 0, ..options(&disk) };
        let Ok(store) = SqliteStore::open(options, ManualClock::new()).await else { continue };
        let (wrong, _) = silently_wrong(&store, &expected).await;
        if !wrong.is_empty() {
            let mut health = store.health();
            let failed = health.wait_for(|health| matches!(health, Health::Failed { .. }));
            let said = tokio::time::timeout(Duration::from_secs(20), failed).await;
            assert!(said.is_ok(), "seed {seed}: {}", wrong.join("\n"));
            by_check += 1;
        }
    }
    println!("{by_check} wrong reads were said by the check alone");
}

#[tokio::test]
async fn a_flip_in_a_log_that_a_crash_left_behind_never_swallows_what_later_commits_stand_on() {
    let directory = tandem_testkit::folder();
    let place = |name: &str| directory.path().join(name);
    let clock = ManualClock::new();
    let store =
        SqliteStore::open(Options::new(place("live.db")), clock.clone() as _).await.expect("an open store");
    let bot = bot(1);
    let lease = lease(&store, bot).await;
    for n in 0..20 {
        let events = vec![message(n, "x"); 3];
        store.append(lease, bot, Append { events, ..Append::default() }).await.expect("an append");
    }
    // A crash: the files as they are while the store is open.
    let database = std::fs::read(place("live.db")).expect("the database");
    let log = std::fs::read(place("live.db-wal")).expect("its log");
    store.close().await;
    let rng = SeededRng::from_seed(1);
    let (mut said, mut torn) = (0, 0);
    for round in 0..120 {
        let mut log = log.clone();
        // Beyond the log's own header, of which damage cannot be told.
        let byte = 32 + rng.below(log.len() as u64 - 32);
        log[usize::try_from(byte).expect("a small file")] ^= 1 << rng.below(8);
        let path = place(&format!("{round}.db"));
        std::fs::write(&path, &database).expect("a copy");
        std::fs::write(place(&format!("{round}.db-wal")), &log).expect("a copy");
        match SqliteStore::open(Options::new(&path), clock.clone() as _).await {
            Err(OpenError::Corrupt { .. }) => said += 1,
            Err(error) => panic!("round {round}, byte {byte}: {error:?}"),
            Ok(store) => {
                let last = store.head(bot).await.expect("a head").last.get();
                assert!(last >= 57, "round {round}, byte {byte}: only {last} of 60 events are there");
                torn += i32::from(last < 60);
            }
        }
    }
    println!("{said} said, {torn} taken for a torn last commit");
    assert!(said > 60);
}
