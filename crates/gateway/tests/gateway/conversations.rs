//! What an app says it is doing in a conversation stands in the journal, and what comes there next carries it.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_gateway::{AppDocument, AppLimits, ChatRule, MarkDocument};
use tandem_model::{Conversation, EventKind, Flags};

use crate::support::{
    Client, Stage,
    http::{get, send},
    message,
    server::Reply,
};

/// The flags of what came last of a kind.
async fn last_flags(t: &Stage, kind: EventKind) -> Flags {
    t.journal(kind).await.last().unwrap().flags
}

#[tokio::test]
async fn what_comes_next_in_that_conversation_carries_what_the_app_said() {
    let mut t = Stage::start().await;
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, "hi")));
    t.says(7, "before").await;
    assert_eq!(last_flags(&t, EventKind::Update).await, Flags::NONE);
    let dialogue = json!({"chat_id": "7", "state": "dialogue", "note": "asks for the address"});
    assert_eq!(t.main().result("tandemSetConversation", dialogue).await, true);
    t.says(7, "Main street 5").await;
    assert_eq!(last_flags(&t, EventKind::Update).await, Flags::IN_DIALOGUE);
    t.main().result("sendMessage", json!({"chat_id": 7, "text": "hi"})).await;
    assert_eq!(last_flags(&t, EventKind::Sent).await, Flags::IN_DIALOGUE);
    t.says(8, "somebody else").await;
    assert_eq!(last_flags(&t, EventKind::Update).await, Flags::NONE);
    t.main().result("TANDEMSETCONVERSATION", json!({"chat_id": 7, "state": "manager"})).await;
    let mut t = t.restart().await;
    t.says(7, "hello?").await;
    assert_eq!(last_flags(&t, EventKind::Update).await, Flags::WITH_MANAGER | Flags::MANAGER_TALKS);
    t.main().result("tandemSetConversation", json!({"chat_id": 7, "state": "free"})).await;
    t.says(7, "bye").await;
    assert_eq!(last_flags(&t, EventKind::Update).await, Flags::NONE);

    let marks = t.journal(EventKind::Mark).await;
    assert_eq!(marks.len(), 3);
    assert!(marks.iter().all(|mark| mark.topic == MarkDocument::CONVERSATION));
    assert_eq!(marks[0].conversation, Conversation::chat(7));
    let first: Value = serde_json::from_slice(&marks[0].body).unwrap();
    assert_eq!(
        first,
        json!({"mark": "conversation", "app": "main", "state": "dialogue", "note": "asks for the address"})
    );
    assert!(
        t.telegram.seen().iter().all(|asked| asked.path().ends_with("/sendMessage")),
        "Telegram heard nothing"
    );
}

#[tokio::test]
async fn a_header_of_a_send_says_the_same_and_goes_no_further() {
    let mut t = Stage::start().await;
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, "Where to?")));
    let path = format!("{}?chat_id=7&text=Where", t.main().path("sendMessage"));
    let with = |value: &str| {
        String::from_utf8(get(&path))
            .unwrap()
            .replace("Host:", &format!("Tandem-Conversation: {value}\r\nHost:"))
    };
    let answer = send(t.address, with("Dialogue; where to").as_bytes()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(t.telegram.take_seen()[0].header("tandem-conversation"), None);
    t.says(7, "there").await;
    assert_eq!(last_flags(&t, EventKind::Update).await, Flags::IN_DIALOGUE);
    let mark: Value = serde_json::from_slice(&t.journal(EventKind::Mark).await[0].body).unwrap();
    assert_eq!((&mark["state"], &mark["note"]), (&json!("dialogue"), &json!("where to")));
    assert_eq!(send(t.address, with("talking").as_bytes()).await.status, 400);
    assert!(t.telegram.seen().is_empty(), "what is asked for wrongly is not sent");
    // What Telegram refuses has said nothing.
    let blocked = r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#;
    t.telegram.on("sendMessage", Reply::json("403 Forbidden", blocked));
    send(t.address, with("free").as_bytes()).await;
    assert_eq!(t.journal(EventKind::Mark).await.len(), 1);
}

#[tokio::test]
async fn a_state_that_was_forgotten_ends_after_a_day() {
    let mut t = Stage::start().await;
    t.main().result("tandemSetConversation", json!({"chat_id": 7, "state": "manager"})).await;
    t.clock.advance(Duration::from_hours(23));
    t.says(7, "one").await;
    assert_eq!(last_flags(&t, EventKind::Update).await, Flags::WITH_MANAGER | Flags::MANAGER_TALKS);
    t.clock.advance(Duration::from_hours(1));
    t.says(7, "two").await;
    assert_eq!(last_flags(&t, EventKind::Update).await, Flags::NONE);
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_refused_in_words_and_by_the_apps_limits() {
    let t = Stage::start().await;
    let chats = Some([ChatRule::parse("7").unwrap()].into());
    let limits = AppLimits { methods: Some([].into()), chats };
    let orders: Client = t.app("orders", AppDocument { limits, ..AppDocument::default() }).await;
    for (params, words) in [
        (json!({"state": "free"}), "parameter \"chat_id\" is required"),
        (json!({"chat_id": 7}), "parameter \"state\" is required"),
        (json!({"chat_id": "@shop", "state": "free"}), "by its number"),
        (json!({"chat_id": 7, "state": "talking"}), "dialogue, free or manager"),
        (json!({"chat_id": 7, "state": "free", "note": "x".repeat(1025)}), "too long"),
        (json!({"chat_id": 8, "state": "free"}), "use chat 8"),
    ] {
        let answer = orders.call("tandemSetConversation", params).await;
        assert!(answer.status == 400 && answer.description().contains(words), "{}", answer.text());
    }
    orders.result("tandemSetConversation", json!({"chat_id": 7, "state": "free"})).await;
}
