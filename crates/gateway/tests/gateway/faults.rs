//! Trouble on the way, at Telegram and on the disk: an app never sees a false 401, 404 or 409.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tandem_crashfs::{Access, Disk};
use tandem_gateway::BotState;
use tandem_journal::Health;

use tokio::{io::AsyncWriteExt, net::TcpStream, sync::Notify};

use crate::support::{Stage, http::post, message, server::Reply, until};

#[tokio::test]
async fn pages_resets_silence_and_half_answers_become_json() {
    let t = Stage::start().await;
    for method in ["sendMessage", "getMe"] {
        for (reply, status, description) in [
            (Reply::html("502 Bad Gateway"), 502, "Bad Gateway"),
            (Reply::html("504 Gateway Timeout"), 504, "Gateway Timeout"),
            (Reply::html("401 Unauthorized"), 502, "Bad Gateway"),
            (Reply::html("404 Not Found"), 502, "Bad Gateway"),
            (Reply::html("409 Conflict"), 502, "Bad Gateway"),
            (Reply::html("200 OK"), 502, "Bad Gateway"),
            (Reply::html("413 Payload Too Large"), 413, "Request Entity Too Large"),
            (Reply::typed("503 Service Unavailable", "text/plain", ""), 502, "Bad Gateway"),
            (Reply::Reset, 502, "Bad Gateway"),
            (Reply::Silence, 504, "Gateway Timeout"),
        ] {
            t.telegram.on(method, reply.clone());
            let answer = t.main().call(method, json!({"chat_id": 7, "text": "hi"})).await;
            assert_eq!(
                (answer.status, answer.description().as_str()),
                (status, description),
                "{method} {reply:?}"
            );
            assert_eq!(answer.header("content-type"), Some("application/json"));
        }
    }
    t.telegram.on("sendMessage", Reply::BreakOff);
    assert_eq!(t.main().call("sendMessage", json!({"chat_id": 7})).await.status, 502);
    assert_eq!(t.bot.state(), BotState::Active);
    assert!(t.sent().await.is_empty());
}

#[tokio::test]
async fn a_send_is_not_repeated() {
    let t = Stage::start().await;
    t.telegram.on("sendMessage", Reply::Reset);
    t.main().call("sendMessage", json!({"chat_id": 7, "text": "hi"})).await;
    assert_eq!(t.telegram.seen().len(), 1);
}

#[tokio::test]
async fn what_telegram_says_itself_is_passed_on_as_it_is() {
    let t = Stage::start().await;
    let flood = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 9","parameters":{"retry_after":9}}"#;
    for (status, body) in [
        ("429 Too Many Requests", flood),
        (
            "500 Internal Server Error",
            r#"{"ok":false,"error_code":500,"description":"Internal Server Error"}"#,
        ),
        ("404 Not Found", r#"{"ok":false,"error_code":404,"description":"Not Found"}"#),
    ] {
        t.telegram.on("sendMessage", Reply::json(status, body));
        let answer = t.main().call("sendMessage", json!({"chat_id": 7})).await;
        assert_eq!((answer.status.to_string(), answer.text()), (status[..3].to_owned(), body));
    }
}

#[tokio::test]
async fn a_token_that_telegram_no_longer_takes_marks_the_bot_and_nothing_more_is_sent() {
    let t = Stage::start().await;
    let unauthorized = r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#;
    let mut state = t.bot.watch_state();
    t.telegram.on("getMe", Reply::json("401 Unauthorized", unauthorized));
    let answer = t.main().call("test/getMe", json!({})).await;
    assert_eq!(
        (answer.status, t.bot.state()),
        (401, BotState::Active),
        "the test environment knows no such token"
    );
    let answer = t.main().call("getMe", json!({})).await;
    assert_eq!((answer.status, answer.text()), (401, unauthorized));
    state.changed().await.unwrap();
    assert_eq!(*state.borrow(), BotState::Revoked);
    let asked = t.telegram.seen().len();
    assert_eq!(t.main().call("sendMessage", json!({"chat_id": 7})).await.description(), "Unauthorized");
    assert_eq!(t.telegram.seen().len(), asked);
}

#[tokio::test]
async fn a_send_that_could_not_be_kept_is_refused_before_it_is_forwarded() {
    let t = Stage::start_on(Disk::new(1)).await;
    t.disk().unwrap().leave_free(Some(0));
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, &"long ".repeat(20_000))));
    // The first one finds the disk full: it is sent by then, and its answer is passed on.
    let answer = t.main().call("sendMessage", json!({"chat_id": 7, "text": "hi"})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(t.gateway.unkept_sends(), 1);
    // A disk that is not written to looks well.
    let health = t.recorder.health();
    until("the store takes itself for well", || *health.borrow() == Health::Good).await;
    let answer = t.main().call("sendMessage", json!({"chat_id": 7, "text": "hi"})).await;
    assert_eq!((answer.status, answer.description().as_str()), (429, "Too Many Requests: retry after 5"));
    assert_eq!(answer.json()["parameters"]["retry_after"], 5);
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(t.telegram.seen().len(), 1, "the second one never reached Telegram");
    assert_eq!(t.main().call("getMe", json!({})).await.status, 200, "what shows nothing is not concerned");
}

#[tokio::test]
async fn sends_go_out_again_once_the_store_has_kept_anything() {
    let mut t = Stage::start_on(Disk::new(5)).await;
    let send = json!({"chat_id": 7, "text": "hi"});
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, &"long ".repeat(20_000))));
    t.disk().unwrap().leave_free(Some(0));
    let answers = [
        t.main().call("sendMessage", send.clone()).await.status,
        t.main().call("sendMessage", send.clone()).await.status,
    ];
    assert_eq!((answers, t.telegram.take_seen().len()), ([200, 429], 1));
    t.disk().unwrap().leave_free(None);
    t.says(7, "hello").await;
    assert_eq!(t.main().call("sendMessage", send).await.status, 200);
    assert_eq!(t.sent().await.len(), 1);
}

#[tokio::test]
async fn what_telegram_did_is_kept_when_the_app_has_gone() {
    let t = Stage::start().await;
    let told = Arc::new(Notify::new());
    t.telegram.on("deleteMessage", Reply::Held(Arc::clone(&told)));
    let mut app = TcpStream::connect(t.address).await.unwrap();
    let request =
        post(&t.main().path("deleteMessage"), "application/json", b"{\"chat_id\":7,\"message_id\":5}");
    app.write_all(&request).await.unwrap();
    until("Telegram has it", || !t.telegram.seen().is_empty()).await;
    drop(app);
    // The gateway learns that the app is gone while another call is answered.
    assert_eq!(t.main().call("getMe", json!({})).await.status, 200);
    told.notify_one();
    let kept = async {
        while t.sent().await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), kept).await.expect("it is kept");
}

#[tokio::test]
async fn a_store_that_cannot_be_written_stops_no_library_for_good() {
    let mut t = Stage::start_on(Disk::new(2)).await;
    t.says(7, "one").await;
    let first = t.main().updates(json!({})).await[0]["update_id"].as_i64().unwrap();
    t.disk().unwrap().set_access(Access::ReadOnly);
    for (method, params) in [
        ("getUpdates", json!({"offset": first + 1})),
        ("getUpdates", json!({"allowed_updates": ["poll"]})),
        ("setWebhook", json!({"url": "http://127.0.0.1:9/"})),
        ("deleteWebhook", json!({"drop_pending_updates": true})),
    ] {
        let answer = t.main().call(method, params).await;
        assert_eq!(answer.status, 429, "{method}: {}", answer.text());
    }
}
