//! The whole lane stands still: the destination is down, refuses, or too much is held.

use std::time::Duration;

use tandem_lanes::{Config, PushSpec};
use tandem_model::{Blame, PauseReason};

use crate::support::{
    Service,
    desk::{fails, refuses},
    until, until_async,
};

#[tokio::test]
async fn a_destination_that_is_down_is_probed_with_one_event_and_nothing_is_held() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.everything(fails(Blame::Destination));
    for customer in 0..50 {
        t.says(customer, "hi").await;
    }
    t.run_due().await;
    assert_eq!(t.paused(lane).await, Some(PauseReason::Down));
    let begun = crm.attempts().len();
    assert!(begun <= 9, "those in flight and the first probe: {begun}");
    for _ in 0..300 {
        t.later(Duration::from_secs(1)).await;
    }
    let probes = crm.attempts().len() - begun;
    assert!((6..12).contains(&probes), "one event by the ladder: {probes}");
    assert!(t.held(lane).await.is_empty());
    assert_eq!(t.state(lane).await.acked.get(), 0, "the cursor is kept");
    crm.is_well();
    t.later(Duration::from_mins(2)).await;
    assert_eq!(t.paused(lane).await, None);
    assert_eq!(crm.received().len(), 50);
    assert_eq!(t.state(lane).await.acked.get(), 50);
}

#[tokio::test]
async fn a_lane_that_is_down_stays_so_over_a_restart_and_probes_when_its_time_comes() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.everything(fails(Blame::Destination));
    t.says(1, "hi").await;
    t.run_due().await;
    t.later(Duration::from_secs(2)).await;
    let tried = crm.attempts().len();
    t.restart().await;
    t.run_due().await;
    assert_eq!(crm.attempts().len(), tried);
    crm.is_well();
    t.later(Duration::from_secs(4)).await;
    assert_eq!(crm.received(), ["1:hi"]);
    assert_eq!(t.paused(lane).await, None);
}

#[tokio::test]
async fn a_clock_that_was_wrong_before_a_restart_puts_off_neither_a_probe_nor_a_retry() {
    let mut t = Service::start().await;
    let (down, crm) = t.desk("crm", PushSpec::route()).await;
    let (retrying, shop) = t.desk("shop", PushSpec::route()).await;
    t.clock.advance(Duration::from_hours(5));
    crm.everything(fails(Blame::Destination));
    shop.everything(fails(Blame::Unclear));
    t.says(1, "hi").await;
    t.run_due().await;
    t.later(Duration::from_secs(3)).await;
    assert_eq!(t.paused(down).await, Some(PauseReason::Down));
    assert_eq!(t.held(retrying).await.len(), 1);

    let (slow, desk) = t.desk("slow", PushSpec::route()).await;
    desk.hang("1:hi");
    t.run();
    until("it is under way", || desk.attempts().len() == 1).await;
    t.clock.advance(Duration::from_secs(2));
    until_async("it is held", || async { t.held(slow).await.len() == 1 }).await;
    t.kill().await;

    t.clock.put_back(Duration::from_hours(5));
    crm.is_well();
    shop.is_well();
    desk.let_go();
    t.restart().await;
    t.run_due().await;
    t.later(Duration::from_secs(10)).await;
    assert_eq!(crm.received(), ["1:hi"]);
    assert_eq!(shop.received(), ["1:hi"]);
    assert_eq!(desk.received(), ["1:hi"]);
}

#[tokio::test]
async fn unclear_failures_everywhere_pause_the_lane_and_one_conversation_alone_does_not() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.always("1:poison", fails(Blame::Unclear));
    t.says(1, "poison").await;
    t.says(1, "behind").await;
    t.run_due().await;
    for _ in 0..10 {
        t.later(Duration::from_mins(2)).await;
    }
    assert_eq!(t.paused(lane).await, None, "one conversation says nothing about the destination");
    crm.everything(fails(Blame::Unclear));
    for customer in 10..30 {
        t.says(customer, "hi").await;
    }
    t.run_due().await;
    assert_eq!(t.paused(lane).await, Some(PauseReason::Down));
    assert!(
        t.held(lane).await.len() <= 1 + 2 + 1,
        "only what failed before it was clear: {:?}",
        t.held(lane).await
    );
    crm.is_well();
    for _ in 0..5 {
        t.later(Duration::from_mins(2)).await;
    }
    assert_eq!(crm.received().len(), 22);
    assert!(t.held(lane).await.is_empty());
}

#[tokio::test]
async fn a_few_poisonous_events_cannot_keep_a_lane_down() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    for customer in 1..=6 {
        crm.always(&format!("{customer}:poison"), fails(Blame::Unclear));
        t.says(customer, "poison").await;
    }
    for customer in 10..40 {
        t.says(customer, "hi").await;
    }
    t.run_due().await;
    for _ in 0..20 {
        t.later(Duration::from_mins(2)).await;
    }
    assert_eq!(crm.received().len(), 30, "everybody else is served");
    t.says(99, "and me?").await;
    t.later(Duration::from_secs(2)).await;
    assert_eq!(crm.received().len(), 31, "also who comes later, and not by the ladder");
    t.run_due().await;
    assert_eq!(t.held(lane).await.len(), 6);
    crm.is_well();
    t.later(Duration::from_mins(2)).await;
    assert_eq!(crm.received().len(), 37);
    assert_eq!(t.paused(lane).await, None);
}

#[tokio::test]
async fn refused_credentials_stop_the_lane_until_somebody_acts() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    let (_, other) = t.desk("other", PushSpec::route()).await;
    crm.everything(refuses());
    t.says(1, "hi").await;
    t.says(2, "hi").await;
    t.run_due().await;
    assert_eq!(t.paused(lane).await, Some(PauseReason::Refused));
    let tried = crm.attempts().len();
    t.later(Duration::from_hours(20)).await;
    t.restart().await;
    t.later(Duration::from_hours(20)).await;
    assert_eq!(crm.attempts().len(), tried, "nothing is tried by itself");
    assert_eq!(other.received().len(), 2, "another lane is not concerned");
    assert!(t.held(lane).await.is_empty());
    crm.is_well();
    t.run();
    t.lanes.resume(lane).await.unwrap();
    t.stop().await;
    t.run_due().await;
    assert_eq!(crm.received().len(), 2);
    assert_eq!(t.paused(lane).await, None);
}

#[tokio::test]
async fn a_lane_that_holds_too_many_conversations_reads_on_when_there_is_room() {
    let mut t = Service::start_with(Config { max_held: 10, ..Config::default() }).await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.everything(fails(Blame::Event));
    for customer in 0..40 {
        t.says(customer, "hi").await;
    }
    t.run_due().await;
    assert_eq!(t.paused(lane).await, Some(PauseReason::Crowded));
    let held = t.held(lane).await.len();
    assert!((10..=10 + 8).contains(&held), "bounded but for what was in flight: {held}");
    crm.is_well();
    for _ in 0..5 {
        t.later(Duration::from_mins(2)).await;
    }
    assert_eq!(crm.received().len(), 40);
    assert_eq!(t.paused(lane).await, None);
    assert!(t.held(lane).await.is_empty());
}
