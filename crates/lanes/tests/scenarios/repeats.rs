//! Crashes: what is delivered again, what never is.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tandem_journal::Store;
use tandem_lanes::{Delivered, Destination, PushSpec, Repeats, Run};
use tandem_model::{Blame, Filter, HeldState};

use crate::support::{
    Service,
    desk::{fails, rejects},
    until, until_async,
};

fn telegram() -> PushSpec {
    PushSpec { repeats: Repeats::Unrecognised, ..PushSpec::route() }
}

/// Looks into the store while it is being delivered to.
struct Auditor(Arc<dyn Store>);

#[async_trait]
impl Destination for Auditor {
    async fn deliver(&self, run: &Run) -> Delivered {
        for event in &run.events {
            let row = self.0.find_held(run.lane.bot, run.lane.lane, event.seq).await.unwrap();
            assert_eq!(row.map(|row| row.state), Some(HeldState::Sending), "{} is not noted", event.seq);
        }
        Delivered::all(run)
    }
}

#[tokio::test]
async fn nothing_reaches_a_destination_that_cannot_tell_a_repeat_before_it_is_noted() {
    let mut t = Service::start().await;
    let lane = t.lane("telegram", tandem_journal::LaneKind::Route, Filter::UPDATES).await;
    let spec = PushSpec { run_events: 3, ..telegram() };
    t.lanes.attach(lane, spec, Arc::new(Auditor(Arc::clone(&t.store)))).unwrap();
    for n in 0..60 {
        t.says(n % 7, "hi").await;
    }
    t.run_due().await;
    assert_eq!(t.state(lane).await.acked.get(), 60);
    assert!(t.held(lane).await.is_empty(), "the auditor has found nothing to complain of");
}

#[tokio::test]
async fn an_attempt_that_a_crash_interrupted_is_unknown_and_its_conversation_goes_on() {
    let mut t = Service::start().await;
    let (lane, client) = t.desk("telegram", telegram()).await;
    client.hang("1:answer");
    t.run();
    let answer = t.says(1, "answer").await;
    t.says(1, "and more").await;
    t.says(2, "hi").await;
    until("it is under way", || client.attempts().len() == 2).await;
    until_async("the other one is noted", || async { t.held(lane).await.len() == 1 }).await;
    t.kill().await;
    client.let_go();
    client.forget();
    t.restart().await;
    t.run_due().await;
    assert_eq!(client.received(), ["1:and more"], "the answer is not sent again");
    let held = t.held(lane).await;
    assert_eq!((held.len(), held[0].seq, held[0].state), (1, answer, HeldState::Unknown));
    t.restart().await;
    t.later(Duration::from_hours(1)).await;
    assert_eq!(client.attempts().len(), 1);
}

#[tokio::test]
async fn what_was_in_flight_comes_again_where_a_repeat_is_recognised() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.hang("1:hello");
    t.run();
    t.says(1, "hello").await;
    t.says(1, "anybody?").await;
    let last = t.says(2, "hi").await;
    until("it is under way", || crm.received() == ["2:hi"]).await;
    t.kill().await;
    crm.let_go();
    t.restart().await;
    t.run_due().await;
    assert_eq!(crm.received_of(1), ["1:hello", "1:anybody?"]);
    assert_eq!(crm.received_of(2).len(), 2, "it was done, and its note was not committed");
    assert_eq!(t.state(lane).await.acked, last);
    t.restart().await;
    t.run_due().await;
    assert_eq!(crm.received().len(), 4, "what is noted does not come again");
}

#[tokio::test]
async fn a_known_failure_is_tried_again_even_where_repeats_are_not_recognised() {
    let mut t = Service::start().await;
    let (lane, client) = t.desk("telegram", telegram()).await;
    client.once("1:answer", fails(Blame::Event));
    client.once("1:answer", fails(Blame::Event));
    client.once("1:more", rejects());
    t.says(1, "answer").await;
    t.says(1, "more").await;
    t.says(1, "last").await;
    t.run_due().await;
    assert!(client.received().is_empty());
    t.restart().await;
    t.later(Duration::from_secs(2)).await;
    assert_eq!(client.received(), ["1:answer", "1:last"]);
    let held = t.held(lane).await;
    assert_eq!((held.len(), held[0].state), (1, HeldState::Dead));
}

#[tokio::test]
async fn a_destination_that_is_down_gets_no_blind_repeat_either() {
    let mut t = Service::start().await;
    let (lane, client) = t.desk("telegram", telegram()).await;
    client.everything(fails(Blame::Destination));
    for customer in 0..20 {
        t.says(customer, "hi").await;
    }
    t.run_due().await;
    for _ in 0..5 {
        t.later(Duration::from_mins(2)).await;
        t.restart().await;
    }
    assert!(
        t.held(lane).await.iter().all(|row| row.state == HeldState::Retrying),
        "all are known to have failed"
    );
    client.is_well();
    for _ in 0..5 {
        t.later(Duration::from_mins(2)).await;
    }
    assert_eq!(client.received().len(), 20);
    assert!(t.held(lane).await.is_empty());
}

#[tokio::test]
async fn held_conversations_are_blocked_after_a_restart_too() {
    let mut t = Service::start().await;
    let (_, crm) = t.desk("crm", PushSpec::route()).await;
    crm.always("1:order", fails(Blame::Event));
    t.says(1, "order").await;
    t.says(1, "behind").await;
    t.run_due().await;
    t.restart().await;
    t.says(1, "later").await;
    t.says(2, "hi").await;
    t.run_due().await;
    assert_eq!(crm.received(), ["2:hi"]);
    crm.is_well();
    t.later(Duration::from_mins(2)).await;
    assert_eq!(crm.received_of(1), ["1:order", "1:behind", "1:later"]);
}
