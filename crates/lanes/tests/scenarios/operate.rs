//! What an operator does with a lane: retry, skip, replay, pause, resume.

use std::time::Duration;

use tandem_lanes::{Answer, OperateError, PushSpec, Repeats, ReplayMode, Replayed};
use tandem_model::{Blame, HeldState, PauseReason, Seq};

use crate::support::{
    Service,
    desk::{fails, rejects},
    until,
};

#[tokio::test]
async fn a_dead_event_is_delivered_when_an_operator_retries_it_and_nothing_else_is_repeated() {
    for repeats in [Repeats::Recognised, Repeats::Unrecognised] {
        let mut t = Service::start().await;
        let (lane, crm) = t.desk("crm", PushSpec { repeats, ..PushSpec::route() }).await;
        crm.once("1:bad", rejects());
        crm.once("1:bad", rejects());
        let bad = t.says(1, "bad").await;
        t.says(1, "good").await;
        t.run_due().await;
        t.run();
        let answer = t.lanes.retry(lane, bad).await.unwrap();
        assert_eq!(answer, Answer::Failed { reason: "the chat is gone".to_owned() });
        let held = t.held(lane).await;
        assert_eq!((held[0].state, held[0].tries), (HeldState::Dead, 2));
        assert_eq!(t.lanes.retry(lane, bad).await.unwrap(), Answer::Delivered);
        assert!(t.held(lane).await.is_empty(), "its row is gone when the answer comes");
        assert_eq!(t.lanes.retry(lane, bad).await.unwrap(), Answer::Missing);
        t.says(1, "later").await;
        until("the conversation goes on", || crm.received().len() == 3).await;
        assert_eq!(crm.received(), ["1:good", "1:bad", "1:later"]);
        t.stop().await;
    }
}

#[tokio::test]
async fn a_waiting_event_is_tried_at_once_when_an_operator_retries_it() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.always("1:order", fails(Blame::Event));
    let order = t.says(1, "order").await;
    t.says(1, "behind").await;
    t.run_due().await;
    crm.is_well();
    t.run();
    assert_eq!(t.lanes.retry(lane, order).await.unwrap(), Answer::Scheduled);
    until("it and what waited arrive", || crm.received() == ["1:order", "1:behind"]).await;
    t.stop().await;
}

#[tokio::test]
async fn skipping_an_event_lets_its_conversation_go_on() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.always("1:order", fails(Blame::Event));
    crm.once("2:bad", rejects());
    let order = t.says(1, "order").await;
    t.says(1, "behind").await;
    let bad = t.says(2, "bad").await;
    t.run_due().await;
    t.run();
    assert_eq!(t.lanes.skip(lane, order).await.unwrap(), Answer::Skipped);
    assert_eq!(t.lanes.skip(lane, bad).await.unwrap(), Answer::Skipped);
    assert_eq!(t.lanes.skip(lane, bad).await.unwrap(), Answer::Missing);
    until("what waited arrives", || crm.received() == ["1:behind"]).await;
    t.stop().await;
    assert!(t.held(lane).await.is_empty());
    assert_eq!(t.state(lane).await.passed.skipped, 2);
}

#[tokio::test]
async fn a_replay_can_be_tried_dry_and_delivers_what_the_lane_has_had() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    for n in 0..10 {
        t.says(n % 3, &format!("n{n}")).await;
    }
    crm.always("7:stuck", fails(Blame::Event));
    t.says(7, "stuck").await;
    t.says(7, "behind").await;
    t.run_due().await;
    assert_eq!(crm.received().len(), 10);
    crm.forget();
    t.run();
    let seq = |n| Seq::new(n).unwrap();
    let dry = t.lanes.replay(lane, seq(4)..=Seq::MAX, ReplayMode::DryRun).await.unwrap();
    assert_eq!(dry, Replayed { events: 7, delivered: 0, failed: 0, to_come: 2 });
    assert!(crm.received().is_empty());
    crm.once("0:n6", rejects());
    let real = t.lanes.replay(lane, seq(4)..=seq(8), ReplayMode::Deliver).await.unwrap();
    assert_eq!(real, Replayed { events: 5, delivered: 4, failed: 1, to_come: 0 });
    assert_eq!(crm.received(), ["0:n3", "1:n4", "2:n5", "1:n7"]);
    let held = t.held(lane).await;
    assert_eq!(held.iter().filter(|row| row.state == HeldState::Dead).count(), 1);
    assert_eq!(t.state(lane).await.acked.get(), 12, "the cursor stays");
    t.stop().await;
}

#[tokio::test]
async fn a_lane_that_an_operator_pauses_finishes_what_is_under_way_and_stands_still() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec { max_in_flight: 2, ..PushSpec::route() }).await;
    crm.hang("1:slow");
    t.run();
    t.says(1, "slow").await;
    until("it is under way", || crm.attempts().len() == 1).await;
    t.lanes.pause(lane, "the CRM is being cleaned up".to_owned()).await.unwrap();
    t.says(2, "hi").await;
    crm.let_go();
    until("what was under way arrives", || crm.received().len() == 1).await;
    t.stop().await;
    assert_eq!(t.paused(lane).await, Some(PauseReason::Operator));
    t.restart().await;
    t.later(Duration::from_hours(10)).await;
    assert_eq!(crm.received(), ["1:slow"]);
    assert_eq!(t.state(lane).await.acked.get(), 1);
    t.run();
    t.lanes.resume(lane).await.unwrap();
    until("it goes on", || crm.received() == ["1:slow", "2:hi"]).await;
    t.stop().await;
    assert_eq!(
        t.lanes.pause(t.app("other").await, String::new()).await,
        Err(OperateError::NotAttached {
            lane: tandem_lanes::LaneAddress { bot: lane.bot, lane: tandem_model::LaneId::new(2).unwrap() },
        })
    );
}
