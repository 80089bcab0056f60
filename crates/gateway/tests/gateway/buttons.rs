//! A text equal to a button of the last reply keyboard shown in the chat is a press.

use serde_json::{Value, json};
use tandem_gateway::AppDocument;
use tandem_model::{EventKind, Flags};

use crate::support::{Stage, message, server::Reply};

async fn shows(t: &Stage, chat: i64, markup: Value) {
    t.telegram.on("sendMessage", Reply::ok(&message(5, chat, "Menu")));
    t.main().result("sendMessage", json!({"chat_id": chat, "text": "Menu", "reply_markup": markup})).await;
}

async fn is_press(t: &mut Stage, chat: i64, text: &str) -> bool {
    t.says(chat, text).await;
    t.journal(EventKind::Update).await.last().unwrap().flags.intersects(Flags::KNOWN_BUTTON)
}

#[tokio::test]
async fn a_press_is_known_by_what_the_last_keyboard_shows_also_after_a_start() {
    let mut t = Stage::start().await;
    assert!(!is_press(&mut t, 7, "Balance").await);
    shows(&t, 7, json!({"keyboard": [["Balance", {"text": " Order "}]], "is_persistent": true})).await;
    assert!(is_press(&mut t, 7, "Balance").await && is_press(&mut t, 7, "Order").await);
    assert!(!is_press(&mut t, 7, "balance").await, "Telegram sends exactly the button's text");
    assert!(!is_press(&mut t, 8, "Balance").await, "another chat");
    // What shows no reply keyboard leaves it.
    shows(&t, 7, json!({"inline_keyboard": [[{"text": "x", "callback_data": "x"}]]})).await;
    shows(&t, 7, json!({"force_reply": true})).await;
    let mut t = t.restart().await;
    assert!(is_press(&mut t, 7, "Balance").await);
    shows(&t, 7, json!({"keyboard": [["Back"]]})).await;
    assert!(is_press(&mut t, 7, "Back").await && !is_press(&mut t, 7, "Balance").await);
    shows(&t, 7, json!({"remove_keyboard": true})).await;
    assert!(!is_press(&mut t, 7, "Back").await);
    let mut t = t.restart().await;
    assert!(!is_press(&mut t, 7, "Back").await);
}

#[tokio::test]
async fn a_keyboard_for_one_time_stays_within_reach_and_counts() {
    let mut t = Stage::start().await;
    shows(&t, 7, json!({"keyboard": [["Yes"]], "one_time_keyboard": true})).await;
    assert!(is_press(&mut t, 7, "Yes").await && is_press(&mut t, 7, "Yes").await);
}

#[tokio::test]
async fn one_text_to_more_than_thirty_chats_is_a_campaign_from_then_on() {
    let t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    for chat in 1..=33 {
        t.telegram.on("sendMessage", Reply::ok(&message(5, chat, "Sale!")));
        t.main().result("sendMessage", json!({"chat_id": chat, "text": "Sale!"})).await;
        orders.result("sendMessage", json!({"chat_id": chat, "text": format!("Order {chat}")})).await;
    }
    let sent = t.journal(EventKind::Sent).await;
    let campaign = |name: &str| {
        let of_app = sent.iter().filter(|event| event.cause == Some(t.app_of(name).lane()));
        of_app.filter(|event| event.flags.intersects(Flags::CAMPAIGN)).count()
    };
    assert_eq!((campaign("main"), campaign("orders")), (3, 0));
}
