//! A press that everybody got is answered once: by whoever is first.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem_gateway::AppDocument;
use tokio::sync::Notify;

use crate::{
    presses::pressed,
    support::{
        Client, Stage,
        server::{Reply, Server},
    },
};

fn answer(query: &str) -> Value {
    json!({"callback_query_id": query, "text": "Done"})
}

fn chat() -> Value {
    json!({"id": 7, "type": "private"})
}

/// How often Telegram was given an answer since this was last asked.
fn given(t: &Stage) -> usize {
    t.telegram.take_seen().iter().filter(|asked| asked.path().ends_with("/answerCallbackQuery")).count()
}

#[tokio::test]
async fn the_first_answer_goes_to_telegram_and_the_others_are_told_yes() {
    let mut t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    pressed(&mut t, "q", &chat(), 5, "unknown").await;
    assert_eq!(orders.result("answerCallbackQuery", answer("q")).await, true);
    assert_eq!(given(&t), 1);
    let late = t.main().call("AnswerCallbackQuery", answer("q")).await;
    assert_eq!((late.status, late.text()), (200, r#"{"ok":true,"result":true}"#));
    assert_eq!(given(&t), 0);
    assert_eq!(t.sent().await.len(), 1);
    // Another press is another question, and an app may correct itself.
    t.main().result("answerCallbackQuery", answer("other")).await;
    orders.result("answerCallbackQuery", answer("q")).await;
    assert_eq!(given(&t), 2);
}

#[tokio::test]
async fn who_was_first_is_known_after_a_restart() {
    let t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    orders.result("answerCallbackQuery", answer("q")).await;
    let t = t.restart().await;
    assert_eq!(given(&t), 1);
    assert_eq!(t.main().result("answerCallbackQuery", answer("q")).await, true);
    assert_eq!(given(&t), 0);
    let orders = Client { address: t.address, ..orders };
    orders.result("answerCallbackQuery", answer("q")).await;
    assert_eq!(given(&t), 1);
    // A press is long dead by then.
    t.clock.advance(std::time::Duration::from_mins(6));
    let t = t.restart().await;
    t.main().result("answerCallbackQuery", answer("q")).await;
    assert_eq!(given(&t), 1);
}

#[tokio::test]
async fn an_answer_that_telegram_refuses_is_none() {
    let t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    let refused = r#"{"ok":false,"error_code":400,"description":"Bad Request: message is too long"}"#;
    t.telegram.next([Reply::json("400 Bad Request", refused)]);
    assert_eq!(orders.call("answerCallbackQuery", answer("q")).await.text(), refused);
    assert_eq!(t.main().result("answerCallbackQuery", answer("q")).await, true);
    assert_eq!(given(&t), 2);
}

#[tokio::test]
async fn a_second_answer_waits_for_what_comes_of_the_first_even_if_that_app_goes_away() {
    let t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    let told = Arc::new(Notify::new());
    t.telegram.next([Reply::Held(Arc::clone(&told))]);
    let first = orders.calling("answerCallbackQuery", answer("q"));
    while t.telegram.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    first.abort();
    let second = t.main().calling("answerCallbackQuery", answer("q"));
    tokio::task::yield_now().await;
    assert!(!second.is_finished());
    told.notify_one();
    assert_eq!(second.await.unwrap().status, 200);
    assert_eq!(given(&t), 1);
}

#[tokio::test]
async fn an_answer_that_a_webhook_gives_counts_like_any_other() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    orders.result("setWebhook", json!({"url": format!("http://{}/hook", receiver.address)})).await;
    let reply = json!({"method": "answerCallbackQuery", "callback_query_id": "q"}).to_string();
    receiver.on("hook", Reply::json("200 OK", &reply));
    t.main().result("answerCallbackQuery", answer("q")).await;
    pressed(&mut t, "q", &chat(), 5, "unknown").await;
    t.run_due().await;
    assert_eq!(receiver.seen().len(), 1);
    assert_eq!(given(&t), 1);
    t.restart().await;
}
