//! Pushing to an app's webhook as Telegram does (reference/telegram.md 3.3).

use std::time::Duration;

use serde_json::json;

use crate::support::{
    Client, Stage,
    server::{Asked, Reply, Server},
};

async fn with_webhook(t: &Stage) -> (Client, Server) {
    let receiver = Server::start().await;
    let url = format!("http://{}/hook", receiver.address);
    t.main().result("setWebhook", json!({"url": url, "secret_token": "s3cret"})).await;
    (t.main(), receiver)
}

fn texts(seen: &[Asked]) -> Vec<String> {
    seen.iter()
        .map(|asked| {
            let update: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
            update["message"]["text"].as_str().unwrap_or("?").to_owned()
        })
        .collect()
}

#[tokio::test]
async fn a_delivery_is_telegrams_update_under_telegrams_headers() {
    let mut t = Stage::start().await;
    let (_, receiver) = with_webhook(&t).await;
    t.says(7, "hello").await;
    t.run_due().await;
    let seen = receiver.seen();
    let asked = &seen[0];
    assert!(asked.head.starts_with("POST /hook HTTP/1.1\r\n"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
    assert_eq!(asked.header("x-telegram-bot-api-secret-token"), Some("s3cret"));
    assert_eq!(asked.header("content-length"), Some(asked.body_bytes.to_string().as_str()));
    let update: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(update["message"]["text"], "hello");
    assert!(update["update_id"].is_i64());
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn a_failing_update_holds_its_chat_and_no_other() {
    let mut t = Stage::start().await;
    let (_, receiver) = with_webhook(&t).await;
    receiver.next([Reply::html("500 Internal Server Error"), Reply::html("500 Internal Server Error")]);
    t.says(7, "first").await;
    t.run_due().await;
    t.says(7, "second").await;
    t.says(8, "other").await;
    t.run_due().await;
    assert_eq!(texts(&receiver.take_seen()), ["first", "first", "other"], "once more at once, then later");
    t.later(Duration::from_secs(2)).await;
    assert_eq!(texts(&receiver.take_seen()), ["first", "second"]);
}

#[tokio::test]
async fn families_of_one_chat_do_not_wait_for_each_other() {
    let mut t = Stage::start().await;
    let (_, receiver) = with_webhook(&t).await;
    receiver.next([Reply::html("500 Internal Server Error"), Reply::html("500 Internal Server Error")]);
    t.says(7, "first").await;
    t.run_due().await;
    let press = json!({
        "id": "1", "from": {"id": 7, "is_bot": false, "first_name": "A"}, "chat_instance": "1", "data": "x",
        "message": {"message_id": 1, "date": t.now_secs(), "chat": {"id": 7, "type": "private"}},
    });
    t.update("callback_query", &press).await;
    t.run_due().await;
    assert_eq!(texts(&receiver.take_seen()), ["first", "first", "?"]);
}

#[tokio::test]
async fn failures_climb_the_ladder() {
    let mut t = Stage::start().await;
    let (_, receiver) = with_webhook(&t).await;
    receiver.on("hook", Reply::html("500 Internal Server Error"));
    t.says(7, "first").await;
    t.run_due().await;
    assert_eq!(receiver.take_seen().len(), 2, "and again at once");
    for wait in [2, 4, 8, 16, 32, 60] {
        t.later(Duration::from_millis(wait * 1000 - 1)).await;
        assert_eq!(receiver.take_seen().len(), 0, "before {wait} s");
        t.later(Duration::from_millis(1)).await;
        assert_eq!(receiver.take_seen().len(), 1, "after {wait} s");
    }
    for _ in 0..3 {
        t.later(Duration::from_secs(59)).await;
        assert_eq!(receiver.take_seen().len(), 0);
        t.later(Duration::from_secs(61)).await;
        assert_eq!(receiver.take_seen().len(), 1);
    }
}

#[tokio::test]
async fn retry_after_takes_the_ladders_place() {
    let mut t = Stage::start().await;
    let (_, receiver) = with_webhook(&t).await;
    receiver.next([Reply::with("503 Service Unavailable", "Retry-After: 17\r\n", "")]);
    t.says(7, "first").await;
    t.run_due().await;
    t.later(Duration::from_secs(16)).await;
    assert_eq!(receiver.take_seen().len(), 1);
    t.later(Duration::from_secs(1)).await;
    assert_eq!(texts(&receiver.take_seen()), ["first"]);
}

#[tokio::test]
async fn any_status_of_success_is_success_and_a_redirect_is_none() {
    let mut t = Stage::start().await;
    let (_, receiver) = with_webhook(&t).await;
    receiver
        .next([Reply::with("204 No Content", "", ""), Reply::with("302 Found", "Location: /other\r\n", "")]);
    t.says(7, "first").await;
    t.run_due().await;
    t.says(7, "second").await;
    t.run_due().await;
    assert_eq!(texts(&receiver.seen()), ["first", "second", "second"]);
    assert!(receiver.seen().iter().all(|asked| asked.path() == "/hook"));
}

#[tokio::test]
async fn a_receiver_that_is_away_gets_everything_in_order_once_it_is_back_even_after_a_restart() {
    let mut t = Stage::start().await;
    let (_, receiver) = with_webhook(&t).await;
    receiver.on("hook", Reply::Reset);
    for (chat, text) in [(7, "a1"), (8, "b1"), (7, "a2"), (9, "c1"), (7, "a3")] {
        t.says(chat, text).await;
    }
    t.run_due().await;
    let t = t.restart().await;
    t.run_due().await;
    receiver.take_seen();
    receiver.on("hook", Reply::ok("true"));
    t.later(Duration::from_mins(3)).await;
    t.later(Duration::from_mins(3)).await;
    let got = texts(&receiver.take_seen());
    assert_eq!(got.iter().filter(|text| text.starts_with('a')).collect::<Vec<_>>(), ["a1", "a2", "a3"]);
    assert_eq!(got.len(), 5, "{got:?}");
    assert_eq!(receiver.seen().len(), 0);
}

#[tokio::test]
async fn an_update_that_outlived_its_time_is_not_delivered_any_more() {
    let mut t = Stage::start().await;
    let (client, receiver) = with_webhook(&t).await;
    receiver.on("hook", Reply::html("500 Internal Server Error"));
    t.says(7, "old").await;
    t.run_due().await;
    receiver.take_seen();
    receiver.on("hook", Reply::ok("true"));
    t.clock.advance(Duration::from_hours(25));
    t.says(7, "new").await;
    t.run_due().await;
    assert_eq!(texts(&receiver.take_seen()), ["new"]);
    assert_eq!(client.result("getWebhookInfo", json!({})).await["pending_update_count"], 0);
}

#[tokio::test]
async fn a_webhook_that_is_gone_for_twenty_three_hours_is_removed() {
    let mut t = Stage::start().await;
    let (client, receiver) = with_webhook(&t).await;
    receiver.on("hook", Reply::html("410 Gone"));
    t.says(7, "old").await;
    t.run_due().await;
    t.later(Duration::from_hours(12)).await;
    receiver.on("hook", Reply::html("500 Internal Server Error"));
    t.later(Duration::from_mins(2)).await;
    receiver.on("hook", Reply::html("410 Gone"));
    t.later(Duration::from_mins(2)).await;
    let mut t = t.restart().await;
    t.later(Duration::from_hours(22)).await;
    t.says(8, "late").await;
    t.run_due().await;
    let info = client_of(&t).result("getWebhookInfo", json!({})).await;
    assert_ne!(info["url"], "", "any other answer begins the time anew, a restart does not");
    drop(client);
    t.later(Duration::from_mins(61)).await;
    let lane = t.lane_of("main");
    crate::support::until("it is removed", || !t.lanes.is_attached(lane)).await;
    let info = client_of(&t).result("getWebhookInfo", json!({})).await;
    assert_eq!(info["url"], "");
    assert_eq!(t.main().texts(json!({})).await, ["late"]);
}

fn client_of(t: &Stage) -> Client {
    t.main()
}
