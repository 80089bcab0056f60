//! Two apps on one bot: neither notices the other.

use std::time::Duration;

use serde_json::json;
use tandem_gateway::{AppDocument, BotState};

use crate::support::{Stage, server::Server};

#[tokio::test]
async fn each_app_has_everything_and_confirms_for_itself() {
    let mut t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    for text in ["one", "two"] {
        t.says(7, text).await;
    }
    let last = t.main().updates(json!({})).await[1]["update_id"].as_i64().unwrap();
    assert!(t.main().updates(json!({"offset": last + 1})).await.is_empty());
    assert_eq!(orders.texts(json!({})).await, ["one", "two"]);
}

#[tokio::test]
async fn dropping_asking_for_kinds_and_setting_a_webhook_concern_the_caller_alone() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    t.says(7, "one").await;
    orders.result("deleteWebhook", json!({"drop_pending_updates": true, "allowed_updates": ["poll"]})).await;
    t.says(7, "two").await;
    let url = format!("http://{}/hook", receiver.address);
    orders.result("setWebhook", json!({"url": url, "allowed_updates": ["message"]})).await;
    t.says(7, "three").await;
    t.run_due().await;
    assert_eq!(t.main().texts(json!({})).await, ["one", "two", "three"]);
    let info = t.main().result("getWebhookInfo", json!({})).await;
    assert_eq!(info, json!({"url": "", "has_custom_certificate": false, "pending_update_count": 3}));
    let seen = receiver.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].text().contains("three"));
    assert!(t.telegram.seen().is_empty(), "Telegram heard of none of this");
}

#[tokio::test]
async fn a_webhook_that_fails_delays_nobody_else() {
    let mut t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    orders.result("setWebhook", json!({"url": "http://127.0.0.1:9/"})).await;
    t.says(7, "one").await;
    t.run_due().await;
    assert_eq!(t.main().texts(json!({})).await, ["one"]);
    orders.result("deleteWebhook", json!({})).await;
    assert_eq!(orders.texts(json!({})).await, ["one"], "what was not delivered is there to be polled");
}

#[tokio::test]
async fn a_bot_that_was_given_back_is_known_no_longer_and_a_revoked_one_still_gives_what_it_has() {
    let mut t = Stage::start().await;
    t.says(7, "one").await;
    t.bot.set_state(BotState::Revoked);
    assert_eq!(t.main().texts(json!({})).await, ["one"]);
    assert_eq!(t.main().call("getMe", json!({})).await.status, 401);
    assert_eq!(t.main().call("sendMessage", json!({"chat_id": 7, "text": "x"})).await.status, 401);
    t.bot.set_state(BotState::Released);
    t.clock.advance(Duration::from_secs(5));
    assert_eq!(t.main().call("getUpdates", json!({})).await.description(), "Unauthorized");
    assert!(t.telegram.seen().is_empty());
}
