//! How updates reach a webhook: the request, the order, the connections.

use std::collections::HashSet;

use serde_json::json;
use tandem_sandbox::telegram::Delivered;

use crate::stage::{Receiver, START, Stage, soon};

async fn with_webhook(extra: &str) -> (Stage, Receiver) {
    let stage = Stage::start().await;
    let receiver = Receiver::start().await;
    let answer = stage.call("setWebhook", &format!("url={}{extra}", receiver.url)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    (stage, receiver)
}

/// Waits until the record says that this many updates are confirmed.
async fn until_confirmed(stage: &Stage, count: usize) {
    let confirmed = || stage.bot.updates_after(0).iter().filter(|record| record.confirmed).count();
    soon("confirmations", async {
        while confirmed() < count {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_request_is_telegrams() {
    let stage = Stage::start().await;
    let mut receiver = Receiver::start().await;
    let url = receiver.url.replace("http://", "http://us:p%40ss@").replace("/hook", "/~hook/x?t=1:AA&");
    let form = format!("url={}&secret_token=S-e_1", url.replace('%', "%25").replace('&', "%26"));
    stage.call("setWebhook", &form).await;
    let id = stage.message(1, "hello");
    let delivery = receiver.next().await;
    let mut lines: Vec<&str> = delivery.head.lines().filter(|line| !line.is_empty()).collect();
    let host = format!("Host: {}", receiver.url.trim_start_matches("http://").trim_end_matches("/hook"));
    assert_eq!(lines.remove(0), "POST /~hook/x?t=1:AA& HTTP/1.1");
    lines.sort_unstable();
    let length = lines.iter().find(|line| line.starts_with("Content-Length: ")).unwrap().to_string();
    let expected = [
        "Accept-Encoding: gzip, deflate",
        "Authorization: Basic dXM6cEBzcw==",
        "Connection: keep-alive",
        &length,
        "Content-Type: application/json",
        &host,
        "X-Telegram-Bot-Api-Secret-Token: S-e_1",
    ];
    assert_eq!(lines, expected);
    assert_eq!(delivery.body["update_id"], id);
    assert_eq!(delivery.text(), "hello");
    delivery.ok();
    until_confirmed(&stage, 1).await;
    let record = &stage.bot.updates_after(0)[0];
    assert_eq!((record.delivered, record.url.as_deref()), (Some(Delivered::Webhook), Some(url.as_str())));
}

#[tokio::test]
async fn one_chat_is_serial_and_several_are_parallel() {
    let (stage, mut receiver) = with_webhook("").await;
    for n in 0..3 {
        stage.message(1, &format!("first {n}"));
        stage.message(2, &format!("second {n}"));
    }
    for n in 0..3 {
        let (a, b) = (receiver.next().await, receiver.next().await);
        let texts: HashSet<_> = [a.text().to_owned(), b.text().to_owned()].into();
        assert_eq!(texts, HashSet::from([format!("first {n}"), format!("second {n}")]));
        assert!(receiver.arrived().is_none());
        a.ok();
        b.ok();
    }
    until_confirmed(&stage, 6).await;
}

#[tokio::test]
async fn a_press_overtakes_a_message_of_the_same_person() {
    let (stage, mut receiver) = with_webhook("").await;
    stage.message(1, "slow");
    let slow = receiver.next().await;
    stage.push("callback_query", &json!({"id": "5", "from": {"id": 1}}));
    let press = receiver.next().await;
    assert!(press.body.get("callback_query").is_some());
    let mut edited = crate::stage::message(1, "edited", START);
    edited["edit_date"] = START.into();
    stage.push("edited_message", &edited);
    press.ok();
    assert!(receiver.arrived().is_none(), "an edit waits for the message of its chat");
    slow.ok();
    assert!(receiver.next().await.body.get("edited_message").is_some());
}

#[tokio::test]
async fn connections_are_reused_and_never_more_than_allowed() {
    let (stage, mut receiver) = with_webhook("&max_connections=2").await;
    for chat in 0..6 {
        stage.message(chat, "hello");
    }
    let mut used = HashSet::new();
    for _ in 0..3 {
        let (a, b) = (receiver.next().await, receiver.next().await);
        used.extend([a.connection, b.connection]);
        assert!(receiver.arrived().is_none());
        a.ok();
        b.ok();
    }
    assert_eq!(used, HashSet::from([0, 1]));
    until_confirmed(&stage, 6).await;
    stage.message(1, "later");
    assert!(used.contains(&receiver.next().await.connection), "an idle connection is used again");
}

#[tokio::test]
async fn at_most_ten_connections_open_in_half_a_second() {
    let (stage, mut receiver) = with_webhook("").await;
    for chat in 0..15 {
        stage.message(chat, "hello");
    }
    let mut first = Vec::new();
    for _ in 0..10 {
        first.push(receiver.next().await);
    }
    stage.until_waiting_at_ms(500).await;
    assert!(receiver.arrived().is_none());
    stage.clock.advance(std::time::Duration::from_millis(500));
    for _ in 0..5 {
        first.push(receiver.next().await);
    }
    let connections: HashSet<_> = first.iter().map(|delivery| delivery.connection).collect();
    assert_eq!(connections.len(), 15);
}

#[tokio::test]
async fn a_thousand_updates_of_many_chats_arrive_in_order_per_chat() {
    let (stage, mut receiver) = with_webhook("&max_connections=10").await;
    for n in 0..1000 {
        stage.message(n % 17, &n.to_string());
    }
    let mut last = [-1; 17];
    for _ in 0..1000 {
        let delivery = receiver.next().await;
        let chat = usize::try_from(delivery.body["message"]["chat"]["id"].as_i64().unwrap()).unwrap();
        let n: i64 = delivery.text().parse().unwrap();
        assert!(n > last[chat], "{n} after {}", last[chat]);
        last[chat] = n;
        delivery.ok();
    }
    until_confirmed(&stage, 1000).await;
    assert_eq!(stage.bot.pending(), 0);
}

#[tokio::test]
async fn another_webhook_gets_what_the_first_did_not_acknowledge() {
    let (stage, mut first) = with_webhook("").await;
    let mut second = Receiver::start().await;
    let id = stage.message(1, "hello");
    let in_flight = first.next().await;
    stage.advance(1);
    stage.call("setWebhook", &format!("url={}", second.url)).await;
    let again = second.next().await;
    assert_eq!(again.update_id(), id);
    in_flight.abandoned().await;
    again.ok();
    until_confirmed(&stage, 1).await;
    assert_eq!(stage.bot.updates_after(0)[0].url.as_deref(), Some(second.url.as_str()));
}
