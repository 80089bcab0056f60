//! What showed something to a client stands in the journal before the app is told (reference/telegram.md 5).

use serde_json::json;
use tandem_gateway::AppDocument;
use tandem_model::{Conversation, Topic};
use tandem_telegram::methods::Act;

use crate::support::{
    Stage,
    http::{multipart, post, send},
    message,
    server::Reply,
};

fn topic(act: Act) -> Topic {
    act.topic()
}

#[tokio::test]
async fn a_message_is_kept_with_its_parameters_and_who_said_it() {
    let t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, "hi")));
    let keyboard = json!({"keyboard": [[{"text": "Yes"}]]});
    let result =
        orders.result("sendMessage", json!({"chat_id": 7, "text": "hi", "reply_markup": keyboard})).await;
    assert_eq!(result["message_id"], 5);
    let sent = t.sent().await;
    let (event, document) = &sent[0];
    assert_eq!(sent.len(), 1);
    assert_eq!(event.conversation, Conversation::chat(7));
    assert_eq!((event.topic, event.cause), (topic(Act::Send), Some(t.app_of("orders").lane())));
    assert_eq!(
        *document,
        json!({
            "method": "sendMessage", "act": "send", "by": {"app": "orders"}, "result": result,
            "parameters": {
                "texts": {"chat_id": "7", "text": "hi", "reply_markup": keyboard.to_string()}, "whole": true,
            },
        })
    );
    let asked = &t.telegram.seen()[0];
    assert_eq!(asked.path(), format!("/bot{}/sendMessage", crate::support::REAL), "with the bot's own token");
}

#[tokio::test]
async fn albums_ids_and_true_are_kept_by_what_the_request_says() {
    let t = Stage::start().await;
    let album = format!("[{},{}]", message(5, -100, ""), message(6, -100, ""));
    for (method, params, result, act, conversation) in [
        ("sendMediaGroup", json!({"chat_id": "@shop"}), album.as_str(), Act::Send, Conversation::chat(-100)),
        (
            "copyMessage",
            json!({"chat_id": 7, "from_chat_id": 8}),
            "{\"message_id\":9}",
            Act::Copy,
            Conversation::chat(7),
        ),
        ("copyMessages", json!({"chat_id": 7}), "[{\"message_id\":9}]", Act::Copy, Conversation::chat(7)),
        ("editMessageText", json!({"inline_message_id": "x"}), "true", Act::Edit, Conversation::bot()),
        ("deleteMessage", json!({"chat_id": 7, "message_id": 5}), "true", Act::Delete, Conversation::chat(7)),
        (
            "readBusinessMessage",
            json!({"chat_id": 7, "business_connection_id": "c"}),
            "true",
            Act::Read,
            Conversation::business("c", 7),
        ),
        ("sendHologram", json!({"chat_id": 7}), &message(5, 7, "new"), Act::Send, Conversation::chat(7)),
    ] {
        let before = t.sent().await.len();
        t.telegram.on(method, Reply::ok(result));
        t.main().result(method, params).await;
        let sent = t.sent().await;
        assert_eq!(sent.len(), before + 1, "{method}");
        let (event, document) = &sent[before];
        assert_eq!((event.topic, &event.conversation), (topic(act), &conversation), "{method}");
        assert_eq!(
            document["result"].to_string(),
            serde_json::from_str::<serde_json::Value>(result).unwrap().to_string()
        );
    }
}

#[tokio::test]
async fn an_upload_is_kept_as_name_and_size_and_passes_byte_by_byte() {
    let t = Stage::start().await;
    t.telegram.on("sendPhoto", Reply::ok(&message(5, 7, "")));
    let photo = vec![0xff; 100_000];
    let body = multipart(&[
        ("chat_id", None, b"7"),
        ("photo", Some("cat.jpg"), &photo),
        ("caption", None, b"A cat"),
    ]);
    let request = post(&t.main().path("sendPhoto"), "multipart/form-data; boundary=b", &body);
    assert_eq!(send(t.address, &request).await.status, 200);
    assert_eq!(t.telegram.seen()[0].body, body);
    let parameters = &t.sent().await[0].1["parameters"];
    assert_eq!(
        *parameters,
        json!({
            "texts": {"chat_id": "7", "caption": "A cat"},
            "files": [{"name": "photo", "file_name": "cat.jpg", "size_bytes": 100_000}], "whole": true,
        })
    );
}

#[tokio::test]
async fn what_failed_and_what_shows_nothing_is_not_kept() {
    let t = Stage::start().await;
    let blocked = r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#;
    t.telegram.on("sendMessage", Reply::json("403 Forbidden", blocked));
    t.telegram.on("getFuture", Reply::ok(&message(5, 7, "old")));
    let answer = t.main().call("sendMessage", json!({"chat_id": 7, "text": "hi"})).await;
    assert_eq!((answer.status, answer.text()), (403, blocked), "in Telegram's own bytes");
    for method in ["getMe", "sendChatAction", "sendMessageDraft", "setMyCommands", "getFuture"] {
        t.main().result(method, json!({"chat_id": 7})).await;
    }
    assert!(t.sent().await.is_empty());
}

#[tokio::test]
async fn nobodys_words_come_back_to_him_as_an_update() {
    let t = Stage::start().await;
    let orders = t.app("orders", AppDocument::default()).await;
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, "hi")));
    t.main().result("sendMessage", json!({"chat_id": 7, "text": "hi"})).await;
    assert!(t.main().updates(json!({})).await.is_empty());
    assert!(orders.updates(json!({})).await.is_empty());
}
