//! Stopping, and a store that does not take anything.

use std::time::Duration;

use tandem_crashfs::{Access, Disk};
use tandem_journal::Health;
use tandem_lanes::{PushSpec, Repeats};

use crate::support::{Service, until};

#[tokio::test]
async fn a_service_that_is_stopped_finishes_what_is_under_way_and_notes_it() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec { max_in_flight: 1, ..PushSpec::route() }).await;
    crm.hang("1:slow");
    t.run();
    t.says(1, "slow").await;
    t.says(1, "next").await;
    t.says(2, "hi").await;
    until("it is under way", || crm.attempts().len() == 1).await;
    let desk = std::sync::Arc::clone(&crm);
    let lets_go = tokio::spawn(async move {
        tokio::task::yield_now().await;
        desk.let_go();
    });
    t.stop().await;
    lets_go.await.unwrap();
    assert_eq!(crm.received()[0], "1:slow");
    let done = crm.received().len();
    t.restart().await;
    assert!(t.held(lane).await.is_empty());
    t.run_due().await;
    assert_eq!(crm.received().len(), 3, "{done} before, the rest after, none twice");
}

#[tokio::test]
async fn a_store_that_is_closed_loses_nothing_of_what_it_had_noted() {
    let mut t = Service::start().await;
    let (_, crm) = t.desk("crm", PushSpec::route()).await;
    t.says(1, "a").await;
    t.run_due().await;
    t.says(1, "b").await;
    t.store.close().await;
    t.run_due().await;
    assert_eq!(crm.received(), ["1:a"]);
    t.restart().await;
    t.run_due().await;
    assert_eq!(crm.received(), ["1:a", "1:b"]);
}

/// A route and a destination that does not recognise repeats, with one message noted and twenty that are not when
/// the disk stops taking writes.
async fn while_nothing_can_be_written(stop: impl FnOnce(&Disk), go_on: impl AsyncFnOnce(&mut Service)) {
    let mut t = Service::start_on(Disk::new(1)).await;
    let (crm_lane, crm) = t.desk("crm", PushSpec::route()).await;
    let telegram = PushSpec { repeats: Repeats::Unrecognised, ..PushSpec::route() };
    let (telegram_lane, client) = t.desk("telegram", telegram).await;
    t.says(1, "before").await;
    t.run_due().await;
    for customer in 0..20 {
        t.says(customer, "hi").await;
    }
    stop(t.disk());
    for _ in 0..5 {
        t.later(Duration::from_secs(1)).await;
    }
    assert_eq!(client.received(), ["1:before"], "nothing that could not be noted");
    let before = crm.received().len();
    go_on(&mut t).await;
    t.later(Duration::from_secs(1)).await;
    assert_eq!(client.received().len(), 21, "each once");
    assert!(
        crm.received().len() - 21 <= before,
        "what was delivered and not noted may come again, nothing else"
    );
    for lane in [crm_lane, telegram_lane] {
        assert_eq!(t.state(lane).await.acked.get(), 21);
        assert!(t.held(lane).await.is_empty());
    }
}

#[tokio::test]
async fn a_full_disk_makes_lanes_wait_until_there_is_space() {
    let stop = |disk: &Disk| disk.leave_free(Some(0));
    while_nothing_can_be_written(stop, async |t| {
        t.disk().leave_free(None);
        let mut health = t.store.health();
        let good = health.wait_for(|health| *health == Health::Good);
        tokio::time::timeout(Duration::from_secs(20), good).await.expect("it looks again").unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_store_that_has_failed_makes_lanes_wait_until_it_is_opened_again() {
    let stop = |disk: &Disk| disk.set_access(Access::ReadOnly);
    while_nothing_can_be_written(stop, async |t| {
        t.disk().set_access(Access::ReadWrite);
        t.restart().await;
    })
    .await;
}

#[tokio::test]
async fn a_power_failure_loses_no_event_and_repeats_none_blindly() {
    for seed in 0..20 {
        let mut t = Service::start_on(Disk::new(seed)).await;
        let spec = PushSpec { repeats: Repeats::Unrecognised, run_events: 2, ..PushSpec::route() };
        let (lane, client) = t.desk("telegram", spec).await;
        for n in 0..30 {
            t.says(n % 5, &format!("{n}")).await;
        }
        t.disk().crash_after(3 + seed * 2);
        for _ in 0..3 {
            t.later(Duration::from_secs(1)).await;
        }
        t.disk().reboot();
        t.restart().await;
        t.run_due().await;
        let mut received = client.received();
        let unknown = t.held(lane).await.len();
        received.sort();
        let taken = received.len();
        received.dedup();
        assert_eq!(received.len(), taken, "seed {seed}: none twice");
        assert!(taken + unknown >= 30, "seed {seed}: {taken} taken, {unknown} unknown");
        assert!(unknown <= 8 * 2, "seed {seed}: unknown is at most what was in flight: {unknown}");
        assert_eq!(t.state(lane).await.acked.get(), 30, "seed {seed}");
    }
}
