//! Connecting, reconnecting, addresses, several bots, another Bot API server.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::stage::{Stage, eventually, message};

#[tokio::test]
async fn connecting_a_bot_gives_telegram_the_hook_with_the_token() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let expected = format!("{}/~external/hooks/telegram?t={}&", stage.sandbox.amocrm_url(), bot.token);
    assert_eq!(stage.webhook(&bot).await, expected);
    assert_eq!(stage.look(&format!("/amocrm/{}", bot.id)).await["hook"], expected);
}

#[tokio::test]
async fn a_client_who_writes_to_telegram_appears_in_amocrm() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let anna = stage.client("Анна").await;
    stage.client_acts(anna, &bot, "text", json!({"text": "Здравствуйте"})).await;
    let lines = stage.lines_when(&bot, anna, 1).await;
    assert_eq!(lines, [("client".into(), "text".into(), "Здравствуйте".into())]);
}

#[tokio::test]
async fn a_token_that_telegram_refuses_is_refused_in_its_words_and_leaves_nothing() {
    let stage = Stage::new().await;
    let body = json!({"token": "1234567890:AAwrong-wrong-wrong-wrong-wrong-wr"});
    let (status, answer) = stage.ask(Method::POST, "/amocrm/connect", Some(body)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer["error"].as_str().unwrap().contains("401 Unauthorized"), "{answer}");
    assert_eq!(stage.look("/amocrm").await["bots"], json!([]));
}

#[tokio::test]
async fn many_bots_share_one_account_and_one_contact() {
    let stage = Stage::new().await;
    let (shop, cafe) = (stage.connected_bot().await, stage.connected_bot().await);
    stage.deliver(&shop, &message(1, 501, json!({"text": "в магазин"}))).await.unwrap();
    stage.deliver(&cafe, &message(1, 501, json!({"text": "в кафе"}))).await.unwrap();
    stage.deliver(&cafe, &message(2, 502, json!({"text": "и я"}))).await.unwrap();
    assert_eq!(stage.lines(&shop, 501).await.len(), 1);
    assert_eq!(stage.lines(&cafe, 501).await, [("client".into(), "text".into(), "в кафе".into())]);
    let contacts = stage.look("/amocrm/contacts").await;
    assert_eq!(contacts["contacts"].as_array().unwrap().len(), 2);
    // The second chat of the same client joins the lead that is open already.
    assert_eq!(stage.look("/amocrm/leads").await["leads"].as_array().unwrap().len(), 2);
    assert_eq!(stage.look("/amocrm/talks").await["talks"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn reconnecting_takes_the_webhook_again() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let hook = stage.webhook(&bot).await;
    stage.bot_api(&bot, "deleteWebhook", json!({})).await;
    assert_eq!(stage.webhook(&bot).await, "");
    // Telegram takes one setWebhook a second.
    stage.sandbox.clock().advance(std::time::Duration::from_secs(2));
    stage.act(&format!("/amocrm/{}/reconnect", bot.id), json!({})).await;
    assert_eq!(stage.webhook(&bot).await, hook);
}

#[tokio::test]
async fn amocrm_takes_the_webhook_again_and_again_until_it_is_told_to_end() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let hook = stage.webhook(&bot).await;
    let insist = format!("/amocrm/{}/insist", bot.id);
    let (status, refusal) = stage.ask(Method::POST, &insist, Some(json!({"every_ms": 0}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{refusal}");
    let clock = stage.sandbox.clock();
    let begun_ms = clock.now_ms();
    stage.act(&insist, json!({"every_ms": 5000, "times": 3})).await;
    let seen = async || stage.look(&format!("/amocrm/{}", bot.id)).await["insisting"].clone();
    for nth in 1..=3 {
        stage.bot_api(&bot, "deleteWebhook", json!({})).await;
        clock.until_sleeping(|times| times.contains(&(begun_ms + nth * 5000))).await;
        clock.set(begun_ms + nth * 5000);
        eventually("the hook", async || (stage.webhook(&bot).await == hook).then_some(())).await;
        eventually("the count", async || (seen().await["done"] == nth).then_some(())).await;
    }
    stage.bot_api(&bot, "deleteWebhook", json!({})).await;
    stage.act(&insist, json!({"every_ms": 5000, "new_address": true})).await;
    clock.until_sleeping(|times| times.contains(&(begun_ms + 20_000))).await;
    clock.set(begun_ms + 20_000);
    eventually("a new hook", async || {
        let now = stage.webhook(&bot).await;
        (!now.is_empty() && now != hook).then_some(())
    })
    .await;
    let (status, _) = stage.ask(Method::DELETE, &insist, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    clock.until_sleeping(|times| !times.contains(&(begun_ms + 25_000))).await;
    assert_eq!(seen().await["refused"], 0);
}

#[tokio::test]
async fn a_new_address_is_told_to_telegram_and_the_old_one_stops_or_stays() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let old = stage.webhook(&bot).await;
    let reconnect = format!("/amocrm/{}/reconnect", bot.id);
    let second = std::time::Duration::from_secs(2);

    stage.sandbox.clock().advance(second);
    stage.act(&reconnect, json!({"new_address": true, "keep_old": true})).await;
    let moved = stage.webhook(&bot).await;
    assert_ne!(moved, old);
    for (update_id, address) in [(1, &old), (2, &moved)] {
        let body = message(update_id, 501, json!({"text": "да"})).to_string();
        assert_eq!(stage.post(address, body).await.unwrap().status(), StatusCode::OK);
    }

    stage.sandbox.clock().advance(second);
    stage.act(&reconnect, json!({"path": "/hooks/new"})).await;
    assert_eq!(stage.webhook(&bot).await, format!("{}/hooks/new", stage.sandbox.amocrm_url()));
    for address in [&old, &moved] {
        let body = message(3, 501, json!({"text": "нет"})).to_string();
        assert_eq!(stage.post(address, body).await.unwrap().status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(stage.lines(&bot, 501).await.len(), 2);
}

#[tokio::test]
async fn the_older_numbered_hook_is_answered() {
    let stage = Stage::new().await;
    let account = stage.look("/amocrm").await["account"]["id"].as_u64().unwrap();
    let bot = stage.connected_bot().await;
    let base = stage.sandbox.amocrm_url();
    let body = |update_id| message(update_id, 501, json!({"text": "по номеру"})).to_string();

    let by_account = format!("{base}/webhook/{account}");
    assert_eq!(stage.post(&by_account, body(1)).await.unwrap().status(), StatusCode::OK);

    stage.sandbox.clock().advance(std::time::Duration::from_secs(2));
    stage.act(&format!("/amocrm/{}/reconnect", bot.id), json!({"account": 77})).await;
    assert_eq!(stage.webhook(&bot).await, format!("{base}/webhook/77"));
    assert_eq!(stage.post(&format!("{base}/webhook/77"), body(2)).await.unwrap().status(), StatusCode::OK);

    // With two bots the account's number names nobody, and a number in use is nobody else's.
    let other = stage.connected_bot().await;
    assert_eq!(stage.post(&by_account, body(3)).await.unwrap().status(), StatusCode::NOT_FOUND);
    stage.sandbox.clock().advance(std::time::Duration::from_secs(2));
    let path = format!("/amocrm/{}/reconnect", other.id);
    let (status, answer) = stage.ask(Method::POST, &path, Some(json!({"account": 77}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    assert!(stage.webhook(&other).await.contains("~external"), "it keeps the address it had");
}

#[tokio::test]
async fn a_refused_reconnect_changes_nothing() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let before = stage.look(&format!("/amocrm/{}", bot.id)).await;
    stage
        .act(
            &format!("/bots/{}/faults", bot.id),
            json!({"method": "setWebhook", "fault": {"kind": "status", "code": 500}, "times": 1}),
        )
        .await;
    let path = format!("/amocrm/{}/reconnect", bot.id);
    let (status, _) = stage.ask(Method::POST, &path, Some(json!({"path": "/hooks/new"}))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(stage.look(&format!("/amocrm/{}", bot.id)).await, before);
    let answer = stage.deliver(&bot, &message(1, 501, json!({"text": "ещё тут"}))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_removed_bot_is_not_listened_to_and_its_chats_stay() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    stage.deliver(&bot, &message(1, 501, json!({"text": "до"}))).await.unwrap();
    let path = format!("/amocrm/{}/disconnect", bot.id);
    let (status, _) = stage.ask(Method::POST, &path, Some(json!({"delete_webhook": true}))).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(stage.webhook(&bot).await, "");
    let answer = stage.deliver(&bot, &message(2, 501, json!({"text": "после"}))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(stage.lines(&bot, 501).await.len(), 1);
    let reply = json!({"user": 501, "text": "поздно"});
    let (status, _) = stage.ask(Method::POST, &format!("/amocrm/{}/reply", bot.id), Some(reply)).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_bot_may_be_connected_through_another_server() {
    let called: Arc<Mutex<Vec<String>>> = Arc::default();
    let server = Router::new()
        .fallback(async |State(called): State<Arc<Mutex<Vec<String>>>>, uri: Uri| {
            called.lock().unwrap().push(uri.path().to_owned());
            r#"{"ok":true,"result":{"id":77,"is_bot":true,"username":"relayed_bot","message_id":5}}"#
        })
        .with_state(Arc::clone(&called));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/gateway", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, server).into_future());

    let stage = Stage::new().await;
    let token = "77:AAgatewaygatewaygatewaygatewaygateway";
    let connected = stage.act("/amocrm/connect", json!({"token": token, "telegram": base})).await;
    assert_eq!((&connected["bot"], &connected["username"]), (&json!(77), &json!("relayed_bot")));
    let hook = connected["hook"].as_str().unwrap();
    stage.post(hook, message(1, 501, json!({"text": "через шлюз"})).to_string()).await.unwrap();
    let said = stage.act("/amocrm/77/reply", json!({"user": 501, "text": "слышу"})).await;
    assert_eq!(said["delivery"]["state"], "sent");
    let expected: Vec<String> =
        ["getMe", "setWebhook", "sendMessage"].map(|name| format!("/gateway/bot{token}/{name}")).into();
    assert_eq!(*called.lock().unwrap(), expected);
}

#[tokio::test]
async fn control_errors_say_what_was_expected() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let refused = async |path: &str, body| {
        let (status, answer) = stage.ask(Method::POST, path, Some(body)).await;
        assert!(answer["error"].is_string() && answer["expected"].is_string(), "{path}: {answer}");
        status
    };
    assert_eq!(refused("/amocrm/connect", json!({})).await, StatusCode::BAD_REQUEST);
    assert_eq!(
        refused("/amocrm/connect", json!({"token": "1:a", "telegram": "here"})).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(refused("/amocrm/1/reconnect", json!({})).await, StatusCode::NOT_FOUND);
    let own = |route: &str| format!("/amocrm/{}/{route}", bot.id);
    assert_eq!(refused(&own("reconnect"), json!({"path": "no-slash"})).await, StatusCode::BAD_REQUEST);
    assert_eq!(refused(&own("reconnect"), json!({"adress": 1})).await, StatusCode::BAD_REQUEST);
    assert_eq!(refused(&own("reply"), json!({"user": 501, "text": "x"})).await, StatusCode::NOT_FOUND);
    assert_eq!(refused(&own("reply"), json!({"text": "x"})).await, StatusCode::BAD_REQUEST);
    assert_eq!(
        refused(&own("faults"), json!({"fault": {"kind": "status", "code": 42}})).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(refused(&own("salesbot"), json!({"buttons": []})).await, StatusCode::BAD_REQUEST);
    assert_eq!(refused("/amocrm/x/reply", json!({})).await, StatusCode::BAD_REQUEST);
    assert_eq!(
        refused("/amocrm/hooks", json!({"destination": "x", "settings": ["add_message"]})).await,
        StatusCode::BAD_REQUEST
    );
}
