//! Long polls (reference/telegram.md 2.3): who waits, who is sent away and with which words.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_gateway::AppDocument;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinHandle};

use crate::support::{
    Client, Stage,
    http::{Answer, post},
    texts, until,
};

const TERMINATED: &str =
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";

/// A poll that waits by now.
async fn waiting(t: &Stage, client: &Client, params: Value) -> JoinHandle<Answer> {
    let before = t.clock.sleeping();
    let poll = client.calling("getUpdates", params);
    until("the poll waits", || t.clock.sleeping() > before).await;
    poll
}

#[tokio::test]
async fn a_waiting_poll_is_answered_by_the_next_update() {
    let mut t = Stage::start().await;
    let poll = waiting(&t, &t.main(), json!({"timeout": 50})).await;
    t.says(7, "hello").await;
    let answer = poll.await.unwrap();
    assert_eq!(texts(answer.json()["result"].as_array().unwrap()), ["hello"]);
}

#[tokio::test]
async fn a_poll_ends_empty_when_its_time_is_over_and_never_waits_longer_than_fifty_seconds() {
    let t = Stage::start().await;
    for (timeout, ends) in [(json!(10), 10), (json!(999), 50), (json!("20"), 20)] {
        let poll = waiting(&t, &t.main(), json!({ "timeout": timeout })).await;
        t.clock.advance(Duration::from_secs(ends - 1));
        assert!(!poll.is_finished());
        t.clock.advance(Duration::from_secs(1));
        assert_eq!(poll.await.unwrap().text(), r#"{"ok":true,"result":[]}"#);
        t.clock.advance(Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_busy_loop_is_slowed_down_to_three_seconds() {
    let t = Stage::start().await;
    assert!(t.main().updates(json!({})).await.is_empty());
    let poll = waiting(&t, &t.main(), json!({})).await;
    t.clock.advance(Duration::from_secs(3));
    assert_eq!(poll.await.unwrap().status, 200);
}

#[tokio::test]
async fn a_second_waiting_poll_ends_the_first_and_the_next_is_told_three_seconds_later() {
    let t = Stage::start().await;
    let first = waiting(&t, &t.main(), json!({"timeout": 50})).await;
    let second = t.main().calling("getUpdates", json!({"timeout": 50}));
    let ended = first.await.unwrap();
    assert_eq!((ended.status, ended.description().as_str()), (409, TERMINATED));
    until("the second waits", || t.clock.sleeping() == 1).await;
    let third = waiting(&t, &t.main(), json!({"timeout": 50})).await;
    assert!(!second.is_finished(), "its 409 is held back");
    t.clock.advance(Duration::from_secs(3));
    assert_eq!(second.await.unwrap().status, 409);
    assert!(!third.is_finished());
    third.abort();
}

#[tokio::test]
async fn a_poll_that_finds_updates_ends_nobody() {
    let mut t = Stage::start().await;
    let first = waiting(&t, &t.main(), json!({"timeout": 50, "offset": 0})).await;
    let other = t.app("orders", AppDocument::default()).await;
    let undisturbed = waiting(&t, &other, json!({"timeout": 50})).await;
    t.says(7, "hello").await;
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(undisturbed.await.unwrap().status, 200);
}

#[tokio::test]
async fn a_poll_whose_client_is_gone_does_not_cost_the_next_one_a_conflict() {
    let t = Stage::start().await;
    let mut gone = TcpStream::connect(t.address).await.unwrap();
    let request = post(&t.main().path("getUpdates"), "application/json", b"{\"timeout\":50}");
    gone.write_all(&request).await.unwrap();
    until("it waits", || t.clock.sleeping() == 1).await;
    drop(gone);
    until("it is gone", || t.clock.sleeping() == 0).await;
    let next = waiting(&t, &t.main(), json!({"timeout": 50})).await;
    let last = t.main().calling("getUpdates", json!({"timeout": 50}));
    assert_eq!(next.await.unwrap().status, 409, "the first conflict is told at once");
    last.abort();
}

#[tokio::test]
async fn set_webhook_ends_a_waiting_poll_and_the_next_is_refused() {
    let t = Stage::start().await;
    let poll = waiting(&t, &t.main(), json!({"timeout": 50})).await;
    t.main().result("setWebhook", json!({"url": "http://127.0.0.1:9/"})).await;
    let ended = poll.await.unwrap();
    assert_eq!(
        (ended.status, ended.description().as_str()),
        (409, "Conflict: terminated by setWebhook request")
    );
    // A 409 so soon after another one would be held back.
    t.clock.advance(Duration::from_secs(3));
    let refused = t.main().call("getUpdates", json!({})).await;
    assert_eq!(
        (refused.status, refused.description().as_str()),
        (
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
        )
    );
}

#[tokio::test]
async fn an_app_that_is_taken_away_is_told_that_its_token_is_wrong() {
    let t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    let poll = waiting(&t, &orders, json!({"timeout": 50})).await;
    let app = t.directory.remove_app(t.bot.id(), "orders").unwrap();
    t.gateway.detach_app(&app).await;
    let ended = poll.await.unwrap();
    assert_eq!((ended.status, ended.description().as_str()), (401, "Unauthorized"));
    assert_eq!(orders.call("getMe", json!({})).await.status, 401);
}

#[tokio::test]
async fn waiting_polls_are_answered_when_the_service_stops() {
    let t = Stage::start().await;
    let other = t.app("orders", AppDocument::default()).await;
    let polls = [
        waiting(&t, &t.main(), json!({"timeout": 50})).await,
        waiting(&t, &other, json!({"timeout": 50})).await,
    ];
    t.stop().await;
    for poll in polls {
        assert_eq!(poll.await.unwrap().text(), r#"{"ok":true,"result":[]}"#);
    }
}

#[tokio::test]
async fn a_negative_offset_is_obeyed_once_and_not_for_what_comes_while_waiting() {
    let t = Stage::start().await;
    let poll = waiting(&t, &t.main(), json!({"timeout": 50, "offset": -1})).await;
    let update = |id: i64, text: &str| {
        let message = json!({"message_id": id, "date": t.now_secs(), "text": text, "chat": {"id": 7, "type": "private"}});
        format!("{{\"update_id\":{id},\"message\":{message}}}")
    };
    t.append_all(&[update(1, "one"), update(2, "two")]).await;
    let answer = poll.await.unwrap();
    assert_eq!(texts(answer.json()["result"].as_array().unwrap()), ["one", "two"]);
}
