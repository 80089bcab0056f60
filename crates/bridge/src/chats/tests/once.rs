//! A vendor that sends on what it is told, and recognises nothing: nobody is sent anything twice.

use std::time::Duration;

use tandem_journal::{LaneState, PersonChange};
use tandem_model::{Blame, Flags, UserId};
use tandem_vendor::FailureKind;

use super::{ANN, Desk, LeaseSource, Seq, bot, crm::Next};

const SECS: fn(u64) -> Duration = Duration::from_secs;

impl Desk {
    /// Beside a vendor that sends on; Ann has shared her number.
    async fn sending_on() -> Self {
        let desk = Self::new().await;
        desk.crm.sends_on();
        desk.shares_phone().await;
        desk
    }

    async fn shares_phone(&self) {
        let change = PersonChange {
            user: UserId::new(ANN).unwrap(),
            phone: Some("79990001122".to_owned()),
            start: None,
            presence: None,
        };
        let lease = self.ownership.lease(bot()).unwrap();
        self.store.put_person(lease, bot(), change).await.unwrap();
    }

    /// Everything is delivered again, as after a crash that took the lane's notes.
    async fn crashes(&self) {
        let lease = self.ownership.lease(bot()).unwrap();
        self.lanes.detach(self.lane).await.unwrap();
        self.store.move_cursor(lease, bot(), self.lane.lane, Seq::ZERO).await.unwrap();
        self.attach();
    }
}

#[tokio::test]
async fn the_company_past_and_changes_stay_away_from_who_would_be_sent_them() {
    let mut desk = Desk::sending_on().await;
    desk.sends(1, "welcome").await;
    desk.says(2, "hello").await;
    let edited = desk.message(2, "hello!");
    desk.update("edited_message", edited, Flags::NONE).await;
    desk.sends(3, "hi").await;
    let opened = "opens tg:777:1001 with Ann phone 79990001122";
    assert_eq!(desk.told().await, [opened, "Ann: hello", "(silent) bot/main: hi"]);
    assert!(desk.held().await.is_empty());
}

#[tokio::test]
async fn after_a_crash_nothing_is_sent_again() {
    let mut desk = Desk::sending_on().await;
    desk.says(1, "one").await;
    desk.says(2, "two").await;
    assert_eq!(desk.told().await.len(), 3);
    desk.crashes().await;
    desk.says(3, "three").await;
    assert_eq!(desk.told().await, ["Ann: three"]);
    assert!(desk.held().await.is_empty());
}

#[tokio::test]
async fn refused_connections_are_tried_again_and_all_comes_in_order() {
    let mut desk = Desk::sending_on().await;
    desk.says(1, "one").await;
    desk.told().await;
    desk.crm.fails(&FailureKind::Later { after: None, blame: Blame::Destination }, 2);
    for (number, text) in [(2, "two"), (3, "three"), (4, "four")] {
        desk.says(number, text).await;
    }
    assert!(desk.told().await.is_empty());
    assert!(matches!(desk.state().await, LaneState::Paused { .. }));
    for _ in 0..3 {
        desk.passes(SECS(60)).await;
    }
    assert_eq!(desk.crm.told(), ["Ann: two", "Ann: three", "Ann: four"]);
    assert!(desk.held().await.is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_the_echo() {
    let mut desk = Desk::sending_on().await;
    desk.says(1, "one").await;
    desk.told().await;
    desk.says(2, "two").await;
    desk.says(3, "three").await;
    desk.crm.then(Next::LosesTheAnswer);
    assert_eq!(desk.told().await, ["Ann: two"]);
    let [(state, reason)] = &desk.held().await[..] else { panic!("one waits") };
    assert!(state == "retrying" && reason.contains("its echo is waited for"), "{reason}");
    desk.passes(SECS(10)).await;
    assert_eq!(desk.crm.told(), ["Ann: three"], "and nothing twice");
    assert!(desk.held().await.is_empty());
}

#[tokio::test]
async fn without_an_echo_it_is_unknown_after_two_minutes_and_the_next_goes_on() {
    let mut desk = Desk::sending_on().await;
    desk.crm.hides_echoes();
    desk.says(1, "one").await;
    desk.told().await;
    desk.says(2, "two").await;
    desk.says(3, "three").await;
    desk.crm.then(Next::LosesTheAnswer);
    assert_eq!(desk.told().await, ["Ann: two"]);
    for _ in 0..11 {
        desk.passes(SECS(10)).await;
    }
    assert!(desk.crm.told().is_empty(), "110 s are not two minutes");
    desk.passes(SECS(10)).await;
    assert_eq!(desk.crm.told(), ["Ann: three"]);
    let [(state, reason)] = &desk.held().await[..] else { panic!("one is unknown") };
    assert!(state == "unknown" && reason.contains("no echo came"), "{reason}");
}

#[tokio::test]
async fn what_was_being_sent_when_we_crashed_is_looked_for_and_not_sent_again() {
    let mut desk = Desk::sending_on().await;
    desk.says(1, "one").await;
    desk.told().await;
    desk.says(2, "two").await;
    desk.crm.then(Next::LosesTheAnswer);
    assert_eq!(desk.told().await, ["Ann: two"]);
    desk.crashes().await;
    assert!(desk.told().await.is_empty());
    desk.passes(SECS(10)).await;
    assert!(desk.crm.told().is_empty(), "the echo shows that it arrived");
    assert!(desk.held().await.is_empty());
}

#[tokio::test]
async fn who_has_shared_no_phone_waits_for_it_and_nobody_else_does() {
    let mut desk = Desk::new().await;
    desk.crm.sends_on();
    desk.says(1, "one").await;
    desk.says(2, "two").await;
    assert!(desk.told().await.is_empty());
    assert_eq!(desk.held().await, [("retrying".to_owned(), "no phone yet".to_owned())]);
    assert_eq!(desk.state().await, LaneState::Running);
    desk.shares_phone().await;
    desk.passes(SECS(5)).await;
    let opened = "opens tg:777:1001 with Ann phone 79990001122";
    assert_eq!(desk.crm.told(), [opened, "Ann: one", "Ann: two"]);
    assert!(desk.held().await.is_empty());
}
