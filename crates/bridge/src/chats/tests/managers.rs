//! What became of managers' replies, and the chats they write in.

use std::time::Duration;

use tandem_model::message::{MessagePlace, ReplyFailure, ReplyResult};

use super::{ANN, Desk};

fn sent(message: i64) -> ReplyResult {
    ReplyResult::Sent { messages: vec![MessagePlace { business: None, chat: ANN, message }] }
}

#[tokio::test]
async fn what_became_of_a_reply_is_reported_and_what_nobody_knows_is_noted() {
    let mut desk = Desk::new().await;
    desk.says(1, "hello").await;
    let chat = "C-tg:777:1001";
    desk.outcome("m-1", chat, sent(2)).await;
    let words = "Forbidden: bot was blocked by the user".to_owned();
    let failed = ReplyResult::Failed { why: ReplyFailure::Blocked, words, messages: Vec::new() };
    desk.outcome("m-2", chat, failed).await;
    desk.outcome("m-3", chat, ReplyResult::Unknown { words: "The answer was lost.".to_owned() }).await;
    // Typing has no message, and no status.
    desk.outcome("", chat, ReplyResult::Sent { messages: Vec::new() }).await;
    assert_eq!(
        desk.told().await[2..],
        [
            "m-1 sent as 1",
            "m-2 failed: Forbidden: bot was blocked by the user",
            "note on C-tg:777:1001: Nobody can say whether the client has got the manager's message. The answer was lost.",
        ]
    );
}

#[tokio::test]
async fn an_outcome_of_another_route_is_none_of_this_one() {
    let mut desk = Desk::new().await;
    desk.says(1, "hello").await;
    desk.told().await;
    let before = desk.channel.clone();
    desk.outcome("m-1", "elsewhere", sent(2)).await;
    let other = desk.store.find_event(super::bot(), desk.last).await.unwrap().unwrap();
    let body = String::from_utf8(other.new.body.to_vec()).unwrap().replace("\"crm\"", "\"second\"");
    assert_eq!(before, desk.channel);
    desk.crm.begins("elsewhere");
    desk.told().await;
    desk.append(super::NewEvent { body: body.into(), ..other.new }, Vec::new()).await;
    assert!(desk.told().await.is_empty());
}

#[tokio::test]
async fn a_chat_that_a_manager_begins_is_a_conversation_and_gets_its_past() {
    let mut desk = Desk::new().await;
    desk.sends(1, "before").await;
    desk.crm.begins("amo-9");
    desk.outcome("m-1", "amo-9", sent(2)).await;
    desk.sends(3, "after").await;
    desk.says(4, "hello").await;
    assert_eq!(
        desk.told().await,
        ["(silent) bot/main: before", "m-1 sent as 1", "(silent) bot/main: after", "Ann: hello"],
        "nothing is opened beside the manager's chat"
    );
}

#[tokio::test]
async fn the_next_message_goes_to_the_chat_that_was_used_last() {
    let mut desk = Desk::new().await;
    desk.says(1, "hello").await;
    desk.told().await;
    // A second chat with her, as it is kept when its first hook comes.
    desk.crm.begins("amo-9");
    let ids = tandem_vendor::ChatIds {
        ours: Some("tg:777:1001#2".to_owned()),
        chat: Some("amo-9".to_owned()),
        person: None,
    };
    let key = tandem_model::message::ChatKey::of(super::bot(), None, ANN);
    let connection = tandem_model::ConnectionId::new(1).unwrap();
    let facts = crate::connections::remember_chat(connection, &key, &ids, desk.clock.now());
    let event = desk.sent("sendMessage", 2, "x", super::Author::App("main".into()), desk.app);
    desk.append(event, facts).await;
    desk.told().await;
    desk.outcome("m-1", "amo-9", sent(3)).await;
    desk.says(4, "to the second").await;
    assert_eq!(desk.told().await, ["m-1 sent as 1", "[tg:777:1001#2] Ann: to the second"]);
    desk.clock.advance(Duration::from_secs(1));
    desk.outcome("m-2", "C-tg:777:1001", sent(5)).await;
    desk.says(6, "to the first").await;
    assert_eq!(desk.told().await, ["m-2 sent as 1", "Ann: to the first"]);
    desk.restart().await;
    desk.says(7, "still the first").await;
    assert_eq!(desk.told().await, ["Ann: still the first"]);
}
