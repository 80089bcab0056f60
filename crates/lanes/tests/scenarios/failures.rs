//! Verdicts about one event: retry, wait, reject, unknown; panics; lifetimes.

use std::time::Duration;

use tandem_lanes::PushSpec;
use tandem_model::{Blame, HeldState, Lifetime, Verdict};

use crate::support::{
    Service,
    desk::{fails, rejects, unknown},
    until, until_async, update,
};

#[tokio::test]
async fn a_failing_conversation_is_held_and_does_not_stop_the_others() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.always("1:order", fails(Blame::Event));
    t.says(1, "order").await;
    t.says(1, "still there?").await;
    let last = t.says(2, "hi").await;
    t.run_due().await;
    assert_eq!(crm.received(), ["2:hi"]);
    assert_eq!(t.state(lane).await.acked, last, "the cursor has moved on");
    let held = t.held(lane).await;
    assert_eq!(held.len(), 1, "what waits behind it needs no row");
    assert_eq!((held[0].state, held[0].tries, held[0].reason.as_str()), (HeldState::Retrying, 2, "no luck"));
    crm.is_well();
    t.later(Duration::from_secs(2)).await;
    assert_eq!(crm.received_of(1), ["1:order", "1:still there?"]);
    assert!(t.held(lane).await.is_empty());
}

#[tokio::test]
async fn the_ladder_is_followed_and_the_destination_may_ask_for_another_time() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.always("1:order", fails(Blame::Event));
    t.says(1, "order").await;
    t.run_due().await;
    for _ in 0..124 {
        t.later(Duration::from_secs(1)).await;
    }
    assert_eq!(crm.attempts_of("1:order"), [0, 0, 2, 6, 14, 30, 62, 122]);
    let asks =
        Verdict::Retry { after: Some(Duration::from_secs(7)), blame: Blame::Event, reason: "busy".into() };
    crm.once("1:order", asks.clone());
    t.later(Duration::from_mins(2)).await;
    let tried = crm.attempts_of("1:order").len();
    t.later(Duration::from_secs(6)).await;
    assert_eq!(crm.attempts_of("1:order").len(), tried);
    crm.once("1:order", asks);
    t.later(Duration::from_secs(1)).await;
    assert_eq!(crm.attempts_of("1:order").len(), tried + 1);
    let held = t.held(lane).await;
    assert_eq!(held[0].tries, 10);
    assert_eq!(held[0].attempts.last().unwrap().outcome, "busy");
}

#[tokio::test]
async fn only_the_last_ten_tries_are_remembered_and_all_are_counted() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.always("1:order", fails(Blame::Event));
    t.says(1, "order").await;
    for _ in 0..14 {
        t.later(Duration::from_mins(2)).await;
    }
    let held = t.held(lane).await;
    assert_eq!(held[0].attempts.len(), 10);
    assert!(held[0].tries >= 14);
}

#[tokio::test]
async fn asking_to_wait_counts_no_try() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.once("1:order", Verdict::Wait { until: t.clock.now().plus(Duration::from_secs(30)) });
    t.says(1, "order").await;
    t.says(1, "more").await;
    t.says(2, "hi").await;
    t.run_due().await;
    let held = t.held(lane).await;
    assert_eq!((held.len(), held[0].tries), (1, 0));
    t.later(Duration::from_secs(29)).await;
    assert_eq!(crm.received(), ["2:hi"]);
    t.later(Duration::from_secs(1)).await;
    assert_eq!(crm.received(), ["2:hi", "1:order", "1:more"]);
}

#[tokio::test]
async fn a_rejected_event_is_dead_with_its_reason_and_its_conversation_goes_on() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.once("1:bad", rejects());
    crm.once("2:lost", unknown());
    let bad = t.says(1, "bad").await;
    t.says(1, "good").await;
    let lost = t.says(2, "lost").await;
    t.says(2, "found").await;
    t.run_due().await;
    let mut received = crm.received();
    received.sort();
    assert_eq!(received, ["1:good", "2:found"]);
    let held = t.held(lane).await;
    assert_eq!(
        (held[0].seq, held[0].state, held[0].reason.as_str()),
        (bad, HeldState::Dead, "the chat is gone")
    );
    assert_eq!(
        (held[1].seq, held[1].state, held[1].reason.as_str()),
        (lost, HeldState::Unknown, "the connection broke")
    );
    assert_eq!(t.state(lane).await.last_fault.unwrap().text, "the connection broke");
    t.restart().await;
    t.later(Duration::from_hours(1)).await;
    assert_eq!(crm.attempts().len(), 4, "nobody tries them again by himself");
}

#[tokio::test]
async fn a_destination_that_panics_has_failed_like_any_other() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.panics_once("1:order");
    t.says(1, "order").await;
    t.says(1, "more").await;
    t.run_due().await;
    assert_eq!(crm.received(), ["1:order", "1:more"], "the first rung of the ladder is at once");
    assert!(t.held(lane).await.is_empty());
}

#[tokio::test]
async fn an_attempt_that_lasts_is_held_so_that_the_cursor_moves_on() {
    let mut t = Service::start().await;
    let (lane, crm) = t.desk("crm", PushSpec::route()).await;
    crm.hang("1:slow");
    t.run();
    let slow = t.says(1, "slow").await;
    t.says(1, "behind").await;
    let last = t.says(2, "hi").await;
    until("the others are served", || crm.received() == ["2:hi"]).await;
    assert_eq!(t.state(lane).await.acked, slow.previous(), "the cursor waits for what is in flight");
    t.clock.advance(Duration::from_secs(1));
    until_async("the cursor moves on", || async { t.state(lane).await.acked == last }).await;
    assert_eq!(t.held(lane).await[0].seq, slow);
    crm.let_go();
    until("it arrives", || crm.received_of(1).len() == 2).await;
    until_async("its row is gone", || async { t.held(lane).await.is_empty() }).await;
    assert_eq!(crm.attempts_of("1:slow").len(), 1);
    t.stop().await;
}

#[tokio::test]
async fn an_app_is_not_given_what_has_lived_its_time_and_a_route_is() {
    let mut t = Service::start().await;
    let (app_lane, app) = t.desk("app", PushSpec::webhook()).await;
    let (route_lane, crm) = t.desk("crm", PushSpec::route()).await;
    let mut press = update(1, 3, "1:press");
    press.lifetime = Lifetime::Seconds(150);
    t.append(press).await;
    t.says(1, "message").await;
    t.clock.advance(Duration::from_mins(10));
    t.run_due().await;
    assert_eq!(app.received(), ["1:message"]);
    assert_eq!(t.state(app_lane).await.passed.expired, 1);
    assert_eq!(crm.received(), ["1:press", "1:message"]);
    assert_eq!(t.state(route_lane).await.passed.expired, 0);
}

#[tokio::test]
async fn an_app_is_tried_until_the_next_attempt_would_come_too_late() {
    let mut t = Service::start().await;
    let (lane, app) = t.desk("app", PushSpec::webhook()).await;
    app.always("1:question", fails(Blame::Event));
    let mut query = update(1, 1, "1:question");
    query.lifetime = Lifetime::Seconds(30);
    t.append(query).await;
    t.append(update(1, 1, "1:behind")).await;
    t.run_due().await;
    for _ in 0..40 {
        t.later(Duration::from_secs(1)).await;
    }
    assert_eq!(app.attempts_of("1:question"), [0, 0, 2, 6, 14], "the attempt at 30 s would be too late");
    assert_eq!(app.received(), ["1:behind"]);
    assert_eq!(t.state(lane).await.passed.expired, 1);
    assert!(t.held(lane).await.is_empty());
}
