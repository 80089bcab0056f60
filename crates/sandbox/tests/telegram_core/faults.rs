//! Planted faults.

use std::io;

use serde_json::{Value, json};
use tandem_sandbox::telegram::{FaultSpec, NewBot};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::stage::{Receiver, Stage, post, soon};

fn plant(stage: &Stage, fault: Value) {
    let spec: FaultSpec = serde_json::from_value(fault).unwrap();
    stage.bot.plant_fault(spec).unwrap();
}

#[tokio::test]
async fn a_status_comes_as_json_or_as_the_page_of_nginx() {
    let stage = Stage::start().await;
    plant(
        &stage,
        json!({"method": "getMe", "fault": {"kind": "status", "code": 429, "retry_after": 9}, "times": 1}),
    );
    plant(&stage, json!({"method": "*", "fault": {"kind": "status", "code": 500}, "times": 1}));
    plant(
        &stage,
        json!({"method": "*", "fault": {"kind": "status", "code": 502, "body": "html"}, "times": 1}),
    );
    let slow = stage.call("getMe", "").await;
    assert_eq!(
        slow.json(),
        json!({
            "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 9",
            "parameters": {"retry_after": 9},
        })
    );
    assert_eq!(slow.header("retry-after"), Some("9"));
    let broken = stage.call("getMe", "").await;
    assert_eq!(
        broken.json(),
        json!({"ok": false, "error_code": 500, "description": "Internal Server Error"})
    );
    let page = stage.call("getMe", "").await;
    assert_eq!((page.status, page.header("content-type")), (502, Some("text/html")));
    assert!(String::from_utf8(page.body).unwrap().contains("<h1>502 Bad Gateway</h1>"));
    assert_eq!(stage.call("getMe", "").await.status, 200);
}

#[tokio::test]
async fn a_fault_meets_its_method_and_its_bot_only() {
    let stage = Stage::start().await;
    let other = stage.sandbox.telegram().create_bot(NewBot::default()).unwrap();
    plant(&stage, json!({"method": "GETME", "fault": {"kind": "unauthorized"}}));
    assert_eq!(stage.call("getMe", "").await.status, 401);
    assert_eq!(stage.call("getWebhookInfo", "").await.status, 200);
    let path = format!("/bot{}/getMe", other.token());
    assert_eq!(stage.post(&path, "text/plain", "").await.status, 200);
    stage.bot.clear_faults();
    assert_eq!(stage.call("getMe", "").await.status, 200);
}

#[tokio::test]
async fn a_timed_fault_ends_with_its_time() {
    let stage = Stage::start().await;
    plant(&stage, json!({"method": "*", "fault": {"kind": "status", "code": 500}, "for_ms": 5000}));
    assert_eq!(stage.call("getMe", "").await.status, 500);
    stage.advance(5);
    assert_eq!(stage.call("getMe", "").await.status, 200);
}

#[tokio::test]
async fn a_reset_connection_ends_without_an_answer() {
    let stage = Stage::start().await;
    plant(&stage, json!({"method": "getMe", "fault": {"kind": "reset"}, "times": 1}));
    plant(&stage, json!({"method": "getMe", "fault": {"kind": "reset"}, "times": 1, "when": "after"}));
    for calls in 0..2 {
        let mut stream = stage.connect().await;
        let request = post(&format!("/bot{}/getMe", stage.token()), "text/plain", "");
        stream.write_all(&request).await.unwrap();
        let error = soon("the reset", stream.read(&mut [0; 16])).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        let effects = stage.bot.calls_after(0).iter().filter(|call| call.ok).count();
        assert_eq!(effects, calls, "the second had its effect");
    }
    assert_eq!(stage.call("getMe", "").await.status, 200);
}

#[tokio::test]
async fn silence_lasts_until_the_client_gives_up() {
    let stage = Stage::start().await;
    plant(&stage, json!({"method": "getMe", "fault": {"kind": "silence"}, "times": 1}));
    let silent = stage.start_call("getMe", "").await;
    assert_eq!(stage.call("getWebhookInfo", "").await.status, 200);
    stage.advance(3600);
    assert!(!silent.is_finished());
    silent.abort();
    assert_eq!(stage.call("getMe", "").await.status, 200);
}

#[tokio::test]
async fn a_slow_answer_waits_for_the_clock() {
    let stage = Stage::start().await;
    plant(&stage, json!({"method": "getMe", "fault": {"kind": "slow", "ms": 7000}, "times": 1}));
    let slow = stage.start_call("getMe", "").await;
    stage.until_waiting(&[7]).await;
    assert!(stage.bot.calls_after(0).is_empty());
    stage.advance(7);
    assert_eq!(slow.await.unwrap().status, 200);
}

#[tokio::test]
async fn a_webhook_can_get_updates_twice_and_late() {
    let stage = Stage::start().await;
    let mut receiver = Receiver::start().await;
    stage.call("setWebhook", &format!("url={}", receiver.url)).await;
    plant(&stage, json!({"method": "webhook", "fault": {"kind": "duplicate"}, "times": 1}));
    let id = stage.message(1, "twice");
    for _ in 0..2 {
        let delivery = receiver.next().await;
        assert_eq!(delivery.update_id(), id);
        delivery.ok();
    }
    plant(&stage, json!({"method": "webhook", "fault": {"kind": "late", "ms": 9000}, "times": 1}));
    let id = stage.message(1, "late");
    stage.until_waiting(&[9]).await;
    assert!(receiver.arrived().is_none());
    stage.advance(9);
    let delivery = receiver.next().await;
    assert_eq!(delivery.update_id(), id);
    delivery.ok();
}

#[tokio::test]
async fn a_delivery_whose_answer_is_lost_is_repeated() {
    let stage = Stage::start().await;
    let mut receiver = Receiver::start().await;
    stage.call("setWebhook", &format!("url={}", receiver.url)).await;
    plant(&stage, json!({"method": "webhook", "fault": {"kind": "reset"}, "times": 1, "when": "after"}));
    let id = stage.message(1, "hello");
    receiver.next().await.ok();
    let again = receiver.next().await;
    assert_eq!(again.update_id(), id);
    assert_eq!(stage.webhook_info().await["last_error_message"], "Connection reset by peer");
    again.ok();
}
