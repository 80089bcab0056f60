//! An app that is limited calls what it may call where it may, in whatever form it asks, and nothing else leaves.

use serde_json::json;
use tandem_gateway::{AppDocument, AppLimits, ChatRule, MethodRule};

use crate::support::{
    Client, Stage,
    http::{Answer, get, multipart, post, send},
    message,
    server::{Reply, Server},
};

fn limited(methods: Option<&[&str]>, chats: Option<&[&str]>) -> AppDocument {
    let limits = AppLimits {
        methods: methods.map(|rules| rules.iter().map(|rule| MethodRule::parse(rule).unwrap()).collect()),
        chats: chats.map(|rules| rules.iter().map(|rule| ChatRule::parse(rule).unwrap()).collect()),
    };
    AppDocument { limits, ..AppDocument::default() }
}

fn assert_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.text());
    assert!(answer.description().starts_with("Bad Request: Tandem: the owner of this bot"), "{what}");
}

#[tokio::test]
async fn methods_that_are_not_in_the_list_are_refused_and_nothing_leaves() {
    let t = Stage::start().await;
    let orders = t.app("orders", limited(Some(&["sendMessage", "answer"]), None)).await;
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, "hi")));
    for (method, params) in [
        ("sendPhoto", json!({"chat_id": 7})),
        ("getChat", json!({"chat_id": 7})),
        ("sendHologram", json!({})),
        ("sendMessage/", json!({})),
        ("test/banChatMember", json!({})),
        ("", json!({"method": "deleteMessage"})),
    ] {
        assert_refused(&orders.call(method, params).await, method);
    }
    let file = send(t.address, &get(&format!("/file/bot{}/photos/1.jpg", orders.token))).await;
    assert_refused(&file, "a file");
    assert!(t.telegram.seen().is_empty());
    orders.result("SENDMESSAGE", json!({"chat_id": 7, "text": "hi"})).await;
    orders.result("answerInlineQuery", json!({})).await;
    for method in ["getMe", "getUpdates", "getWebhookInfo", "deleteWebhook"] {
        orders.result(method, json!({})).await;
    }
    t.main().result("sendPhoto", json!({"chat_id": 7})).await;
}

#[tokio::test]
async fn files_come_with_get_file() {
    let t = Stage::start().await;
    let orders = t.app("orders", limited(Some(&["getFile"]), None)).await;
    t.telegram.on("1.jpg", Reply::typed("200 OK", "image/jpeg", "JPEG"));
    let file = send(t.address, &get(&format!("/file/bot{}/photos/1.jpg", orders.token))).await;
    assert_eq!((file.status, file.body.as_slice()), (200, b"JPEG".as_slice()));
}

/// The same call in every form that a request can have.
async fn in_each_form(client: &Client, chat: &str) -> Vec<(&'static str, Answer)> {
    let path = client.path("sendMessage");
    let form = format!("text=hi&chat_id={}", chat.replace('@', "%40"));
    let json = json!({"text": "hi", "chat_id": chat}).to_string();
    let number = format!("{{\"text\":\"hi\",\"chat_id\":{chat}}}");
    let parts = multipart(&[("text", None, b"hi"), ("chat_id", None, chat.as_bytes())]);
    let chunked = format!(
        "POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{json}\r\n0\r\n\r\n",
        json.len()
    );
    let mut answers = Vec::new();
    for (what, request) in [
        ("query", get(&format!("{path}?{form}"))),
        ("query and body", post(&format!("{path}?{form}"), "application/json", br#"{"chat_id":7}"#)),
        ("form", post(&path, "application/x-www-form-urlencoded", form.as_bytes())),
        ("json", post(&path, "application/json", json.as_bytes())),
        ("number", post(&path, "application/json", number.as_bytes())),
        ("multipart", post(&path, "multipart/form-data; boundary=b", &parts)),
        ("chunked", chunked.into_bytes()),
    ] {
        if what != "number" || !chat.starts_with('@') {
            answers.push((what, send(client.address, &request).await));
        }
    }
    answers
}

#[tokio::test]
async fn chats_are_checked_in_every_form_of_a_request() {
    let t = Stage::start().await;
    let orders = t.app("orders", limited(None, Some(&["7", "@shop"]))).await;
    t.telegram.on("sendMessage", Reply::ok(&message(5, 7, "hi")));
    for chat in ["7", "@Shop"] {
        for (what, answer) in in_each_form(&orders, chat).await {
            assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        }
    }
    let before = t.sent().await.len();
    for chat in ["8", "-7", "@other"] {
        for (what, answer) in in_each_form(&orders, chat).await {
            assert_refused(&answer, what);
        }
    }
    assert_eq!(t.sent().await.len(), before);
    let forward = json!({"chat_id": 7, "from_chat_id": 8, "message_id": 1});
    assert_refused(&orders.call("forwardMessage", forward).await, "from another chat");
    assert_refused(&orders.call("getChat", json!({"chat_id": 8})).await, "reading");
    let reply = json!({"chat_id": 7, "text": "hi", "reply_parameters": {"message_id": 1, "chat_id": 8}});
    assert_refused(&orders.call("sendMessage", reply).await, "a reply to another chat");
    orders.result("answerCallbackQuery", json!({"callback_query_id": "q"})).await;
    orders.result("setMyCommands", json!({"commands": []})).await;
}

#[tokio::test]
async fn an_upload_passes_or_breaks_off_before_its_end_wherever_the_chat_stands() {
    let t = Stage::start().await;
    let orders = t.app("orders", limited(None, Some(&["7"]))).await;
    t.telegram.on("sendPhoto", Reply::ok(&message(5, 7, "")));
    let photo = vec![0xff; 1 << 20];
    let upload = |parts: &[(&str, Option<&str>, &[u8])]| {
        post(&orders.path("sendPhoto"), "multipart/form-data; boundary=b", &multipart(parts))
    };
    let cat = ("photo", Some("cat.jpg"), photo.as_slice());
    let whole = upload(&[cat, ("chat_id", None, b"7")]);
    assert_eq!(send(t.address, &whole).await.status, 200);
    let seen = t.telegram.take_seen();
    assert!(whole.ends_with(&seen[0].body[..100]) || seen[0].body_bytes > photo.len());
    for parts in [[("chat_id", None, b"8".as_slice()), cat], [cat, ("chat_id", None, b"8")]] {
        assert_refused(&send(t.address, &upload(&parts)).await, "another chat");
    }
    let late = upload(&[("chat_id", None, b"7"), cat, ("reply_parameters", None, br#"{"chat_id":8}"#)]);
    assert_refused(&send(t.address, &late).await, "named after the file");
    assert!(t.telegram.seen().is_empty(), "nothing arrived whole");
    assert_eq!(t.sent().await.len(), 1);
}

#[tokio::test]
async fn a_webhooks_replies_are_limited_too() {
    let mut t = Stage::start().await;
    let receiver = Server::start().await;
    let orders = t.app("orders", limited(Some(&["sendMessage"]), Some(&["7"]))).await;
    orders.result("setWebhook", json!({"url": format!("http://{}/hook", receiver.address)})).await;
    for reply in [
        json!({"method": "sendMessage", "chat_id": 7, "text": "hi"}),
        json!({"method": "sendMessage", "chat_id": 8, "text": "hi"}),
        json!({"method": "deleteMessage", "chat_id": 7, "message_id": 1}),
    ] {
        receiver.next([Reply::json("200 OK", &reply.to_string())]);
        t.says(7, "hello").await;
        t.run_due().await;
    }
    assert_eq!(receiver.seen().len(), 3);
    let seen = t.telegram.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].text().contains("chat_id") && seen[0].path().ends_with("sendMessage"));
}
