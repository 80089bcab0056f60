//! What follows when the CRM does not take something.

use std::time::Duration;

use tandem_journal::LaneState;
use tandem_model::{Blame, PauseReason};
use tandem_vendor::FailureKind;

use super::{Desk, crm::Next};

#[tokio::test]
async fn a_lost_answer_makes_neither_a_double_nor_a_reject() {
    let mut desk = Desk::new().await;
    desk.says(1, "one").await;
    desk.told().await;
    desk.says(2, "two").await;
    desk.says(3, "three").await;
    desk.crm.then(Next::LosesTheAnswer);
    desk.passes(Duration::from_secs(10)).await;
    desk.passes(Duration::from_secs(10)).await;
    assert_eq!(desk.crm.told(), ["Ann: two", "Ann: three"]);
    assert!(desk.held().await.is_empty());
}

#[tokio::test]
async fn what_was_told_before_a_crash_is_recognised() {
    let mut desk = Desk::new().await;
    desk.says(1, "one").await;
    desk.told().await;
    // The progress is lost: it is delivered again, as if it had never been tried.
    let lease = super::LeaseSource::lease(&*desk.ownership, super::bot()).unwrap();
    desk.lanes.detach(desk.lane).await.unwrap();
    desk.store.move_cursor(lease, super::bot(), desk.lane.lane, super::Seq::ZERO).await.unwrap();
    desk.attach();
    desk.says(2, "two").await;
    assert_eq!(desk.told().await, ["Ann: two"]);
    assert!(desk.held().await.is_empty());
}

#[tokio::test]
async fn what_the_crm_refuses_is_dead_and_its_conversation_goes_on() {
    let mut desk = Desk::new().await;
    desk.says(1, "one").await;
    desk.told().await;
    desk.crm.then(Next::Fails(FailureKind::Refused));
    desk.says(2, "unspeakable").await;
    desk.says(3, "three").await;
    assert!(desk.told().await.is_empty(), "it may be there, and be shown a little later");
    desk.crm.then(Next::Fails(FailureKind::Refused));
    desk.passes(Duration::from_secs(5)).await;
    assert_eq!(desk.crm.told(), ["Ann: three"]);
    assert_eq!(desk.held().await, [("dead".to_owned(), "as the test asked".to_owned())]);
}

#[tokio::test]
async fn a_failure_is_tried_again_in_order_and_with_the_same_time() {
    let mut desk = Desk::new().await;
    desk.says(1, "one").await;
    desk.told().await;
    desk.crm.fails(&FailureKind::Later { after: Some(Duration::from_secs(30)), blame: Blame::Event }, 1);
    desk.says(2, "two").await;
    desk.says(3, "three").await;
    assert!(desk.told().await.is_empty());
    desk.passes(Duration::from_secs(29)).await;
    assert!(desk.crm.told().is_empty());
    desk.passes(Duration::from_secs(1)).await;
    assert_eq!(desk.crm.told(), ["Ann: two", "Ann: three"]);
    let times = desk.crm.times();
    assert_eq!(times[1] - times[0], 1, "its own time, as if it had been told at once: {times:?}");
}

#[tokio::test]
async fn a_crm_that_is_down_for_an_hour_gets_everything_in_order_afterwards() {
    let mut desk = Desk::new().await;
    desk.says(1, "1").await;
    desk.told().await;
    desk.crm.fails(&FailureKind::Later { after: None, blame: Blame::Destination }, 1000);
    for number in 2..=200 {
        if number % 3 == 0 {
            desk.sends(number, &format!("{number}")).await;
        } else {
            desk.says(number, &format!("{number}")).await;
        }
        if number % 20 == 0 {
            desk.passes(Duration::from_mins(6)).await;
        }
    }
    assert!(desk.crm.told().is_empty());
    assert!(matches!(desk.state().await, LaneState::Paused { reason: PauseReason::Down, .. }));
    desk.crm.recovers();
    desk.passes(Duration::from_mins(3)).await;
    desk.passes(Duration::from_mins(3)).await;
    let expected: Vec<_> =
        (2..=200)
            .map(|number| {
                if number % 3 == 0 {
                    format!("(silent) bot/main: {number}")
                } else {
                    format!("Ann: {number}")
                }
            })
            .collect();
    assert_eq!(desk.crm.told(), expected);
    assert!(desk.held().await.is_empty());
    assert!(desk.crm.times().is_sorted_by(|a, b| a < b));
}

#[tokio::test]
async fn a_switched_off_integration_stops_the_lane_and_says_why() {
    let mut desk = Desk::new().await;
    desk.crm.then(Next::Fails(FailureKind::Stop(PauseReason::Refused)));
    desk.says(1, "one").await;
    assert!(desk.told().await.is_empty());
    let LaneState::Paused { reason, detail, .. } = desk.state().await else { panic!("it runs") };
    assert_eq!((reason, detail.as_str()), (PauseReason::Refused, "as the test asked"));
}
