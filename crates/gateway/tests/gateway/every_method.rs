//! Every documented method, in every form, with every parameter it has: to Telegram and back, byte for byte. Six
//! concern an app's own view of the stream, and never go there.

use std::time::Duration;

use crate::{
    documentation::Documentation,
    forms::{Call, Form},
    support::{REAL, Stage, http::send, server::Reply},
};

/// Answered by the gateway itself (reference/telegram.md section 5).
pub(crate) const VIRTUAL: [&str; 6] =
    ["getUpdates", "setWebhook", "deleteWebhook", "getWebhookInfo", "close", "logOut"];

/// An answer that nobody here understands, in bytes that a second serialisation would change.
const ANSWER: &str = "{ \"ok\" : true ,\n\"result\":{\"\\u0451\":\"ё\",\"n\":1.50e+1,\"id\":12345678901234567890, \
                      \"x\":[ ]}, \"new\":null }";

#[tokio::test]
async fn every_method_passes_in_every_form_byte_for_byte() {
    let t = Stage::start().await;
    let documentation = Documentation::read();
    let (mut methods, mut calls) = (0, 0);
    for method in documentation.methods().filter(|method| !VIRTUAL.contains(method)) {
        methods += 1;
        t.telegram.on(method, Reply::json("200 OK", ANSWER));
        let parameters = documentation.given(method);
        for form in Form::ALL {
            let call = Call::new(form, &parameters);
            for verb in ["GET", "POST"] {
                let answer = send(t.address, &call.request(verb, &t.main().path(method))).await;
                let what = format!("{verb} {method} as {form:?}");
                assert_eq!((answer.status, answer.text()), (200, ANSWER), "{what}");
                assert_eq!(answer.header("content-type"), Some("application/json"), "{what}");
                let seen = t.telegram.take_seen();
                assert_eq!(seen.len(), 1, "{what}");
                let line = format!("{verb} /bot{REAL}/{method}{} HTTP/1.1\r\n", call.query);
                assert!(seen[0].head.starts_with(&line), "{what}: {}", seen[0].head);
                assert_eq!(seen[0].header("content-type"), call.content_type, "{what}");
                assert_eq!(seen[0].body, call.body, "{what}");
                calls += 1;
            }
        }
    }
    assert_eq!((methods, calls), (179, 179 * 8));
}

#[tokio::test]
async fn every_methods_refusal_comes_back_byte_for_byte() {
    let t = Stage::start().await;
    let refusals = [
        ("400 Bad Request", r#"{"ok":false, "error_code":400,"description":"Bad Request: \u0451","x":1}"#),
        (
            "403 Forbidden",
            r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#,
        ),
        (
            "429 Too Many Requests",
            r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 3","parameters":{"retry_after":3}}"#,
        ),
    ];
    for method in Documentation::read().methods().filter(|method| !VIRTUAL.contains(method)) {
        for (status, body) in refusals {
            t.telegram.on(method, Reply::json(status, body));
            let answer = t.main().call(method, serde_json::json!({"chat_id": 7})).await;
            assert_eq!((answer.head.starts_with(&format!("HTTP/1.1 {status}")), answer.text()), (true, body));
        }
    }
    assert!(t.sent().await.is_empty(), "what was refused showed nothing");
}

#[tokio::test]
async fn what_concerns_an_app_alone_never_reaches_telegram_in_any_form() {
    let t = Stage::start().await;
    for method in VIRTUAL {
        for form in Form::ALL {
            for verb in ["GET", "POST"] {
                let request = Call::new(form, &[]).request(verb, &t.main().path(method));
                let answer = tokio::spawn(async move { send(t.address, &request).await });
                // A poll repeated with the same offset is held for a while.
                while !answer.is_finished() {
                    t.clock.advance(Duration::from_secs(1));
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                let answer = answer.await.unwrap();
                assert_eq!(answer.status, 200, "{verb} {method} as {form:?}: {}", answer.text());
            }
        }
    }
    assert!(t.telegram.seen().is_empty());
}
