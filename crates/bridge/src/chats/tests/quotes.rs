//! Answers to messages that are there, that come later, and that never come.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_journal::{Fact, Link, LinkScope};
use tandem_model::Flags;

use super::{ANN, Desk, key};

fn answering(desk: &Desk, number: i64, text: &str, to: i64, quoted: &str) -> Value {
    let mut message = desk.message(number, text);
    message["reply_to_message"] = json!({
        "message_id": to, "date": desk.now_secs(), "text": quoted,
        "chat": {"id": ANN, "type": "private", "first_name": "Ann"},
        "from": {"id": 777, "is_bot": true, "first_name": "Shop"},
    });
    message
}

#[tokio::test]
async fn an_answer_to_a_message_that_is_there_quotes_it() {
    let mut desk = Desk::new().await;
    desk.says(1, "hello").await;
    desk.sends(2, "Which one?").await;
    let message = answering(&desk, 3, "the red one", 2, "Which one?");
    desk.update("message", message, Flags::NONE).await;
    assert_eq!(desk.told().await[3..], ["Ann: the red one ^2"]);
    desk.restart().await;
    let message = answering(&desk, 4, "or the blue one", 2, "Which one?");
    desk.update("message", message, Flags::NONE).await;
    assert_eq!(desk.told().await, ["Ann: or the blue one ^2"]);
}

#[tokio::test]
async fn a_managers_message_is_quoted_by_the_crms_own_id_once_it_is_known() {
    let mut desk = Desk::new().await;
    desk.says(1, "hello").await;
    desk.told().await;
    let message = answering(&desk, 3, "yes", 2, "Really?");
    desk.update("message", message, Flags::NONE).await;
    assert!(desk.told().await.is_empty(), "it waits for what it answers");
    let link = Link {
        scope: LinkScope::Lane(desk.lane.lane),
        ours: key(2).as_str().to_owned(),
        theirs: "theirs-2".to_owned(),
        at: desk.clock.now(),
    };
    let own = desk.sent(
        "sendMessage",
        2,
        "Really?",
        super::Author::Manager { route: "crm".into(), id: "5".into(), name: None },
        desk.lane.lane,
    );
    desk.append(own, vec![Fact::Link(link)]).await;
    desk.passes(Duration::from_secs(5)).await;
    assert_eq!(desk.crm.told(), ["Ann: yes ^theirs-2"]);
}

#[tokio::test]
async fn a_message_that_never_comes_is_waited_for_five_seconds_and_then_written_out() {
    let mut desk = Desk::new().await;
    desk.says(1, "hello").await;
    desk.told().await;
    let message = answering(&desk, 3, "yes", 2, "Really?");
    desk.update("message", message, Flags::NONE).await;
    desk.says(4, "and more").await;
    assert!(desk.told().await.is_empty());
    desk.passes(Duration::from_millis(4900)).await;
    assert!(desk.crm.told().is_empty());
    desk.passes(Duration::from_millis(100)).await;
    assert_eq!(desk.crm.told(), ["Ann: > Shop: Really?\nyes", "Ann: and more"]);
    assert!(desk.held().await.is_empty());
}

#[tokio::test]
async fn a_crm_that_cannot_be_searched_is_asked_with_the_quote_first() {
    let mut desk = Desk::new().await;
    desk.crm.cannot_be_searched();
    desk.says(1, "hello").await;
    desk.told().await;
    let message = answering(&desk, 3, "yes", 2, "Really?");
    desk.update("message", message, Flags::NONE).await;
    desk.told().await;
    desk.passes(Duration::from_secs(5)).await;
    assert_eq!(desk.crm.told(), ["Ann: > Shop: Really?\nyes"]);
}
