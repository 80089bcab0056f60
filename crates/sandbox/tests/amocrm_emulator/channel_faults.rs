//! How amojo misbehaves when it is told to.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::channel::{Channel, Headers, Receiver, date};
use crate::stage::{Stage, eventually};

async fn with_channel() -> (Stage, Channel) {
    let stage = Stage::new().await;
    let channel = Channel::connected(&stage, &*Receiver::start().await).await;
    (stage, channel)
}

fn payload(msgid: &str) -> Value {
    json!({"msgid": msgid, "conversation_id": "c", "silent": false, "sender": {"id": "p", "name": "Анна"},
        "message": {"type": "text", "text": "да"}})
}

fn good(stage: &Stage) -> Headers {
    let date = date(stage.sandbox.clock().now_ms());
    Headers { date, content_md5: None, content_type: "application/json", signature: None }
}

async fn plan(stage: &Stage, fault: Value) {
    stage.act("/amocrm/faults/amojo", json!({"fault": fault, "times": 1, "endpoint": "new_message"})).await;
}

#[tokio::test]
async fn every_refusal_can_be_had_on_demand() {
    let (stage, channel) = with_channel().await;
    let cases = [
        (json!({"kind": "status", "code": 400}), 400, "VALIDATION_ERROR"),
        (json!({"kind": "status", "code": 403}), 403, "ORIGIN_INVALID_SIGNATURE"),
        (json!({"kind": "stale_date"}), 403, "ORIGIN_INVALID_SIGNATURE"),
        (json!({"kind": "status", "code": 404}), 404, "ORIGIN_NOT_REGISTERED"),
        (json!({"kind": "duplicate_msgid"}), 400, "VALIDATION_ERROR"),
        (json!({"kind": "status", "code": 429, "retry_after": 3}), 429, "TOO_MANY_REQUESTS"),
        (json!({"kind": "status", "code": 502}), 502, "INTERNAL_ERROR"),
    ];
    for (fault, status, error_type) in cases {
        plan(&stage, fault.clone()).await;
        let answer = channel.event(&stage, "new_message", payload("1")).await;
        assert_eq!((answer.0, &answer.1["error_type"]), (status, &json!(error_type)), "{fault}");
    }
    let chats = stage.look(&channel.control("/chats")).await;
    assert_eq!(chats["chats"], json!([]), "none of them was carried out");
    assert_eq!(channel.event(&stage, "new_message", payload("1")).await.0, 200);
    plan(&stage, json!({"kind": "status", "code": 500, "body": "<html>"})).await;
    let call = channel.event(&stage, "new_message", payload("2")).await;
    assert_eq!(call, (500, Value::Null), "a body that is no JSON");
    let (status, _) =
        stage.ask(Method::POST, "/amocrm/faults/hooks", Some(json!({"fault": {"kind": "stale_date"}}))).await;
    assert_eq!(status, 400, "hooks have no date");
}

#[tokio::test]
async fn an_ambiguous_failure_keeps_the_message() {
    let (stage, channel) = with_channel().await;
    plan(&stage, json!({"kind": "status", "code": 504, "taken": true})).await;
    assert_eq!(channel.event(&stage, "new_message", payload("1")).await.0, 504);
    channel.line(&stage, "1").await;
    assert_eq!(channel.event(&stage, "new_message", payload("1")).await.0, 400, "it was taken");

    plan(&stage, json!({"kind": "reset", "taken": true})).await;
    let body = json!({"event_type": "new_message", "payload": {"timestamp": 1_767_607_200, "msec_timestamp": 1_767_607_200_000_i64,
        "msgid": "2", "conversation_id": "c", "silent": false, "sender": {"id": "p", "name": "Анна"}, "message": {"type": "text", "text": "да"}}});
    let headers = good(&stage);
    let reset = channel.raw(&stage, Method::POST, &channel.scope(), body.to_string(), headers.clone()).await;
    assert!(reset.is_err(), "the connection was reset");
    channel.line(&stage, "2").await;

    plan(&stage, json!({"kind": "silence"})).await;
    let body = body.to_string().replace("\"2\"", "\"3\"");
    let scope = channel.scope();
    let silence = channel.raw(&stage, Method::POST, &scope, body, headers);
    let on_record = eventually("the call", async || {
        let calls = stage.look("/amocrm/calls?on=amojo").await["calls"].as_array().unwrap().clone();
        calls.into_iter().find(|call| call["fault"]["kind"] == "silence")
    });
    tokio::select! {
        answer = silence => panic!("no answer was planned: {answer:?}"),
        call = on_record => assert_eq!(call["status"], Value::Null),
    }
    assert_eq!(stage.ask(Method::GET, &channel.control("/messages/3"), None).await.0, 404, "and not taken");
}

#[tokio::test]
async fn a_slow_answer_comes_by_the_sandboxs_clock() {
    let (stage, channel) = with_channel().await;
    plan(&stage, json!({"kind": "slow", "ms": 20_000})).await;
    let due_ms = stage.sandbox.clock().now_ms() + 20_000;
    let (answer, ()) = tokio::join!(channel.event(&stage, "new_message", payload("1")), async {
        stage.sandbox.clock().until_sleeping(|times| times.contains(&due_ms)).await;
        channel.line(&stage, "1").await;
        stage.sandbox.clock().set(due_ms);
    });
    assert_eq!(answer.0, 200);
}

#[tokio::test]
async fn a_share_of_calls_fails_and_a_time_ends_it() {
    let (stage, channel) = with_channel().await;
    let fault = json!({"fault": {"kind": "status", "code": 500}, "percent": 50, "for_ms": 10_000});
    stage.act("/amocrm/faults/amojo", fault).await;
    let mut failed = 0;
    for n in 0..60 {
        failed += u32::from(channel.event(&stage, "new_message", payload(&n.to_string())).await.0 == 500);
    }
    assert!((10..50).contains(&failed), "about a half of 60: {failed}");
    stage.sandbox.clock().advance(Duration::from_secs(10));
    assert_eq!(channel.event(&stage, "new_message", payload("after")).await.0, 200);
    assert_eq!(stage.look("/amocrm/faults/amojo").await, json!([]));
}

#[tokio::test]
async fn the_whole_service_goes_down_and_comes_up_again() {
    let (stage, channel) = with_channel().await;
    stage.act("/amocrm/down", json!({})).await;
    let headers = good(&stage);
    let refused = channel.raw(&stage, Method::POST, &channel.scope(), "{}".to_owned(), headers).await;
    assert!(refused.is_err());
    stage.act("/amocrm/up", json!({})).await;
    eventually("amojo", async || {
        channel.raw(&stage, Method::POST, &channel.scope(), "{}".to_owned(), good(&stage)).await.ok()
    })
    .await;
}
