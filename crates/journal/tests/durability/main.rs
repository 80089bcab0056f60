//! What the journal acknowledged is there after a crash, exactly as acknowledged: shown on a disk that forgets
//! unsynced writes ([`tandem_crashfs`]), by a crash at every step of a workload of every verb that writes.
//!
//! A reference run without a crash notes what the store holds after each verb. A run that crashes after `k`
//! acknowledged verbs must come back holding exactly what the reference held after `k`, or after `k + 1` when the
//! verb that was interrupted happened to be committed: nothing less, nothing more, nothing else.
//!
//! **Negative control**: the same without syncs must lose, or these tests prove nothing.
//!
//! A seed says at which step a run crashes and what the disk forgets then. Each failure prints its own;
//! `TANDEM_CRASH_SEED=<seed>` runs that one alone.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests fail and print as test bodies do"
)]

mod check;
mod concurrent;
mod dump;
mod run;
mod workload;

use tandem_journal::sqlite::Synchronous;

use crate::{
    check::{Found, Reference, Report},
    concurrent::Load,
};

/// Crashes in all: at least one at each step of the workload.
const CRASHES: u64 = 1200;
/// So many tests share them, for the machine's cores.
const PARTS: u64 = 4;

async fn crash(part: u64) -> Report {
    let reference = Reference::record().await;
    assert!(
        reference.steps() <= CRASHES,
        "the workload has grown to {} steps: more crashes are needed",
        reference.steps()
    );
    let mut report = Report::default();
    for seed in seeds((0..CRASHES).filter(|seed| seed % PARTS == part)) {
        let crash = reference.crash(seed, Synchronous::Full).await;
        assert!(!matches!(crash.found, Found::Loss(_)), "{crash}");
        report.count(&crash);
    }
    println!("{} steps; {report}", reference.steps());
    report
}

#[expect(clippy::disallowed_methods, reason = "a test has no settings but this one")]
fn seeds(all: impl Iterator<Item = u64>) -> Vec<u64> {
    match std::env::var("TANDEM_CRASH_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => all.collect(),
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_in_the_first_quarter_of_the_crashes() {
    crash(0).await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_in_the_second_quarter_of_the_crashes() {
    crash(1).await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_in_the_third_quarter_of_the_crashes() {
    crash(2).await;
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_in_the_last_quarter_of_the_crashes() {
    crash(3).await;
}

/// If this fails, the disk forgets nothing, or the engine does not do what it is told, and the tests above are
/// worth nothing.
#[tokio::test]
async fn without_syncs_the_same_crashes_lose_what_was_acknowledged() {
    let reference = Reference::record().await;
    let mut report = Report::default();
    for seed in seeds((0..CRASHES).step_by(6)) {
        report.count(&reference.crash(seed, Synchronous::Off).await);
    }
    println!("synchronous=OFF, {} steps; {report}", reference.steps());
    assert!(report.losses > report.crashes / 4, "{report}");
}

#[tokio::test]
async fn writers_that_share_commits_lose_nothing() {
    crash_concurrently(0..150, Load { body_bytes: 600, steps: (1, 1500) }).await;
}

/// Enough is written for the log to be copied into the database while more is written.
#[tokio::test]
async fn crashes_while_the_log_is_copied_lose_nothing() {
    crash_concurrently(0..50, Load { body_bytes: 200_000, steps: (7000, 14_000) }).await;
}

async fn crash_concurrently(all: std::ops::Range<u64>, load: Load) {
    let image = concurrent::prepare().await;
    let mut kept = 0;
    for seed in seeds(all) {
        match concurrent::crash(&image, seed, load).await {
            Ok(acknowledged) => kept += acknowledged,
            Err(error) => panic!("TANDEM_CRASH_SEED={seed}: {error:#}"),
        }
    }
    println!("{kept} acknowledgements, all kept");
    assert!(kept > 0);
}
