//! A press of a button goes to the app it is for, and to everybody when that is not known.

use serde_json::{Value, json};
use tandem_gateway::AppDocument;

use crate::support::{Client, Stage, message, server::Reply};

pub(crate) fn keyboard(data: &str) -> Value {
    json!({"inline_keyboard": [[{"text": "Yes", "callback_data": data}]]})
}

/// Sends a message with a button; Telegram gives it this number.
async fn shows(t: &Stage, app: &Client, chat: i64, id: i64, data: &str) {
    let mut shown: Value = serde_json::from_str(&message(id, chat, "Well?")).unwrap();
    shown["reply_markup"] = keyboard(data);
    t.telegram.on("sendMessage", Reply::ok(&shown.to_string()));
    let asked = json!({"chat_id": chat, "text": "Well?", "reply_markup": keyboard(data)});
    app.result("sendMessage", asked).await;
}

/// A client presses the button under a message.
pub(crate) async fn pressed(t: &mut Stage, query: &str, chat: &Value, id: i64, data: &str) {
    let press = json!({
        "id": query, "from": {"id": 7, "is_bot": false, "first_name": "Ann"}, "data": data,
        "message": {"message_id": id, "date": 1, "chat": chat},
    });
    t.update("callback_query", &press).await;
}

fn chat(id: i64) -> Value {
    json!({"id": id, "type": "private"})
}

/// The data of the presses that wait for an app.
async fn data(app: &Client) -> Vec<String> {
    let updates = app.updates(json!({})).await;
    updates.iter().filter_map(|update| Some(update["callback_query"]["data"].as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn a_press_goes_to_the_app_whose_message_carries_the_button() {
    let t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    shows(&t, &orders, 7, 5, "o").await;
    shows(&t, &t.main(), 7, 6, "m").await;
    let mut t = t.restart().await;
    let (main, orders) = (t.main(), Client { address: t.address, ..orders });
    pressed(&mut t, "1", &chat(7), 5, "o").await;
    pressed(&mut t, "2", &chat(7), 6, "m").await;
    pressed(&mut t, "3", &chat(8), 5, "another chat's").await;
    assert_eq!(data(&main).await, ["m", "another chat's"]);
    assert_eq!(data(&orders).await, ["o", "another chat's"]);
}

#[tokio::test]
async fn an_edit_with_a_keyboard_takes_the_message_over_and_one_without_does_not() {
    let mut t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    shows(&t, &t.main(), 7, 5, "m").await;
    t.telegram.on("editMessageText", Reply::ok(&message(5, 7, "edited")));
    orders.result("editMessageText", json!({"chat_id": 7, "message_id": 5, "text": "edited"})).await;
    pressed(&mut t, "1", &chat(7), 5, "first").await;
    let with = json!({"chat_id": 7, "message_id": 5, "reply_markup": keyboard("o")});
    orders.result("editMessageText", with).await;
    pressed(&mut t, "2", &chat(7), 5, "second").await;
    assert_eq!(data(&t.main()).await, ["first"]);
    assert_eq!(data(&orders).await, ["second"]);
}

#[tokio::test]
async fn copies_inline_messages_and_public_chats_are_known_by_what_the_call_says() {
    let mut t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    t.telegram.on("copyMessage", Reply::ok("{\"message_id\":9}"));
    let copy = json!({"chat_id": "@Shop", "from_chat_id": 8, "message_id": 1, "reply_markup": keyboard("c")});
    orders.result("copyMessage", copy).await;
    let edit = json!({"inline_message_id": "in", "text": "x", "reply_markup": keyboard("i")});
    orders.result("editMessageText", edit).await;
    let public = json!({"id": -1_001, "type": "channel", "username": "shop"});
    pressed(&mut t, "1", &public, 9, "c").await;
    let inline = json!({
        "id": "2", "from": {"id": 7, "is_bot": false, "first_name": "Ann"}, "data": "i",
        "inline_message_id": "in",
    });
    t.update("callback_query", &inline).await;
    assert_eq!(data(&orders).await, ["c", "i"]);
    assert!(data(&t.main()).await.is_empty());
}

#[tokio::test]
async fn a_claimed_beginning_wins_over_whose_message_it_is_and_over_nobody() {
    let mut t = Stage::start().await;
    let claims = ["order:".to_owned()].into();
    let orders = t.app("orders", AppDocument { claims, ..AppDocument::default() }).await;
    shows(&t, &t.main(), 7, 5, "order:1").await;
    pressed(&mut t, "1", &chat(7), 5, "order:1").await;
    pressed(&mut t, "2", &chat(7), 4, "order:2").await;
    pressed(&mut t, "3", &chat(7), 4, "other").await;
    assert_eq!(data(&orders).await, ["order:1", "order:2", "other"]);
    assert_eq!(data(&t.main()).await, ["other"]);
}

#[tokio::test]
async fn buttons_of_an_app_that_is_gone_or_takes_no_presses_are_for_everybody() {
    let mut t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    let notes = t.app("notes", AppDocument::default()).await;
    shows(&t, &orders, 7, 5, "o").await;
    shows(&t, &notes, 7, 6, "n").await;
    t.directory.remove_app(t.bot.id(), "orders");
    notes.updates(json!({"allowed_updates": ["message"]})).await;
    let late = t.app("late", AppDocument::default()).await;
    pressed(&mut t, "1", &chat(7), 5, "o").await;
    pressed(&mut t, "2", &chat(7), 6, "n").await;
    assert_eq!(data(&t.main()).await, ["o", "n"]);
    assert_eq!(data(&late).await, ["o", "n"], "one that has joined since");
}

#[tokio::test]
async fn with_one_app_every_press_is_its_own() {
    let mut t = Stage::start().await;
    shows(&t, &t.main(), 7, 5, "m").await;
    pressed(&mut t, "1", &chat(7), 5, "m").await;
    pressed(&mut t, "2", &chat(7), 4, "unknown").await;
    assert_eq!(data(&t.main()).await, ["m", "unknown"]);
    for event in t.journal(tandem_model::EventKind::Update).await {
        assert_eq!(event.owner, None);
    }
    // A second app that joins later finds the buttons of the first to be the first's.
    let second = t.app("second", AppDocument::default()).await;
    pressed(&mut t, "3", &chat(7), 5, "m").await;
    assert!(data(&second).await.is_empty());
}
