//! A webhook's answer that is a call (reference/telegram.md 3.3): carried out as that app, mirrored like any other.

use serde_json::json;
use tandem_gateway::{AppDocument, BotState};

use crate::support::{
    REAL, Stage,
    http::multipart,
    message,
    server::{Reply, Server},
};

#[tokio::test]
async fn a_reply_may_have_any_form_and_is_carried_out_and_kept() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    orders.result("setWebhook", json!({"url": format!("http://{}/hook", receiver.address)})).await;
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, "hi")));
    t.telegram.on("sendPhoto", Reply::ok(&message(6, 7, "")));
    let photo =
        multipart(&[("method", None, b"sendPhoto"), ("chat_id", None, b"7"), ("photo", Some("p"), b"PNG")]);
    let photo = String::from_utf8(photo).unwrap();
    for (kind, body, path) in [
        ("application/json", r#"{"method":"sendMessage","chat_id":7,"text":"hi"}"#, "sendMessage"),
        ("application/x-www-form-urlencoded", "method=sendMessage&chat_id=7&text=hi", "sendMessage"),
        ("multipart/form-data; boundary=b", &photo, "sendPhoto"),
        ("application/json", r#"{"method":"sendChatAction","chat_id":7}"#, "sendChatAction"),
    ] {
        receiver.next([Reply::typed("200 OK", kind, body)]);
        t.says(7, "hello").await;
        t.run_due().await;
        let asked = t.telegram.take_seen();
        assert_eq!(asked.len(), 1, "{kind}");
        assert_eq!(asked[0].path(), format!("/bot{REAL}/{path}"));
        assert!(!asked[0].text().contains("method"), "it is no parameter");
    }
    let sent = t.sent().await;
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[0].0.cause, Some(t.app_of("orders").lane()));
    assert_eq!(sent[0].1["by"], json!({"app": "orders"}));
    assert_eq!(sent[2].1["parameters"]["files"][0]["size_bytes"], 3);
}

#[tokio::test]
async fn forbidden_methods_and_other_answers_do_nothing() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    let url = format!("http://{}/hook", receiver.address);
    t.main().result("setWebhook", json!({"url": url})).await;
    for method in ["setWebhook", "deleteWebhook", "DELETEWEBHOOK", "close", "logOut", "getMe", "getUpdates"] {
        let body = format!("{{\"method\":\"{method}\",\"drop_pending_updates\":true}}");
        receiver.next([Reply::typed("200 OK", "application/json", &body)]);
        t.says(7, "hello").await;
        t.run_due().await;
    }
    for body in ["ok", "{}", "[", "{\"method\":", "\u{0}"] {
        receiver.next([Reply::typed("200 OK", "application/json", body)]);
        t.says(7, "hello").await;
        t.run_due().await;
    }
    assert!(t.telegram.seen().is_empty());
    assert_eq!(receiver.seen().len(), 12);
    assert_eq!(t.main().result("getWebhookInfo", json!({})).await["url"], url);
}

#[tokio::test]
async fn a_reply_that_fails_is_told_to_nobody_and_its_update_is_done() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    t.main().result("setWebhook", json!({"url": format!("http://{}/hook", receiver.address)})).await;
    let call = r#"{"method":"sendMessage","chat_id":7,"text":"hi"}"#;
    receiver.on("hook", Reply::typed("200 OK", "application/json", call));
    t.telegram.on("sendMessage", Reply::Reset);
    t.says(7, "hello").await;
    t.run_due().await;
    assert_eq!((receiver.seen().len(), t.telegram.seen().len()), (1, 1), "neither is repeated");
    let info = t.main().result("getWebhookInfo", json!({})).await;
    assert_eq!((info.get("last_error_message"), &info["pending_update_count"]), (None, &json!(0)));
}

#[tokio::test]
async fn a_bot_whose_token_is_refused_sends_nothing_more() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    t.main().result("setWebhook", json!({"url": format!("http://{}/hook", receiver.address)})).await;
    let call = r#"{"method":"sendMessage","chat_id":7,"text":"hi"}"#;
    receiver.on("hook", Reply::typed("200 OK", "application/json", call));
    let unauthorized = r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#;
    t.telegram.on("sendMessage", Reply::json("401 Unauthorized", unauthorized));
    for _ in 0..2 {
        t.says(7, "hello").await;
        t.run_due().await;
    }
    assert_eq!(t.bot.state(), BotState::Revoked);
    assert_eq!((receiver.seen().len(), t.telegram.seen().len()), (2, 1));
}

#[tokio::test]
async fn a_failed_delivery_carries_no_call() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    t.main().result("setWebhook", json!({"url": format!("http://{}/hook", receiver.address)})).await;
    let call = r#"{"method":"sendMessage","chat_id":7,"text":"hi"}"#;
    receiver.next([Reply::typed("500 Internal Server Error", "application/json", call)]);
    t.says(7, "hello").await;
    t.run_due().await;
    assert!(t.telegram.seen().is_empty());
}
