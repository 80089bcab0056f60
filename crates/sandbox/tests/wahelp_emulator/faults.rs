//! How the API fails when it is told to, and how it is when nobody listens.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Channel, Stage, eventually, word};

async fn with_user(stage: &Stage) -> (Channel, i64, String) {
    let channel = stage.personal().await;
    let client = channel.client(stage, "Анна", "79990001122").await;
    let (_, user) = stage.post(&channel.api(stage, "/users"), json!({"phone": "79990001122"})).await;
    let send = channel.api(stage, &format!("/send_message/{}", user["data"]["id"]));
    (channel, client, send)
}

async fn plan(stage: &Stage, fault: Value) {
    stage.act("/wahelp/faults", json!({"fault": fault, "endpoint": "send_message", "times": 1})).await;
}

#[tokio::test]
async fn errors_are_texts_statuses_or_no_json_at_all() {
    let stage = Stage::new().await;
    let (channel, client, send) = with_user(&stage).await;
    plan(&stage, json!({"kind": "unsuccessful", "text": "Слишком много попыток"})).await;
    let refused = stage.post(&send, json!({"text": "a"})).await;
    assert_eq!(refused, (200, json!({"success": false, "message": "Слишком много попыток"})));
    plan(&stage, json!({"kind": "unsuccessful", "text": "Too many requests", "code": 429})).await;
    assert_eq!(stage.post(&send, json!({"text": "b"})).await.0, 429);
    plan(&stage, json!({"kind": "status", "code": 429, "retry_after": 7})).await;
    let answer = stage.request(Method::POST, &send).json(&json!({"text": "c"})).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"7".parse().unwrap()));
    plan(&stage, json!({"kind": "status", "code": 502})).await;
    let answer = stage.request(Method::POST, &send).json(&json!({"text": "d"})).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (502, &"text/html".parse().unwrap())
    );
    assert!(answer.text().await.unwrap().starts_with("<html>"));
    assert!(channel.phone(&stage, client).await.is_empty(), "none of them was taken");
    assert_eq!(stage.post(&send, json!({"text": "e"})).await.0, 200);
}

#[tokio::test]
async fn an_answer_can_be_lost_before_or_after_the_message_was_taken() {
    let stage = Stage::new().await;
    let (channel, client, send) = with_user(&stage).await;
    for (fault, text) in [
        (json!({"kind": "reset"}), "before"),
        (json!({"kind": "reset", "taken": true}), "reset after"),
        (json!({"kind": "status", "code": 504, "taken": true}), "504 after"),
    ] {
        plan(&stage, fault).await;
        let answer = stage.request(Method::POST, &send).json(&json!({"text": text})).send().await;
        assert!(answer.is_err() || answer.unwrap().status() == 504, "{text}");
    }
    plan(&stage, json!({"kind": "silence", "taken": true})).await;
    let request = stage.request(Method::POST, &send).json(&json!({"text": "silence"}));
    let unanswered = tokio::spawn(request.send());
    let seen = ["company: reset after", "company: 504 after", "company: silence"];
    eventually("all three at the client", async || {
        (channel.phone(&stage, client).await == seen).then_some(())
    })
    .await;
    unanswered.abort();
    eventually("the last call on record", async || {
        let calls = stage.look("/wahelp/calls?endpoint=send_message").await;
        (calls["calls"].as_array().unwrap().len() == 4).then_some(())
    })
    .await;
    let calls = stage.look("/wahelp/calls?endpoint=send_message").await;
    let statuses: Vec<&Value> =
        calls["calls"].as_array().unwrap().iter().map(|call| &call["status"]).collect();
    assert_eq!(statuses, [&Value::Null, &Value::Null, &json!(504), &Value::Null]);
    assert_eq!(word(&calls["calls"][0]["fault"]["kind"]), "reset");
}

#[tokio::test]
async fn nobody_listens_while_it_is_down() {
    let stage = Stage::new().await;
    stage.act("/wahelp/down", json!({})).await;
    eventually("a refusal", async || {
        // A connection that was open before breaks off; a new one is refused.
        stage.request(Method::GET, "/projects/").send().await.err().filter(reqwest::Error::is_connect)
    })
    .await;
    assert_eq!(stage.look("/wahelp").await["up"], false);
    stage.act("/wahelp/up", json!({})).await;
    eventually("an answer", async || stage.request(Method::GET, "/projects/").send().await.ok()).await;
    stage.get("/projects/").await;
}

#[tokio::test]
async fn a_fault_lasts_as_long_as_planned_and_nonsense_is_refused() {
    let stage = Stage::new().await;
    stage.act("/wahelp/faults", json!({"fault": {"kind": "status", "code": 500}, "for_ms": 1_000})).await;
    assert_eq!(stage.answered(stage.request(Method::GET, "/projects/")).await.0, 500);
    stage.sandbox.clock().advance(Duration::from_secs(1));
    stage.get("/projects/").await;
    let control = format!("{}/wahelp/faults", stage.sandbox.control_url());
    for nonsense in [json!({"fault": {"kind": "status", "code": 99}}), json!({"fault": {"kind": "rain"}})] {
        assert_eq!(stage.answered(stage.http.post(&control).json(&nonsense)).await.0, 400, "{nonsense}");
    }
}
