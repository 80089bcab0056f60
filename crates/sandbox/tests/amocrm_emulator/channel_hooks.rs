//! What managers do in a channel's chats, and the hooks of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::channel::{Channel, Receiver, hmac_sha1};
use crate::stage::{Stage, eventually};

/// A channel with one chat in which the client has written.
async fn with_chat() -> (Stage, Arc<Receiver>, Channel, Value) {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    let channel = Channel::connected(&stage, &receiver).await;
    let said = channel.client_says(&stage, "tg:1", json!({"type": "text", "text": "Привет"})).await;
    channel.line(&stage, "tg:1").await;
    (stage, receiver, channel, said)
}

async fn hooks(stage: &Stage, channel: &Channel) -> Vec<Value> {
    stage.look(&channel.control("/hooks")).await["hooks"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_managers_text_goes_out_signed_and_its_status_comes_back() {
    let (stage, receiver, channel, said) = with_chat().await;
    let id = channel.say(&stage, json!({"chat": "tg:7:1001", "text": "Слушаю"})).await.remove(0);
    let (uri, headers, body) = receiver.hook(0).await;
    assert_eq!(uri.path(), format!("/amo/{}", channel.scope()));
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["user-agent"], "amoCRM amoJo/1.0");
    let text = body.strip_suffix(b"\n").expect("one newline at the end");
    assert_eq!(headers["x-signature"], hmac_sha1(&channel.secret, text).as_str(), "which is not signed");
    let manager = stage.look("/amocrm").await["account"]["users"][0]["amojo_id"].clone();
    assert_eq!(
        serde_json::from_slice::<Value>(&body).unwrap(),
        json!({"account_id": channel.account, "time": 1_767_607_200, "message": {
            "receiver": {"id": said["sender_id"], "phone": "", "email": "", "client_id": "tg:1001"},
            "sender": {"id": manager},
            "conversation": {"id": said["conversation_id"], "client_id": "tg:7:1001"},
            "timestamp": 1_767_607_200, "msec_timestamp": 1_767_607_200_000_i64,
            "message": {"id": id, "type": "text", "text": "Слушаю", "markup": null, "tag": "", "media": "",
                "thumbnail": "", "file_name": "", "file_size": 0}}})
    );
    assert_eq!(channel.line(&stage, &id).await["delivery_status"], "sent");
    let path = format!("{}/{id}/delivery_status", channel.scope());
    let set = async |body: Value| channel.call(&stage, Method::POST, &path, body).await;
    assert_eq!(set(json!({"status_code": 1})).await, (200, Value::Null));
    assert_eq!(set(json!({"msgid": id, "delivery_status": 2, "error_code": null})).await.0, 200);
    let failed = json!({"status_code": -1, "delivery_status": -1, "error_code": 905, "error": "Forbidden"});
    assert_eq!(set(failed).await.0, 200);
    let line = channel.line(&stage, &id).await;
    assert_eq!(
        (&line["delivery_status"], &line["error"]),
        (&json!("failed"), &json!({"code": 905, "text": "Forbidden"}))
    );
    let statuses: Vec<&Value> = line["statuses"].as_array().unwrap().iter().map(|it| &it["status"]).collect();
    assert_eq!(statuses, ["delivered", "read", "failed"]);
    for bad in [
        json!({}),
        json!({"status_code": 0}),
        json!({"status_code": "1"}),
        json!({"status_code": -1, "error": "x"}),
        json!({"status_code": -1, "error_code": 905}),
        json!({"status_code": -1, "error_code": 900, "error": "x"}),
        json!({"status_code": 1, "delivery_status": 2}),
    ] {
        assert_eq!(set(bad.clone()).await.0, 400, "{bad}");
    }
    let nobody = format!("{}/6d5c4b3a-2918-4706-95f4-e3d2c1b0a998/delivery_status", channel.scope());
    assert_eq!(channel.call(&stage, Method::POST, &nobody, json!({"status_code": 1})).await.0, 404);
    let delivered = &hooks(&stage, &channel).await[0];
    assert_eq!((&delivered["state"], &delivered["status"]), (&json!("delivered"), &json!(200)));
}

#[tokio::test]
async fn files_albums_buttons_quotes_and_templates() {
    let (stage, receiver, channel, said) = with_chat().await;
    let message = async |index: usize| receiver.json(index).await["message"]["message"].clone();
    channel.say(&stage, json!({"chat": "tg:7:1001", "media": "picture", "text": "подпись"})).await;
    let hook = message(0).await;
    assert_eq!(
        (&hook["type"], &hook["text"], &hook["file_name"]),
        (&json!("picture"), &json!("подпись"), &json!("photo.png"))
    );
    for link in [&hook["media"], &hook["thumbnail"]] {
        let file = stage.http.get(link.as_str().unwrap()).send().await.unwrap();
        assert_eq!(
            (file.status().as_u16(), &file.headers()["content-type"]),
            (200, &"image/png".parse().unwrap())
        );
        assert_eq!(file.bytes().await.unwrap().len() as u64, hook["file_size"].as_u64().unwrap());
    }
    let mut next = 1;
    for kind in ["file", "video", "voice", "audio", "sticker"] {
        channel.say(&stage, json!({"chat": "tg:7:1001", "media": kind})).await;
        assert_eq!(message(next).await["type"], kind);
        next += 1;
    }
    let album = json!({"chat": "tg:7:1001", "text": "альбом", "album": ["picture", {"type": "video", "file_name": "v.mp4"}]});
    assert_eq!(channel.say(&stage, album).await.len(), 2);
    let (first, second) = (message(next).await, message(next + 1).await);
    assert_eq!(first["media_group_id"], second["media_group_id"]);
    assert!(first["media_group_id"].is_string());
    assert_eq!((&first["text"], &second["text"]), (&json!("альбом"), &json!("")));
    next += 2;

    let buttons = json!([[{"text": "Да"}, {"text": "Нет"}]]);
    channel.say(&stage, json!({"chat": "tg:7:1001", "text": "?", "buttons": buttons, "by_bot": true})).await;
    assert_eq!(message(next).await["markup"], json!({"mode": "inline", "buttons": buttons}));
    assert_eq!(receiver.json(next).await["message"]["sender"]["id"], json!(channel.bot));
    let links = json!([[{"text": "Сайт", "url": "https://shop.example"}]]);
    channel.say(&stage, json!({"chat": "tg:7:1001", "text": "?", "buttons": links})).await;
    assert_eq!(message(next + 1).await["markup"]["buttons"], links);
    let mixed = json!({"chat": "tg:7:1001", "text": "?", "buttons": [[{"text": "Да"}, {"text": "Сайт", "url": "https://a.example"}]]});
    assert_eq!(stage.ask(Method::POST, &channel.control("/say"), Some(mixed)).await.0, 400);
    next += 2;

    channel.say(&stage, json!({"chat": "tg:7:1001", "text": "ответ", "quote": "tg:1"})).await;
    let quoted = message(next).await["reply_to"]["message"].clone();
    assert_eq!((&quoted["id"], &quoted["msgid"]), (&said["msgid"], &json!("tg:1")));
    assert_eq!((&quoted["text"], &quoted["sender"]["client_id"]), (&json!("Привет"), &json!("tg:1001")));
    channel.say(&stage, json!({"chat": "tg:7:1001", "text": "вот", "forward": said["msgid"]})).await;
    let forwards = message(next + 1).await["forwards"].clone();
    assert_eq!(
        (&forwards["messages"][0]["id"], &forwards["conversation_ref_id"]),
        (&said["msgid"], &said["conversation_id"])
    );
    let template = json!({"id": 5, "external_id": "hello", "content": "{{x}}", "params": [{"key": "{{x}}", "value": "1"}]});
    channel.say(&stage, json!({"chat": "tg:7:1001", "text": "1", "template": template})).await;
    assert_eq!(message(next + 2).await["template"], template);

    stage.act(&channel.control(""), json!({"quoting": false})).await;
    let quote = json!({"chat": "tg:7:1001", "text": "ответ", "quote": "tg:1"});
    assert_eq!(stage.ask(Method::POST, &channel.control("/say"), Some(quote)).await.0, 400);
}

#[tokio::test]
async fn a_managers_file_misbehaves_as_it_is_told() {
    let (stage, receiver, channel, _) = with_chat().await;
    let mut sent = 0;
    let mut link = async |media: Value| {
        channel.say(&stage, json!({"chat": "tg:7:1001", "media": media})).await;
        sent += 1;
        receiver.json(sent - 1).await["message"]["message"]["media"].as_str().unwrap().to_owned()
    };
    let get = async |link: String| stage.http.get(link).send().await.unwrap();
    let large = link(json!({"type": "video", "size_bytes": 30_000_000})).await;
    let large = get(large).await;
    assert_eq!(large.content_length(), Some(30_000_000));
    assert_eq!(large.bytes().await.unwrap().len(), 30_000_000);
    let typed = get(link(json!({"type": "picture", "content_type": "text/html"})).await).await;
    assert_eq!(typed.headers()["content-type"], "text/html");
    let moved = get(link(json!({"type": "picture", "redirect": "http://10.0.0.1/x"})).await).await;
    assert_eq!(
        (moved.status().as_u16(), &moved.headers()["location"]),
        (302, &"http://10.0.0.1/x".parse().unwrap())
    );
    assert_eq!(get(link(json!({"type": "file", "status": 404})).await).await.status(), 404);
    let foreign = link(json!({"type": "picture", "url": "http://169.254.169.254/latest"})).await;
    assert_eq!(foreign, "http://169.254.169.254/latest");
    let cut = get(link(json!({"type": "file", "size_bytes": 1000, "cut_at": 10})).await).await;
    assert!(cut.bytes().await.is_err(), "the connection breaks off");
    let endless = get(link(json!({"type": "file", "no_length": true})).await).await;
    assert_eq!(endless.content_length(), None);

    let slow = link(json!({"type": "file", "size_bytes": 1000, "slow_ms": 5000})).await;
    let mut slow = get(slow).await;
    assert_eq!(slow.chunk().await.unwrap().unwrap().len(), 500);
    let due_ms = stage.sandbox.clock().now_ms() + 5000;
    stage.sandbox.clock().until_sleeping(|times| times.contains(&due_ms)).await;
    stage.sandbox.clock().set(due_ms);
    assert_eq!(slow.chunk().await.unwrap().unwrap().len(), 500);
    let downloads = stage.look("/amocrm/calls?on=attachments").await;
    assert!(downloads["calls"].as_array().unwrap().len() >= 6);
}

#[tokio::test]
async fn a_manager_types_and_reacts() {
    let (stage, receiver, channel, said) = with_chat().await;
    let manager = stage.look("/amocrm").await["account"]["users"][1].clone();
    let conversation = json!({"id": said["conversation_id"], "client_id": "tg:7:1001"});
    stage.act(&channel.control("/typing"), json!({"chat": "tg:7:1001", "manager": manager["id"]})).await;
    assert_eq!(
        receiver.json(0).await["action"],
        json!({"typing": {"user": {"id": manager["amojo_id"]}, "conversation": conversation, "expired_at": 1_767_607_205}})
    );
    stage
        .act(
            &channel.control("/react"),
            json!({"chat": "tg:7:1001", "message": "tg:1", "emoji": "👍", "manager": manager["id"]}),
        )
        .await;
    let reaction = receiver.json(1).await["action"]["reaction"].clone();
    assert_eq!(reaction["message"]["client_id"], "tg:1");
    assert_eq!(
        (&reaction["type"], &reaction["emoji"], &reaction["conversation"]),
        (&json!("react"), &json!("👍"), &conversation)
    );
    assert_eq!(channel.line(&stage, "tg:1").await["reactions"][0]["user_id"], manager["amojo_id"]);
    stage.act(&channel.control("/react"), json!({"chat": "tg:7:1001", "message": "tg:1"})).await;
    let reaction = receiver.json(2).await["action"]["reaction"].clone();
    assert_eq!((&reaction["type"], reaction.get("emoji")), (&json!("unreact"), None));
    assert_eq!(hooks(&stage, &channel).await.len(), 3);
}

#[tokio::test]
async fn writing_first_begins_a_chat_that_the_next_message_binds() {
    let (stage, receiver, channel, _) = with_chat().await;
    let contact = stage.act("/amocrm/contacts", json!({"name": "Олег", "phone": "+79995550011"})).await;
    let begun = stage
        .act(&channel.control("/write-first"), json!({"phone": "+7 999 555-00-11", "text": "Добрый день"}))
        .await;
    let hook = receiver.json(0).await["message"].clone();
    assert_eq!(hook["conversation"], json!({"id": begun["chat"]}), "no client_id yet");
    assert_eq!(hook["receiver"]["phone"], "79995550011");
    assert!(hook["receiver"].get("client_id").is_none());

    let payload = json!({"msgid": "o1", "conversation_id": "tg:7:2002", "conversation_ref_id": begun["chat"], "silent": false,
        "sender": {"id": "tg:2002", "ref_id": hook["receiver"]["id"], "name": "Oleg"}, "message": {"type": "text", "text": "да"}});
    let (status, answer) = channel.event(&stage, "new_message", payload).await;
    assert_eq!((status, &answer["new_message"]["conversation_id"]), (200, &begun["chat"]));
    channel.line(&stage, "o1").await;
    let chat = stage.look(&channel.control("/chats/tg:7:2002")).await;
    assert_eq!((&chat["id"], &chat["contact_id"]), (&begun["chat"], &contact["id"]));
    channel.say(&stage, json!({"chat": "tg:7:2002", "text": "ещё"})).await;
    let hook = receiver.json(1).await["message"].clone();
    assert_eq!(
        (&hook["conversation"]["client_id"], &hook["receiver"]["client_id"]),
        (&json!("tg:7:2002"), &json!("tg:2002"))
    );

    let stranger = json!({"msgid": "o2", "conversation_id": "n", "conversation_ref_id": "6d5c4b3a-2918-4706-95f4-e3d2c1b0a998",
        "silent": false, "sender": {"id": "n", "name": "N"}, "message": {"type": "text", "text": "x"}});
    assert_eq!(channel.event(&stage, "new_message", stranger).await.0, 400, "there is no such chat");
}

#[tokio::test]
async fn hooks_are_sent_once_and_what_became_of_them_is_kept() {
    let (stage, receiver, channel, _) = with_chat().await;
    receiver.status.store(500, Ordering::SeqCst);
    channel.say(&stage, json!({"chat": "tg:7:1001", "text": "раз"})).await;
    let failed = eventually("the failure", async || {
        hooks(&stage, &channel).await.into_iter().find(|hook| hook["state"] == "failed")
    })
    .await;
    assert_eq!(failed["status"], 500);
    receiver.status.store(204, Ordering::SeqCst);
    stage.sandbox.clock().advance(Duration::from_hours(24));
    channel.say(&stage, json!({"chat": "tg:7:1001", "text": "два"})).await;
    eventually("204 is no 200", async || {
        hooks(&stage, &channel).await.get(1).filter(|hook| hook["state"] == "failed").map(|_| ())
    })
    .await;
    assert_eq!(receiver.count(), 2, "nothing is repeated");

    receiver.status.store(200, Ordering::SeqCst);
    let disconnect = format!("{}/disconnect", channel.id);
    channel.call(&stage, Method::DELETE, &disconnect, json!({"account_id": channel.account})).await;
    channel.say(&stage, json!({"chat": "tg:7:1001", "text": "три"})).await;
    assert_eq!(hooks(&stage, &channel).await[2]["state"], "not_connected");
    assert_eq!(receiver.count(), 2);
}

#[tokio::test]
async fn hooks_get_lost_come_late_and_stand_in_the_slow_queue() {
    let (stage, receiver, channel, _) = with_chat().await;
    let say = async |text: &str| channel.say(&stage, json!({"chat": "tg:7:1001", "text": text})).await;
    let text = async |index: usize| receiver.json(index).await["message"]["message"]["text"].clone();
    stage.act("/amocrm/faults/hooks", json!({"fault": {"kind": "lost"}, "times": 1})).await;
    stage.act("/amocrm/faults/hooks", json!({"fault": {"kind": "late", "ms": 60_000}, "times": 1})).await;
    say("потерян").await;
    say("поздно").await;
    say("вовремя").await;
    assert_eq!(text(0).await, "вовремя");
    stage.sandbox.clock().advance(Duration::from_mins(1));
    assert_eq!(text(1).await, "поздно");
    assert_eq!(hooks(&stage, &channel).await[0]["state"], "lost");

    stage
        .act(
            &channel.control(""),
            json!({"slow_queue_after": 1, "slow_queue_ms": 30_000, "hook_newline": false}),
        )
        .await;
    receiver.status.store(503, Ordering::SeqCst);
    say("первый").await;
    eventually("a failed hook", async || {
        (stage.look(&channel.control("")).await["hooks_failed"] == 1).then_some(())
    })
    .await;
    receiver.status.store(200, Ordering::SeqCst);
    say("второй").await;
    let due_ms = stage.sandbox.clock().now_ms() + 30_000;
    stage.sandbox.clock().until_sleeping(|times| times.contains(&due_ms)).await;
    assert_eq!(receiver.count(), 3);
    stage.sandbox.clock().set(due_ms);
    assert_eq!(text(3).await, "второй");
    assert!(!receiver.hook(3).await.2.ends_with(b"\n"), "the newline can be switched off");
}

#[tokio::test]
async fn a_channel_connected_the_old_way_gets_flat_hooks() {
    let (stage, receiver, channel, _) = with_chat().await;
    let connect = format!("{}/connect", channel.id);
    channel.call(&stage, Method::POST, &connect, json!({"account_id": channel.account})).await;
    channel.say(&stage, json!({"chat": "tg:7:1001", "text": "по-старому"})).await;
    assert_eq!(
        receiver.json(0).await,
        json!({"receiver": "tg:1001", "conversation_id": "tg:7:1001", "type": "text", "text": "по-старому", "media": "",
            "thumbnail": "", "file_name": "", "file_size": 0, "msec_timestamp": 1_767_607_200_000_i64})
    );
}
