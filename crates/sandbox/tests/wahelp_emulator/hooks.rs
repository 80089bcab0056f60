//! Hooks: what they tell, to whom, in which shapes, and how often.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::{Receiver, Stage, eventually, word};

fn short(hook: &Value) -> String {
    let (action, payload) = (word(&hook["action"]), &hook["payload"]);
    let event = action.rsplit('.').next().unwrap();
    format!("{event} {} {}", word(&payload["destination"]), word(&payload["message"]))
}

#[tokio::test]
async fn subscribers_hear_of_messages_in_order_with_everything_clients_read() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver).await;
    let channel = stage.personal().await;
    let client = channel.client(&stage, "Анна", "79990001122").await;
    let said = channel.client_says(&stage, client, "hello").await;
    let (id, user) = (said["id"].as_i64().unwrap(), said["user"].as_i64().unwrap());
    let path = channel.api(&stage, &format!("/send_message/{user}"));
    let (_, sent) = stage.post(&path, json!({"text": "good day"})).await;
    stage.act(&format!("/wahelp/messages/{}/status", sent["data"]["id"]), json!({"status": "read"})).await;
    stage.act(&format!("/wahelp/messages/{id}/edit"), json!({"text": "hello!"})).await;
    stage.act(&format!("/wahelp/messages/{id}/delete"), json!({})).await;
    let hooks = receiver.when(5).await;
    let heard: Vec<String> = hooks.iter().map(short).collect();
    assert_eq!(
        heard,
        [
            "created from hello",
            "created from_operator good day",
            "updated from_operator good day",
            "updated from hello!",
            "updated from _Message deleted_",
        ]
    );
    assert_eq!(hooks[2]["payload"]["status"], "read");
    let payload = json!({"id": id, "channel_id": channel.id, "user_id": user, "destination": "from",
        "message_type": "text", "message": "hello", "created_at": "2026-01-05 13:00:00", "file_url": null,
        "status": null, "operator_id": null, "comment_user_id": null,
        "channel": {"id": channel.id, "uuid": channel.uuid, "name": "clients_tg"},
        "user": {"id": user, "name": "Анна", "phone": "79990001122", "contact_id": 7_770_001,
            "channel_id": channel.id, "blocked": false, "uid": "79990001122", "uid2": null,
            "created_at": "2026-01-05 13:00:00"}});
    assert_eq!(hooks[0], json!({"action": "channel.message.created", "payload": payload}));
    assert_eq!(channel.phone(&stage, client).await[0], "client: hello!");
}

#[tokio::test]
async fn every_shape_is_there_for_the_asking() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver).await;
    let channel = stage.personal().await;
    let client = channel.client(&stage, "Анна", "79990001122").await;
    let mut count = 0;
    let mut heard = async |switches: Value| {
        stage.switch(switches).await;
        channel.client_says(&stage, client, "hello").await;
        count += 1;
        receiver.when(count).await[count - 1].clone()
    };
    let event = heard(json!({"hook_shape": "event"})).await;
    assert_eq!(
        (&event["event"], &event["data"]["message"]),
        (&json!("channel.message.created"), &json!("hello"))
    );
    assert_eq!(heard(json!({"hook_shape": "type"})).await["type"], "channel.message.created");
    assert_eq!(heard(json!({"hook_shape": "array"})).await[0]["payload"]["message"], "hello");
    let strings = heard(json!({"hook_shape": "action", "ids_as_strings": true})).await;
    assert_eq!(strings["payload"]["channel_id"], json!(channel.id.to_string()));
    assert!(strings["payload"]["user"]["id"].is_string());
    let listed = stage.get(&channel.api(&stage, "/messages?limit=1")).await;
    assert_eq!(listed["data"][0]["id"], strings["payload"]["id"], "in answers too");
    let other = heard(json!({"missing_phone": true, "message_as_object": true})).await;
    assert_eq!(
        (&other["payload"]["message"]["text"], &other["payload"]["user"]["phone"]),
        (&json!("hello"), &json!(""))
    );
}

#[tokio::test]
async fn a_hook_can_come_before_the_answer_late_twice_or_never() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver).await;
    let channel = stage.personal().await;
    channel.client(&stage, "Анна", "79990001122").await;
    let (_, user) = stage.post(&channel.api(&stage, "/users"), json!({"phone": "79990001122"})).await;
    let path = channel.api(&stage, &format!("/send_message/{}", user["data"]["id"]));
    let send = async |text: &str| stage.post(&path, json!({"text": text})).await;
    let fault = async |fault: Value| {
        let plan = json!({"fault": fault, "endpoint": "hooks", "times": 1});
        stage.act("/wahelp/faults", plan).await;
    };
    stage.switch(json!({"hook_before_answer": true})).await;
    send("first").await;
    assert_eq!(receiver.all().len(), 1, "it was there when the answer came");
    stage.switch(json!({"hook_before_answer": false})).await;
    fault(json!({"kind": "lost"})).await;
    send("lost").await;
    fault(json!({"kind": "twice"})).await;
    send("twice").await;
    receiver.when(3).await;
    fault(json!({"kind": "late", "ms": 60_000})).await;
    send("late").await;
    send("after").await;
    receiver.when(4).await;
    stage.sandbox.clock().until_sleeping(|times| !times.is_empty()).await;
    stage.sandbox.clock().advance(Duration::from_mins(1));
    let heard: Vec<String> =
        receiver.when(5).await.iter().map(|hook| word(&hook["payload"]["message"]).to_owned()).collect();
    assert_eq!(heard, ["first", "twice", "twice", "after", "late"]);
    let states = stage.look("/wahelp/hooks").await;
    let lost = states["hooks"].as_array().unwrap().iter().filter(|hook| hook["state"] == "lost");
    assert_eq!(lost.count(), 1);
}

#[tokio::test]
async fn a_hook_that_is_not_answered_is_repeated_only_if_the_switch_says_so() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver).await;
    receiver.status.store(500, Ordering::SeqCst);
    let channel = stage.personal().await;
    let client = channel.client(&stage, "Анна", "79990001122").await;
    let ended = async |index: usize| {
        eventually("the end of the hook", async || {
            let hook = stage.look("/wahelp/hooks").await["hooks"][index].clone();
            (hook["state"] != "waiting").then_some(hook)
        })
        .await
    };
    channel.client_says(&stage, client, "once").await;
    let hook = ended(0).await;
    assert_eq!(
        (word(&hook["state"]), &hook["attempts"], &hook["status"]),
        ("failed", &json!(1), &json!(500))
    );
    stage.switch(json!({"hook_retries": 3})).await;
    channel.client_says(&stage, client, "again").await;
    stage.sandbox.clock().until_sleeping(|times| !times.is_empty()).await;
    receiver.status.store(200, Ordering::SeqCst);
    stage.sandbox.clock().advance(Duration::from_secs(30));
    let hook = ended(1).await;
    assert_eq!((word(&hook["state"]), &hook["attempts"]), ("delivered", &json!(2)));
}

#[tokio::test]
async fn other_projects_and_other_entities_are_not_told() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    stage.subscribe(&receiver).await;
    let other = stage.act("/wahelp/projects", json!({"name": "Other"})).await["id"].clone();
    let foreign = stage.act("/wahelp/channels", json!({"project": other})).await;
    let foreign = crate::stage::Channel::of(&foreign);
    let stranger = foreign.client(&stage, "Борис", "79990003344").await;
    foreign.client_says(&stage, stranger, "elsewhere").await;
    let channel = stage.personal().await;
    let users = json!({"url": receiver.address, "entities": ["channel.user"]});
    stage.post(&stage.of_project("/webhooks/"), users).await;
    let client = channel.client(&stage, "Анна", "79990001122").await;
    channel.client_says(&stage, client, "hello").await;
    let mut actions: Vec<String> =
        receiver.when(2).await.iter().map(|hook| word(&hook["action"]).to_owned()).collect();
    actions.sort();
    assert_eq!(actions, ["channel.message.created", "channel.user.created"]);
    let not_here = foreign.api(&stage, "/messages");
    assert_eq!(stage.answered(stage.request(Method::GET, &not_here)).await.0, 404, "another project's");
}
