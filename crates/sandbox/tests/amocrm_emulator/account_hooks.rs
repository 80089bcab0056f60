//! What subscribers of account hooks get, and what happens when they do not take it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use crate::stage::{Stage, eventually, message};

/// A subscriber that keeps what it gets and answers with one status.
#[derive(Clone)]
struct Receiver {
    address: String,
    status: Arc<AtomicU16>,
    got: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

impl Receiver {
    async fn start(status: u16) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/amo/s3cret", listener.local_addr().unwrap());
        let receiver = Self { address, status: Arc::new(status.into()), got: Arc::default() };
        let router = Router::new()
            .fallback(async |State(receiver), headers, body| Self::receive(&receiver, headers, body))
            .with_state(receiver.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        receiver
    }

    fn receive(&self, headers: HeaderMap, body: String) -> StatusCode {
        self.got.lock().unwrap().push((headers, body));
        StatusCode::from_u16(self.status.load(Ordering::SeqCst)).unwrap()
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    /// The decoded fields of the first hook that has this key.
    async fn hook_with(&self, key: &str) -> BTreeMap<String, String> {
        eventually(key, async || {
            let got = self.got.lock().unwrap();
            let fields = |body: &str| form_urlencoded::parse(body.as_bytes()).into_owned().collect();
            got.iter().map(|(_, body)| fields(body)).find(|fields: &BTreeMap<_, _>| fields.contains_key(key))
        })
        .await
    }
}

async fn subscribe(stage: &Stage, receiver: &Receiver, settings: Value) -> u64 {
    let body = json!({"destination": receiver.address, "settings": settings});
    stage.act("/amocrm/hooks", body).await["id"].as_u64().unwrap()
}

async fn attempts(stage: &Stage) -> Vec<Value> {
    stage.look("/amocrm/hooks/attempts").await["attempts"].as_array().unwrap().clone()
}

#[tokio::test]
async fn messages_both_ways_and_the_incoming_lead_are_told() {
    let stage = Stage::new().await;
    let receiver = Receiver::start(200).await;
    subscribe(&stage, &receiver, json!(["add_message", "add_outgoing_message", "add_unsorted", "add_talk"]))
        .await;
    let bot = stage.connected_bot().await;
    let anna = stage.client("Анна").await;
    stage.client_acts(anna, &bot, "text", json!({"text": "да & нет + 1"})).await;
    stage.lines_when(&bot, anna, 1).await;
    stage.act(&format!("/amocrm/{}/reply", bot.id), json!({"user": anna, "text": "слушаю"})).await;

    let chat = stage.chat(&bot, anna).await;
    let lead = stage.look("/amocrm/leads").await["leads"][0].clone();
    let talk = stage.look("/amocrm/talks").await["talks"][0].clone();

    let incoming = receiver.hook_with("message[add][0][id]").await;
    let got = |key: &str| incoming.get(&format!("message[add][0]{key}")).map(String::as_str);
    assert_eq!(got("[id]"), chat["messages"][0]["id"].as_str());
    assert_eq!(got("[chat_id]"), chat["id"].as_str());
    assert_eq!(got("[text]"), Some("да & нет + 1"));
    assert_eq!(got("[type]"), Some("incoming"));
    assert_eq!(got("[author][type]"), Some("external"));
    assert_eq!(got("[author][name]"), Some("Анна"));
    assert_eq!(got("[origin]"), Some("telegram"));
    assert_eq!(got("[created_at]"), Some("1767607200"));
    assert_eq!((got("[element_type]"), got("[entity_type]")), (Some("2"), Some("lead")));
    assert_eq!(got("[element_id]"), Some(lead["id"].to_string().as_str()));
    assert_eq!(got("[contact_id]"), Some(lead["contact_id"].to_string().as_str()));
    assert_eq!(got("[talk_id]"), Some(talk["id"].to_string().as_str()));
    assert_eq!(incoming["account[subdomain]"], "sandbox");
    assert!(!incoming.values().any(|value| *value == anna.to_string()), "no Telegram id in a message hook");

    let unsorted = receiver.hook_with("unsorted[add][0][uid]").await;
    let got = |key: &str| unsorted.get(&format!("unsorted[add][0]{key}")).map(String::as_str);
    assert_eq!(got("[source_data][client][id]"), Some(anna.to_string().as_str()));
    assert_eq!(got("[source_data][origin][chat_id]"), chat["id"].as_str());
    assert_eq!(
        got("[source_uid]"),
        Some(format!("amojo:telegram:{}", chat["id"].as_str().unwrap()).as_str())
    );
    assert_eq!(got("[category]"), Some("chats"));
    assert_eq!(got("[lead_id]"), Some(lead["id"].to_string().as_str()));
    assert_eq!(got("[data][contacts][0][id]"), Some(lead["contact_id"].to_string().as_str()));
    assert_eq!(got("[source_data][source_name]"), lead["source"].as_str());
    assert_eq!(got("[source_data][data][0][text]"), Some("да & нет + 1"));

    let outgoing = receiver.hook_with("outgoing_message[add][0][id]").await;
    let got = |key: &str| outgoing.get(&format!("outgoing_message[add][0]{key}")).map(String::as_str);
    assert_eq!((got("[type]"), got("[text]")), (Some("outgoing"), Some("слушаю")));
    assert_eq!((got("[author][type]"), got("[author][user_id]")), (Some("internal"), Some("8100001")));
    assert!(got("[source_id]").is_some() && got("[recipient][id]").is_some());
    assert_eq!(receiver.hook_with("talk[add][0][talk_id]").await["talk[add][0][is_in_work]"], "1");

    let got = receiver.got.lock().unwrap();
    for (headers, body) in got.iter() {
        assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
        assert_eq!(headers["user-agent"], "amoCRM-Webhooks/3.0");
        assert!(headers.contains_key("x-amocrm-requestid"));
        assert!(!body.contains('[') && body.contains("%5B"), "{body}");
    }
}

#[tokio::test]
async fn a_photos_hook_has_a_link_that_works() {
    let stage = Stage::new().await;
    let receiver = Receiver::start(200).await;
    subscribe(&stage, &receiver, json!(["add_message"])).await;
    let bot = stage.connected_bot().await;
    let anna = stage.client("Анна").await;
    stage.client_acts(anna, &bot, "photo", json!({})).await;
    let hook = receiver.hook_with("message[add][0][attachment][link]").await;
    assert_eq!(hook["message[add][0][attachment][type]"], "picture");
    assert_eq!(hook["message[add][0][message_type]"], "picture");
    let link = &hook["message[add][0][attachment][link]"];
    eventually("the file", async || {
        stage.http.get(link).send().await.ok().filter(|answer| answer.status() == StatusCode::OK)
    })
    .await;
}

#[tokio::test]
async fn a_failing_destination_is_tried_five_times_by_the_clock() {
    let stage = Stage::new().await;
    let receiver = Receiver::start(500).await;
    subscribe(&stage, &receiver, json!(["add_message"])).await;
    let bot = stage.connected_bot().await;
    stage.deliver(&bot, &message(1, 501, json!({"text": "раз"}))).await.unwrap();
    let clock = stage.sandbox.clock();
    for (attempt, wait_minutes) in [(1, Some(5)), (2, Some(15)), (3, Some(15)), (4, Some(60)), (5, None)] {
        let noted = eventually("an attempt", async || attempts(&stage).await.get(attempt - 1).cloned()).await;
        assert_eq!((&noted["attempt"], &noted["status"]), (&json!(attempt), &json!(500)));
        let due_ms = wait_minutes.map(|minutes: i64| clock.now_ms() + minutes * 60_000);
        assert_eq!(noted["next_at_ms"], json!(due_ms));
        if let Some(due_ms) = due_ms {
            clock.until_sleeping(|times| times.contains(&due_ms)).await;
            clock.set(due_ms - 1);
            assert_eq!(receiver.count(), attempt);
            clock.set(due_ms);
        }
    }
    assert_eq!(receiver.count(), 5);
}

#[tokio::test]
async fn a_destination_that_answers_at_last_is_left_in_peace() {
    let stage = Stage::new().await;
    let receiver = Receiver::start(404).await;
    subscribe(&stage, &receiver, json!(["add_message"])).await;
    let bot = stage.connected_bot().await;
    stage.deliver(&bot, &message(1, 501, json!({"text": "раз"}))).await.unwrap();
    let first = eventually("an attempt", async || attempts(&stage).await.first().cloned()).await;
    receiver.status.store(204, Ordering::SeqCst);
    let due_ms = first["next_at_ms"].as_i64().unwrap();
    stage.sandbox.clock().until_sleeping(|times| times.contains(&due_ms)).await;
    stage.sandbox.clock().set(due_ms);
    let second = eventually("a second attempt", async || attempts(&stage).await.get(1).cloned()).await;
    assert_eq!((&second["status"], &second["next_at_ms"]), (&json!(204), &Value::Null));
    assert_eq!(second["body"], first["body"], "a repeat is the same bytes");
}

#[tokio::test]
async fn more_than_a_hundred_failures_in_two_hours_disable_a_destination() {
    let stage = Stage::new().await;
    let receiver = Receiver::start(500).await;
    let hook = subscribe(&stage, &receiver, json!(["add_message"])).await;
    let bot = stage.connected_bot().await;
    let disabled = async || stage.look("/amocrm/hooks").await["hooks"][0]["disabled"] == true;
    for update_id in 1..=100 {
        stage.deliver(&bot, &message(update_id, 501, json!({"text": "раз"}))).await.unwrap();
    }
    eventually("a hundred attempts", async || (attempts(&stage).await.len() == 100).then_some(())).await;
    assert!(!disabled().await);
    stage.deliver(&bot, &message(101, 501, json!({"text": "два"}))).await.unwrap();
    eventually("disabling", async || disabled().await.then_some(())).await;

    // Nothing more comes, not even what was to be repeated.
    stage.deliver(&bot, &message(102, 501, json!({"text": "три"}))).await.unwrap();
    stage.sandbox.clock().advance(Duration::from_hours(3));
    receiver.status.store(200, Ordering::SeqCst);
    stage.act(&format!("/amocrm/hooks/{hook}/enable"), json!({})).await;
    stage.deliver(&bot, &message(103, 501, json!({"text": "четыре"}))).await.unwrap();
    let last = eventually("an attempt after enabling", async || {
        attempts(&stage).await.into_iter().find(|attempt| attempt["status"] == 200)
    })
    .await;
    assert!(last["body"].as_str().unwrap().contains("%D1%87%D0%B5%D1%82%D1%8B%D1%80%D0%B5"), "{last}");
    let bodies = receiver.got.lock().unwrap();
    assert!(
        !bodies.iter().any(|(_, body)| body.contains("%D1%82%D1%80%D0%B8")),
        "what was said meanwhile is lost"
    );
}

#[tokio::test]
async fn an_unreachable_destination_counts_as_failed_and_is_tried_three_times() {
    let stage = Stage::new().await;
    let body = json!({"destination": "http://127.0.0.1:9/", "settings": ["add_message"]});
    stage.act("/amocrm/hooks", body).await;
    let bot = stage.connected_bot().await;
    stage.deliver(&bot, &message(1, 501, json!({"text": "раз"}))).await.unwrap();
    for attempt in 1..=3 {
        let noted = eventually("an attempt", async || attempts(&stage).await.get(attempt - 1).cloned()).await;
        assert_eq!(noted["status"], Value::Null);
        match noted["next_at_ms"].as_i64() {
            Some(due_ms) => {
                stage.sandbox.clock().until_sleeping(|times| times.contains(&due_ms)).await;
                stage.sandbox.clock().set(due_ms);
            }
            None => assert_eq!(attempt, 3),
        }
    }
}
