//! How amoCRM fails when it is told to.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::stage::{Bot, Stage, eventually, message};

async fn plan(stage: &Stage, bot: &Bot, body: Value) {
    stage.act(&format!("/amocrm/{}/faults", bot.id), body).await;
}

#[tokio::test]
async fn telegram_repeats_what_amocrm_failed_to_take() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let anna = stage.client("Анна").await;
    plan(&stage, &bot, json!({"fault": {"kind": "status", "code": 500}, "times": 1})).await;
    stage.client_acts(anna, &bot, "text", json!({"text": "слышно?"})).await;
    stage.lines_when(&bot, anna, 1).await;
    let raw = stage.look(&format!("/amocrm/{}/raw", bot.id)).await;
    let raw = raw["deliveries"].as_array().unwrap();
    assert_eq!((raw.len(), &raw[0]["outcome"], &raw[1]["outcome"]), (2, &json!("fault"), &json!("taken")));
    assert_eq!(raw[0]["body_base64"], raw[1]["body_base64"]);
    assert_eq!((&raw[0]["fault"]["code"], &raw[1]["fault"]), (&json!(500), &Value::Null));
    assert_eq!(stage.deliveries(&bot).await["refused"], 1);
}

#[tokio::test]
async fn a_status_has_its_body_and_its_retry_after_and_may_come_after_taking() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let fault = json!({"kind": "status", "code": 503, "body": "busy", "retry_after": 7, "taken": true});
    plan(&stage, &bot, json!({"fault": fault, "times": 1})).await;
    let update = message(1, 501, json!({"text": "раз"}));
    let answer = stage.deliver(&bot, &update).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "7");
    assert_eq!(answer.text().await.unwrap(), "busy");
    // The sender cannot know that it was taken, and repeats.
    assert_eq!(stage.deliver(&bot, &update).await.unwrap().status(), StatusCode::OK);
    assert_eq!(stage.deliveries(&bot).await["repeats"], 1);
    assert_eq!(stage.lines(&bot, 501).await.len(), 1);
}

#[tokio::test]
async fn a_fault_with_a_share_meets_so_many_deliveries_and_no_others() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    plan(&stage, &bot, json!({"fault": {"kind": "status", "code": 503}, "percent": 30})).await;
    let mut failed = 0;
    for update_id in 1..=200 {
        let update = message(update_id, 501, json!({"text": "раз"}));
        failed += i32::from(stage.deliver(&bot, &update).await.unwrap().status() != StatusCode::OK);
    }
    assert!((30..90).contains(&failed), "{failed} of 200");
}

#[tokio::test]
async fn a_timed_fault_ends_by_the_sandboxs_clock_and_any_fault_when_it_is_cleared() {
    let stage = Stage::new().await;
    let (bot, other) = (stage.connected_bot().await, stage.connected_bot().await);
    let update = message(1, 501, json!({"text": "раз"}));
    let status = async |bot: &Bot| stage.deliver(bot, &update).await.unwrap().status().as_u16();
    plan(&stage, &bot, json!({"fault": {"kind": "status", "code": 404}, "for_ms": 60_000})).await;
    assert_eq!((status(&bot).await, status(&other).await), (404, 200), "the fault is one bot's");
    stage.sandbox.clock().advance(Duration::from_mins(1));
    assert_eq!(status(&bot).await, 200);

    stage.act("/amocrm/faults", json!({"fault": {"kind": "status", "code": 502}})).await;
    assert_eq!((status(&bot).await, status(&other).await), (502, 502), "this one is everybody's");
    stage.ask(reqwest::Method::DELETE, "/amocrm/faults", None).await;
    assert_eq!(status(&bot).await, 200);
}

#[tokio::test]
async fn a_slow_answer_comes_when_the_clock_says_so() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    plan(&stage, &bot, json!({"fault": {"kind": "slow", "ms": 5000}, "times": 1})).await;
    let update = message(1, 501, json!({"text": "медленно"}));
    let due_ms = stage.sandbox.clock().now_ms() + 5000;
    let (answer, ()) = tokio::join!(stage.deliver(&bot, &update), async {
        stage.sandbox.clock().until_sleeping(|times| times.contains(&due_ms)).await;
        assert_eq!(stage.lines(&bot, 501).await.len(), 1, "it is shown before it is answered");
        stage.sandbox.clock().advance(Duration::from_secs(5));
    });
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn silence_and_reset_leave_the_sender_without_an_answer() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    plan(&stage, &bot, json!({"fault": {"kind": "reset"}, "times": 1})).await;
    plan(&stage, &bot, json!({"fault": {"kind": "silence", "taken": true}, "times": 1})).await;
    let update = message(1, 501, json!({"text": "эй"}));
    let reset = stage.deliver(&bot, &update).await.unwrap_err();
    assert!(reset.is_request() && !reset.is_connect(), "{reset:?}");
    assert_eq!(stage.lines(&bot, 501).await.len(), 0);
    let hook = stage.webhook(&bot).await;
    let silent =
        stage.http.post(hook).timeout(Duration::from_millis(200)).body(update.to_string()).send().await;
    assert!(silent.unwrap_err().is_timeout());
    assert_eq!(stage.lines(&bot, 501).await.len(), 1);
}

#[tokio::test]
async fn amocrm_down_refuses_or_resets_connections_and_comes_back() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let update = message(1, 501, json!({"text": "раз"}));
    stage.deliver(&bot, &update).await.unwrap();
    // The door moves in its own time; a connection that was open is closed with it.
    stage.act("/amocrm/down", json!({})).await;
    eventually("a refusal", async || {
        stage.deliver(&bot, &update).await.err().filter(reqwest::Error::is_connect)
    })
    .await;
    assert_eq!(stage.look("/amocrm").await["up"], false);

    stage.act("/amocrm/down", json!({"how": "reset"})).await;
    eventually("a reset", async || {
        stage.deliver(&bot, &update).await.err().filter(|error| !error.is_connect())
    })
    .await;

    stage.act("/amocrm/up", json!({})).await;
    eventually("an answer", async || stage.deliver(&bot, &update).await.ok()).await;

    stage.act("/amocrm/down", json!({"for_ms": 60_000})).await;
    eventually("a refusal", async || {
        stage.deliver(&bot, &update).await.err().filter(reqwest::Error::is_connect)
    })
    .await;
    stage.sandbox.clock().advance(Duration::from_mins(1));
    eventually("an answer", async || stage.deliver(&bot, &update).await.ok()).await;

    // A time that was set earlier does not open a door that was shut later.
    stage.act("/amocrm/down", json!({"for_ms": 60_000})).await;
    let due_ms = stage.sandbox.clock().now_ms() + 60_000;
    stage.sandbox.clock().until_sleeping(|times| times.contains(&due_ms)).await;
    stage.act("/amocrm/down", json!({"how": "reset"})).await;
    stage.sandbox.clock().advance(Duration::from_mins(1));
    assert_eq!(stage.look("/amocrm").await["up"], false);
    stage.act("/amocrm/up", json!({})).await;
    eventually("an answer", async || stage.deliver(&bot, &update).await.ok()).await;
}
