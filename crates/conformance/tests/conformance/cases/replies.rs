//! Group 11: calls that a webhook gives as its answer (3.3).

use serde_json::{Value, json};

use crate::{
    stage::{Delivery, Person, Receiver, Stage, ids, until},
    table::{Case, case},
};

pub(crate) const CASES: &[Case] = &[
    case!(
        a_reply_with_a_method_in_json,
        "3.3, 10.11",
        "A JSON answer with `method` is carried out, and its result reported to nobody."
    ),
    case!(a_reply_with_a_method_in_a_form, "3.3, 10.11", "The same, urlencoded."),
    case!(a_reply_with_a_method_in_multipart, "3.3, 10.11", "The same as multipart with a file."),
    case!(a_reply_in_any_case, "1.1, 3.3", "`SENDMESSAGE` is as good."),
    case!(
        some_methods_are_refused_silently,
        "3.3, 10.11",
        "`setWebhook`, `deleteWebhook`, `close`, `logOut` and what begins with `get` do nothing, in any case."
    ),
    case!(
        a_reply_that_is_no_call_is_none,
        "3.3",
        "An empty body, text, `{}` and a body of another type are success and nothing more."
    ),
    case!(a_reply_of_a_failure_is_not_carried_out, "3.3", "A method in the body of a 500 is not called."),
    case!(
        a_reply_that_fails_is_reported_nowhere,
        "3.3",
        "A call that Telegram refuses leaves the update delivered and no error behind."
    ),
];

/// A person who writes, and the webhook's request that tells so.
async fn asked(t: &mut Stage) -> (Person, Receiver, Delivery) {
    let person = t.person().await;
    let updates = t.updates(json!({})).await;
    t.updates(json!({"offset": ids(&updates).last().unwrap() + 1})).await;
    let mut receiver = t.receiver().await;
    t.act(&person.path("text"), &json!({"text": "hello"})).await;
    let delivery = receiver.next().await;
    (person, receiver, delivery)
}

async fn replies(t: &mut Stage, content_type: &str, body: impl Fn(i64) -> Vec<u8>) -> Value {
    let (person, _receiver, delivery) = asked(t).await;
    delivery.reply(content_type, body(person.id));
    until("the reply is carried out", async || person.last().await["from"] == "bot").await;
    t.is_delivered().await;
    if let Some(sent) = t.mirrored().await {
        assert_eq!(sent.len(), 1, "the journal has it");
    }
    person.last().await
}

async fn a_reply_with_a_method_in_json(t: &mut Stage) {
    let body =
        |id: i64| json!({"method": "sendMessage", "chat_id": id, "text": "Hi"}).to_string().into_bytes();
    assert_eq!(replies(t, "application/json", body).await["text"], "Hi");
}

async fn a_reply_with_a_method_in_a_form(t: &mut Stage) {
    let body = |id: i64| format!("method=sendMessage&chat_id={id}&text=Hi+there").into_bytes();
    let said = replies(t, "application/x-www-form-urlencoded", body).await;
    assert_eq!(said["text"], "Hi there");
}

async fn a_reply_with_a_method_in_multipart(t: &mut Stage) {
    use crate::stage::http::{MULTIPART, file, multipart, text};
    let body = |id: i64| {
        let id = id.to_string();
        let parts = [
            text("method", "sendDocument"),
            text("chat_id", &id),
            text("caption", "The bill"),
            text("document", "attach://bill"),
            file("bill", "bill.txt", b"100 roubles"),
        ];
        multipart(&parts)
    };
    let said = replies(t, MULTIPART, body).await;
    assert_eq!((&said["caption"], &said["media"]["size"]), (&json!("The bill"), &json!(11)));
}

async fn a_reply_in_any_case(t: &mut Stage) {
    let body =
        |id: i64| json!({"method": "SENDMESSAGE", "chat_id": id, "text": "Hi"}).to_string().into_bytes();
    assert_eq!(replies(t, "Application/JSON; charset=utf-8", body).await["text"], "Hi");
}

async fn some_methods_are_refused_silently(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    let before = t.webhook_info().await;
    for method in [
        "setWebhook",
        "deleteWebhook",
        "DELETEWEBHOOK",
        "close",
        "logOut",
        "getUpdates",
        "getMe",
        "getFuture",
    ] {
        let calls = t.bot.calls_after(0).len();
        t.says(7, method).await;
        let params = json!({"method": method, "url": "", "drop_pending_updates": true});
        receiver.next().await.reply("application/json", params.to_string());
        t.is_delivered().await;
        assert_eq!(t.webhook_info().await, before, "{method}");
        let called = t.bot.calls_after(0).split_off(calls);
        let ours = ["getwebhookinfo", "getupdates"];
        let by_reply: Vec<_> = called
            .into_iter()
            .map(|call| (call.method.to_ascii_lowercase(), call.webhook_reply))
            .filter(|(name, reply)| *reply || !ours.contains(&name.as_str()))
            .collect();
        assert!(by_reply.is_empty(), "{method}: {by_reply:?}");
    }
}

async fn a_reply_that_is_no_call_is_none(t: &mut Stage) {
    let (person, mut receiver, first) = asked(t).await;
    first.ok();
    let call = json!({"method": "sendMessage", "chat_id": person.id, "text": "Hi"}).to_string();
    for (kind, body) in [
        ("application/json", ""),
        ("application/json", "{}"),
        ("application/json", "true"),
        ("application/json", "{\"ok\":true}"),
        ("text/plain", "ok"),
        ("text/plain", call.as_str()),
    ] {
        t.says(7, "hello").await;
        receiver.next().await.reply(kind, body);
        t.is_delivered().await;
    }
    assert_ne!(person.last().await["from"], "bot");
    assert!(t.webhook_info().await.get("last_error_message").is_none());
}

async fn a_reply_of_a_failure_is_not_carried_out(t: &mut Stage) {
    let (person, mut receiver, delivery) = asked(t).await;
    let call = json!({"method": "sendMessage", "chat_id": person.id, "text": "Hi"}).to_string();
    delivery.raw(format!(
        "HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{call}",
        call.len()
    ));
    receiver.next().await.ok();
    t.is_delivered().await;
    assert_ne!(person.last().await["from"], "bot");
}

async fn a_reply_that_fails_is_reported_nowhere(t: &mut Stage) {
    let mut receiver = t.receiver().await;
    let before = t.webhook_info().await;
    t.says(7, "hello").await;
    let call = json!({"method": "sendMessage", "chat_id": 1, "text": ""});
    receiver.next().await.reply("application/json", call.to_string());
    t.is_delivered().await;
    t.settles().await;
    assert_eq!(t.webhook_info().await, before);
    assert!(receiver.arrived().is_none());
}
