//! When the client of an open chat and his card are looked after.

use std::time::Duration;

use serde_json::json;
use tandem_model::{Blame, ConnectionId, Flags, UserId};
use tandem_vendor::FailureKind;

use super::{ANN, Desk, bot};

impl Desk {
    /// Ann is called something else from now on.
    async fn says_as(&mut self, number: i64, name: &str, text: &str) {
        let mut message = self.message(number, text);
        message["from"]["first_name"] = name.into();
        message["chat"]["first_name"] = name.into();
        self.update("message", message, Flags::NONE).await;
    }

    async fn contact(&self) -> Option<String> {
        let (user, connection) = (UserId::new(ANN).unwrap(), ConnectionId::new(1).unwrap());
        self.store.find_contact(bot(), user, connection).await.unwrap()
    }

    async fn starts(&mut self, number: i64) {
        let mut message = self.message(number, "/start sale");
        message["entities"] = json!([{"type": "bot_command", "offset": 0, "length": 6}]);
        self.update("message", message, Flags::NONE).await;
    }
}

#[tokio::test]
async fn a_client_who_writes_after_an_hour_is_looked_after_once_over_restarts_too() {
    let mut desk = Desk::new().await;
    desk.says(1, "one").await;
    desk.says(2, "two").await;
    desk.told().await;
    assert!(desk.crm.tended().is_empty(), "the opening was a look");
    desk.passes(Duration::from_mins(59)).await;
    desk.restart().await;
    desk.says(3, "three").await;
    desk.told().await;
    assert!(desk.crm.tended().is_empty());
    desk.passes(Duration::from_mins(1)).await;
    desk.says(4, "four").await;
    desk.sends(5, "five").await;
    desk.says(6, "six").await;
    assert_eq!(desk.told().await, ["Ann: four", "(silent) bot/main: five", "Ann: six"]);
    assert_eq!(desk.crm.tended(), ["Silence tg:777:1001 Ann was Ann contact contact-1"]);
    desk.restart().await;
    desk.says(7, "seven").await;
    desk.told().await;
    assert!(desk.crm.tended().is_empty());
}

#[tokio::test]
async fn who_could_not_be_matched_is_matched_when_he_writes_again() {
    let mut desk = Desk::new().await;
    desk.crm.knows(None);
    desk.says(1, "one").await;
    assert_eq!(desk.told().await, ["opens tg:777:1001 with Ann", "Ann: one"]);
    assert_eq!(desk.contact().await, None);
    desk.says(3, "three").await;
    desk.says(4, "four").await;
    assert_eq!(desk.told().await, ["Ann: three", "Ann: four"]);
    let unmatched = "Unmatched tg:777:1001 Ann";
    assert_eq!(desk.crm.tended(), [unmatched], "once in five minutes, while nobody can say");
    desk.passes(Duration::from_mins(5)).await;
    desk.crm.fails(&FailureKind::Later { after: None, blame: Blame::Destination }, 1);
    desk.says(2, "two").await;
    assert_eq!(desk.told().await, ["Ann: two"]);
    desk.crm.knows(Some("77"));
    desk.passes(Duration::from_mins(5)).await;
    desk.says(5, "five").await;
    desk.told().await;
    assert_eq!(desk.crm.tended(), [unmatched]);
    assert_eq!(desk.contact().await.as_deref(), Some("77"));
    desk.says(6, "six").await;
    desk.told().await;
    assert!(desk.crm.tended().is_empty());
}

#[tokio::test]
async fn a_new_name_and_a_shared_number_are_told_at_once() {
    let mut desk = Desk::new().await;
    desk.says(1, "one").await;
    desk.says_as(2, "Anna", "two").await;
    desk.says_as(3, "Anna", "three").await;
    desk.told().await;
    assert_eq!(desk.crm.tended(), ["Changed tg:777:1001 Anna was Ann contact contact-1"]);
    let mut message = desk.message(4, "");
    message["contact"] = json!({"phone_number": "+79990001122", "first_name": "Ann", "user_id": ANN});
    desk.update("message", message, Flags::NONE).await;
    desk.told().await;
    let tended = desk.crm.tended();
    assert!(tended[0].starts_with("Changed") && tended[0].contains("phone +79990001122"), "{tended:?}");
}

#[tokio::test]
async fn another_start_is_told_of_though_it_is_not_shown_and_the_first_one_is_not() {
    let mut desk = Desk::new().await;
    desk.starts(1).await;
    desk.says(2, "hello").await;
    desk.told().await;
    assert!(desk.crm.tended().is_empty(), "there was no chat yet");
    desk.starts(3).await;
    assert!(desk.told().await.is_empty());
    assert_eq!(desk.crm.tended(), ["Started tg:777:1001 Ann was Ann contact contact-1"]);
}

#[tokio::test]
async fn after_a_hand_off_the_next_words_of_the_client_are_a_reason_to_look() {
    let mut desk = Desk::new().await;
    desk.says(1, "one").await;
    desk.told().await;
    desk.hand_off_ends().await;
    desk.told().await;
    assert!(desk.crm.tended().is_empty());
    desk.says(2, "two").await;
    desk.told().await;
    assert_eq!(desk.crm.tended(), ["Silence tg:777:1001 Ann contact contact-1"]);
}

#[tokio::test]
async fn a_look_that_fails_or_does_not_end_keeps_nothing_from_being_told() {
    let mut desk = Desk::new().await;
    desk.says(1, "one").await;
    desk.told().await;
    desk.passes(Duration::from_hours(1)).await;
    desk.crm.fails(&FailureKind::Later { after: None, blame: Blame::Destination }, 1);
    desk.says(2, "two").await;
    assert_eq!(desk.told().await, ["Ann: two"]);
    assert!(desk.held().await.is_empty());
    desk.passes(Duration::from_mins(5)).await;
    desk.crm.hangs(true);
    desk.says(3, "three").await;
    let clock = desk.clock.clone();
    let time_passes = async {
        loop {
            if clock.sleeping() > 0 {
                clock.advance(Duration::from_secs(1));
            }
            tokio::task::yield_now().await;
        }
    };
    let told = tokio::select! {
        told = desk.told() => told,
        () = time_passes => Vec::new(),
    };
    assert_eq!(told, ["Ann: three"]);
}
