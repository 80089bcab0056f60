//! When a conversation exists for the CRM, and what of its past goes with it.

use std::time::Duration;

use tandem_journal::{ContactLink, Fact, PersonChange, StartSource};
use tandem_model::{Blame, ConnectionId, Flags, UserId};
use tandem_vendor::{FailureKind, Standing};

use super::{ANN, Desk, at, crm::Next};
use crate::WithoutRest;

#[tokio::test]
async fn what_the_company_says_before_the_client_is_kept_back_and_told_silently_when_he_writes() {
    let mut desk = Desk::new().await;
    desk.sends(1, "forgotten by tomorrow").await;
    desk.passes(Duration::from_hours(25)).await;
    for number in 2..30 {
        desk.sends(number, &format!("line {number}")).await;
    }
    desk.says(30, "/start").await;
    assert!(
        desk.told().await.is_empty(),
        "commands stay in code, and nobody is told of a chat without a client"
    );
    desk.says(31, "hello").await;
    let told = desk.told().await;
    assert_eq!(told[0], "opens tg:777:1001 with Ann");
    let lines: Vec<_> = (10..30).map(|number| format!("(silent) bot/main: line {number}")).collect();
    assert_eq!(told[1..21], lines, "the last twenty of the last day");
    assert_eq!(told[21..], ["Ann: hello"]);
    desk.sends(32, "Good day").await;
    assert_eq!(desk.told().await, ["(silent) bot/main: Good day"]);
    let times = desk.crm.times();
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
}

#[tokio::test]
async fn an_edit_before_the_opening_is_told_as_what_it_made_of_the_line() {
    let mut desk = Desk::new().await;
    desk.sends(1, "Your order").await;
    let edit =
        desk.sent("editMessageText", 1, "Your order is ready", super::Author::App("main".into()), desk.app);
    desk.append(edit, Vec::new()).await;
    desk.says(2, "thanks").await;
    let told = desk.told().await;
    assert_eq!(told[1..], ["(silent) bot/main: Your order is ready", "Ann: thanks"]);
}

#[tokio::test]
async fn a_campaign_is_not_told_unless_a_rule_says_so() {
    let mut desk = Desk::new().await;
    let sale = desk.sent("sendMessage", 1, "Sale!", super::Author::App("main".into()), desk.app);
    desk.append(super::NewEvent { flags: Flags::CAMPAIGN, ..sale.clone() }, Vec::new()).await;
    desk.says(2, "hello").await;
    desk.append(super::NewEvent { flags: Flags::CAMPAIGN, ..sale }, Vec::new()).await;
    assert_eq!(desk.told().await, ["opens tg:777:1001 with Ann", "Ann: hello"]);
}

#[tokio::test]
async fn a_linked_contact_is_a_conversation_and_is_named_when_it_is_opened() {
    let mut desk = Desk::new().await;
    desk.sends(1, "before").await;
    assert!(desk.told().await.is_empty());
    let (user, connection) = (UserId::new(ANN).unwrap(), ConnectionId::new(1).unwrap());
    let contact = Fact::Contact(ContactLink { user, connection, contact: "77".to_owned() });
    let start = |payload: &str, secs| StartSource { payload: payload.to_owned(), at: at(secs) };
    let person = |start, phone: Option<&str>| {
        Fact::Person(PersonChange {
            user,
            phone: phone.map(str::to_owned),
            start: Some(start),
            presence: None,
        })
    };
    let event = desk.sent("sendMessage", 2, "after", super::Author::App("main".into()), desk.app);
    let facts = vec![contact, person(start("ad", 1), Some("79990001122")), person(start("shop", 2), None)];
    desk.append(event, facts).await;
    assert!(desk.told().await.is_empty(), "a minute may pass before it is noticed");
    desk.clock.advance(Duration::from_mins(1));
    desk.sends(3, "later").await;
    let told = desk.told().await;
    assert_eq!(told[0], "opens tg:777:1001 with Ann phone 79990001122 contact 77 from ad, shop");
    assert_eq!(
        told[1..],
        ["(silent) bot/main: before", "(silent) bot/main: after", "(silent) bot/main: later"]
    );
    let contact = desk.store.find_contact(super::bot(), user, connection).await.unwrap();
    assert_eq!(contact.as_deref(), Some("77"));
}

#[tokio::test]
async fn who_the_client_is_goes_with_the_opening() {
    let mut desk = Desk::new().await;
    let mut message = desk.message(1, "hi");
    message["chat"] =
        serde_json::json!({"id": 2002, "type": "private", "first_name": "Bob", "username": "bob"});
    message["from"] =
        serde_json::json!({"id": 2002, "is_bot": false, "first_name": "Bob", "username": "bob"});
    desk.update("message", message, Flags::NONE).await;
    assert_eq!(desk.told().await, ["opens tg:777:2002 with Bob @bob picture media/bob", "Bob: hi"]);
}

#[tokio::test]
async fn an_opening_that_is_broken_off_goes_on_where_it_was_and_begins_again_after_a_crash() {
    let mut desk = Desk::new().await;
    for number in 1..=3 {
        desk.sends(number, &format!("line {number}")).await;
    }
    desk.says(4, "hello").await;
    // The answer to the opening is lost.
    desk.crm.then(Next::LosesTheAnswer);
    desk.lanes.run_due().await;
    // A line is told and the next one fails.
    desk.crm.passes(2);
    desk.crm.fails(&FailureKind::Later { after: Some(Duration::from_secs(5)), blame: Blame::Event }, 1);
    desk.passes(Duration::from_secs(2)).await;
    desk.restart().await;
    desk.passes(Duration::from_secs(10)).await;
    let told: Vec<_> = desk.crm.told().into_iter().filter(|line| !line.starts_with("opens")).collect();
    assert_eq!(
        told,
        ["(silent) bot/main: line 1", "(silent) bot/main: line 2", "(silent) bot/main: line 3", "Ann: hello"]
    );
    assert!(desk.held().await.is_empty());
}

#[tokio::test]
async fn a_chat_is_opened_once_also_over_restarts() {
    let mut desk = Desk::new().await;
    desk.says(1, "one").await;
    assert_eq!(desk.told().await, ["opens tg:777:1001 with Ann", "Ann: one"]);
    desk.restart().await;
    desk.says(2, "two").await;
    desk.sends(3, "three").await;
    assert_eq!(desk.told().await, ["Ann: two", "(silent) bot/main: three"]);
}

#[tokio::test]
async fn a_chat_that_the_crm_has_forgotten_is_opened_anew_once() {
    let mut desk = Desk::new().await;
    desk.says(1, "one").await;
    desk.told().await;
    desk.crm.forgets();
    desk.says(2, "two").await;
    let again = "opens tg:777:1001 with Ann contact contact-1";
    assert_eq!(desk.told().await, [again, "Ann: two"]);
    desk.crm.fails(&FailureKind::Gone, 1);
    desk.says(3, "three").await;
    assert_eq!(desk.told().await, [again, "Ann: three"]);
    desk.crm.fails(&FailureKind::Gone, 2);
    desk.says(4, "four").await;
    desk.says(5, "five").await;
    let told = desk.told().await;
    assert_eq!(told, ["Ann: five"], "the second time it is given up, and the conversation goes on");
    assert_eq!(desk.held().await, [("dead".to_owned(), "as the test asked".to_owned())]);
}

#[tokio::test]
async fn new_clients_wait_for_the_crm_to_know_them_and_known_ones_do_not() {
    let mut desk = Desk::with(|channel| channel.without_rest = WithoutRest::Wait).await;
    desk.says(1, "known").await;
    desk.told().await;
    desk.crm.knows_people(false);
    desk.says(2, "goes on").await;
    let mut message = desk.message(3, "new here");
    message["chat"]["id"] = 2002.into();
    message["from"]["id"] = 2002.into();
    desk.update("message", message, Flags::NONE).await;
    assert_eq!(desk.told().await, ["Ann: goes on"]);
    desk.crm.knows_people(true);
    // Something else that is missing keeps nobody waiting.
    desk.crm.stands(Standing::Impaired("no hooks".to_owned()));
    desk.passes(Duration::from_mins(1)).await;
    let told = desk.crm.told();
    assert_eq!(told, ["opens tg:777:2002 with Ann picture media/bob", "Ann: new here"]);
}
