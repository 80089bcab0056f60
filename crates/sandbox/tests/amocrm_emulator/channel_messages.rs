//! What a channel's integration sends, and what becomes of it in amoCRM.

use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::IntoResponse as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::channel::{Channel, Receiver, hex};
use crate::stage::{Stage, eventually};

async fn stage_with_channel() -> (Stage, std::sync::Arc<Receiver>, Channel) {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    let channel = Channel::connected(&stage, &receiver).await;
    (stage, receiver, channel)
}

fn text(words: &str) -> Value {
    json!({"type": "text", "text": words})
}

#[tokio::test]
async fn a_first_message_makes_a_chat_a_contact_an_incoming_lead_and_a_talk() {
    let (stage, _receiver, channel) = stage_with_channel().await;
    let answer = channel.client_says(&stage, "tg:1", text("Здравствуйте")).await;
    assert_eq!(answer["ref_id"], "tg:1");
    assert!(answer.get("receiver_id").is_none(), "not for what comes from the client");
    let line = channel.line(&stage, "tg:1").await;
    assert_eq!((&line["id"], &line["chat"]), (&answer["msgid"], &answer["conversation_id"]));
    assert_eq!((&line["speaker"], &line["sender_id"]), (&json!("client"), &answer["sender_id"]));

    let chat = stage.look(&channel.control("/chats/tg:7:1001")).await;
    let lead = stage.look("/amocrm/leads").await["leads"][0].clone();
    assert_eq!((&lead["status"], &lead["contact_id"]), (&json!("unsorted"), &chat["contact_id"]));
    assert_eq!(lead["source"], "Tandem", "without a source it is named after the integration");
    let talk = stage.look("/amocrm/talks").await["talks"][0].clone();
    assert_eq!(chat["talk_ids"], json!([talk["id"]]));
    assert_eq!(talk["origin"], stage.look(&channel.control("")).await["code"]);

    let again = channel.client_says(&stage, "tg:2", text("И ещё")).await;
    assert_eq!(again["conversation_id"], answer["conversation_id"]);
    assert_eq!(again["sender_id"], answer["sender_id"]);
    channel.line(&stage, "tg:2").await;
    assert_eq!(stage.look("/amocrm/leads").await["leads"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn silent_messages_and_the_companys_own_make_no_cards() {
    let (stage, receiver, channel) = stage_with_channel().await;
    let payload = json!({"msgid": "old", "conversation_id": "c", "silent": true,
        "sender": {"id": "p", "name": "Анна"}, "message": text("давно")});
    channel.event(&stage, "new_message", payload).await;
    let manager = stage.look("/amocrm").await["account"]["users"][0]["amojo_id"].clone();
    for (msgid, speaker, ref_id) in [("m", "manager", manager), ("b", "bot", json!(channel.bot))] {
        let payload = json!({"msgid": msgid, "conversation_id": "c", "silent": false,
            "sender": {"id": "x", "name": "Мы", "ref_id": ref_id}, "receiver": {"id": "p", "name": "Анна"},
            "message": text("ответ")});
        let (status, answer) = channel.event(&stage, "new_message", payload).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["new_message"]["sender_id"], ref_id);
        assert!(answer["new_message"]["receiver_id"].is_string());
        assert_eq!(channel.line(&stage, msgid).await["speaker"], speaker);
    }
    assert_eq!(stage.look("/amocrm/contacts").await["contacts"], json!([]));
    assert_eq!(receiver.count(), 0, "no hook for what was imported");

    stage.act(&channel.control(""), json!({"echo_managers": true})).await;
    let payload = json!({"msgid": "m2", "conversation_id": "c", "silent": true,
        "sender": {"id": "x", "name": "Мы", "ref_id": stage.look("/amocrm").await["account"]["users"][0]["amojo_id"]},
        "receiver": {"id": "p", "name": "Анна"}, "message": text("эхо")});
    channel.event(&stage, "new_message", payload).await;
    assert_eq!(receiver.json(0).await["message"]["message"]["text"], "эхо");
}

#[tokio::test]
async fn each_type_has_its_required_fields() {
    let (stage, _receiver, channel) = stage_with_channel().await;
    let good = [
        json!({"type": "text", "text": "да"}),
        json!({"type": "location", "location": {"lon": 37.6, "lat": 55.7}}),
        json!({"type": "contact", "contact": {"name": "Олег", "phone": "+79990001122"}}),
        json!({"type": "voice", "media": "http://127.0.0.1:9/v.ogg"}),
        json!({"type": "sticker", "media": "http://127.0.0.1:9/s.webp", "sticker_id": "7"}),
        json!({"type": "file", "media": "http://127.0.0.1:9/f", "file_name": "f", "file_size": 5}),
    ];
    for (index, message) in good.into_iter().enumerate() {
        let id = format!("good:{index}");
        channel.client_says(&stage, &id, message.clone()).await;
        assert_eq!(channel.line(&stage, &id).await["type"], message["type"]);
    }
    let bad = [
        (json!({"type": "text", "text": ""}), "payload.message.text: must not be empty"),
        (json!({"type": "text", "text": 5}), "payload.message.text: must be a string"),
        (json!({"type": "poll", "text": "x"}), "payload.message.type: `poll` is no type of message"),
        (json!({"type": "picture", "file_name": "a", "file_size": 1}), "payload.message.media: is required"),
        (
            json!({"type": "picture", "media": "http://h/a", "file_size": 1}),
            "payload.message.file_name: is required",
        ),
        (
            json!({"type": "video", "media": "http://h/a", "file_name": "a", "file_size": "1"}),
            "payload.message.file_size: must be an integer",
        ),
        (
            json!({"type": "voice", "media": "not an address"}),
            "payload.message.media: must be an http or https URL",
        ),
        (json!({"type": "location", "location": {"lon": 1}}), "payload.message.location.lat: is required"),
        (json!({"type": "contact", "contact": {"name": "О"}}), "payload.message.contact.phone: is required"),
    ];
    for (message, why) in bad {
        let payload = json!({"msgid": "bad", "conversation_id": "c", "silent": false,
            "sender": {"id": "p", "name": "Анна"}, "message": message});
        let (status, answer) = channel.event(&stage, "new_message", payload).await;
        assert_eq!((status, answer["error_description"].as_str().unwrap()), (400, why));
    }
}

#[tokio::test]
async fn payloads_are_strict_and_a_msgid_is_taken_once() {
    let (stage, _receiver, channel) = stage_with_channel().await;
    let good = json!({"msgid": "1", "conversation_id": "c", "silent": false,
        "sender": {"id": "p", "name": "Анна"}, "message": text("раз")});
    let changed = |path: &str, value: Value| {
        let mut payload = good.clone();
        *payload.pointer_mut(path).unwrap() = value;
        payload
    };
    let mut with_receiver = good.clone();
    with_receiver["receiver"] = json!({"id": "p", "name": "Анна"});
    let mut far_source = good.clone();
    far_source["source"] = json!({"external_id": "x".repeat(41)});
    let cases = [
        (changed("/msgid", json!(1)), "payload.msgid: must be a string"),
        (changed("/silent", json!("false")), "payload.silent: must be a boolean"),
        (changed("/conversation_id", Value::Null), "payload.conversation_id: is required"),
        (changed("/sender/name", Value::Null), "payload.sender.name: is required"),
        (with_receiver, "payload.sender.ref_id: must be the channel's bot or a user of the account"),
        (far_source, "payload.source.external_id: must be at most 40 printable ASCII characters"),
    ];
    for (payload, why) in cases {
        let (status, answer) = channel.event(&stage, "new_message", payload).await;
        assert_eq!((status, answer["error_description"].as_str().unwrap()), (400, why));
        assert_eq!(answer["error_type"], "VALIDATION_ERROR");
    }
    assert_eq!(channel.event(&stage, "new_message", good.clone()).await.0, 200);
    let (status, answer) = channel.event(&stage, "new_message", good.clone()).await;
    assert_eq!(
        (status, answer["error_description"].as_str().unwrap()),
        (400, "payload.msgid: a message with this id was sent before")
    );
    let (status, _) = channel.event(&stage, "old_message", good).await;
    assert_eq!(status, 400);
    let body = json!({"event_type": "new_message", "payload": {"timestamp": "1"}});
    assert_eq!(channel.call(&stage, Method::POST, &channel.scope(), body).await.0, 400);
}

#[tokio::test]
async fn a_chat_made_before_its_first_message_waits_unseen() {
    let (stage, _receiver, channel) = stage_with_channel().await;
    let user = json!({"id": "tg:1001", "name": "Анна", "profile": {"phone": "+7 999 000-11-22", "email": "a@b.example"}});
    let body = json!({"conversation_id": "tg:7:1001", "user": user});
    let path = format!("{}/chats", channel.scope());
    let (status, made) = channel.call(&stage, Method::POST, &path, body.clone()).await;
    assert_eq!(status, 200);
    assert_eq!(
        made["user"],
        json!({"id": made["user"]["id"], "client_id": "tg:1001", "name": "Анна", "avatar": "",
            "phone": "+7 999 000-11-22", "email": "a@b.example"})
    );
    assert_eq!(
        channel.call(&stage, Method::POST, &path, body).await.1["id"],
        made["id"],
        "the chat that exists"
    );
    assert_eq!(stage.look("/amocrm/leads").await["leads"], json!([]));
    let history = format!("{}/chats/{}/history", channel.scope(), made["id"].as_str().unwrap());
    assert_eq!(channel.call(&stage, Method::GET, &history, Value::Null).await.0, 204, "empty");

    let known = stage.act("/amocrm/contacts", json!({"name": "Анна К", "phone": "79990001122"})).await;
    let said = channel.client_says(&stage, "1", text("да")).await;
    assert_eq!(said["conversation_id"], made["id"]);
    channel.line(&stage, "1").await;
    let chat = stage.look(&channel.control("/chats/tg:7:1001")).await;
    assert_eq!(chat["contact_id"], known["id"], "the phone of the first message finds the card");

    let by_reference = json!({"conversation_id": "x", "user": {"ref_id": made["user"]["id"]}});
    let (status, answer) = channel.call(&stage, Method::POST, &path, by_reference).await;
    assert_eq!((status, &answer["user"]["id"]), (200, &made["user"]["id"]));
}

#[tokio::test]
async fn a_message_is_edited_by_either_id() {
    let (stage, _receiver, channel) = stage_with_channel().await;
    let said = channel.client_says(&stage, "1", text("орпечатка")).await;
    let edit = |id: Value, words: &str| {
        let mut payload = json!({"conversation_id": "tg:7:1001", "message": text(words)});
        payload.as_object_mut().unwrap().extend(id.as_object().unwrap().clone());
        payload
    };
    let (status, answer) =
        channel.event(&stage, "edit_message", edit(json!({"msgid": "1"}), "опечатка")).await;
    assert_eq!((status, &answer["new_message"]["msgid"]), (200, &said["msgid"]));
    let by_amojo = edit(json!({"id": said["msgid"], "msgid": "new-name"}), "верно");
    assert_eq!(channel.event(&stage, "edit_message", by_amojo).await.0, 200);
    let line = eventually("both edits", async || {
        let line = channel.line(&stage, said["msgid"].as_str().unwrap()).await;
        (line["text"] == "верно").then_some(line)
    })
    .await;
    assert_eq!(line["earlier_texts"], json!(["орпечатка", "опечатка"]));
    assert_eq!((&line["msgid"], &line["edited"]), (&json!("new-name"), &json!(true)));
    assert_eq!(channel.event(&stage, "edit_message", edit(json!({"msgid": "no"}), "x")).await.0, 400);
}

#[tokio::test]
async fn quotes_and_forwards_are_looked_up_and_unknown_ones_complained_of() {
    let (stage, _receiver, channel) = stage_with_channel().await;
    let first = channel.client_says(&stage, "1", text("раз")).await;
    let payload = |msgid: &str, quote: Value| {
        json!({"msgid": msgid, "conversation_id": "tg:7:1001", "silent": false, "reply_to": {"message": quote},
            "sender": {"id": "tg:1001", "name": "Анна"}, "message": text("два")})
    };
    for (msgid, quote) in [("2", json!({"msgid": "1"})), ("3", json!({"id": first["msgid"]}))] {
        channel.event(&stage, "new_message", payload(msgid, quote)).await;
        assert_eq!(channel.line(&stage, msgid).await["reply_to"]["id"], first["msgid"]);
    }
    channel.event(&stage, "new_message", payload("4", json!({"msgid": "none"}))).await;
    assert_eq!(channel.line(&stage, "4").await["reply_to"]["id"], Value::Null);
    assert_eq!(channel.complaints(&stage).await, ["quote_unknown"]);
    let written_out = json!({"type": "text", "text": "старое", "timestamp": 1, "msec_timestamp": 1000, "sender": {"name": "О"}});
    channel.event(&stage, "new_message", payload("5", written_out)).await;
    assert_eq!(channel.line(&stage, "5").await["reply_to"]["given"]["text"], "старое");
    let (status, _) = channel.event(&stage, "new_message", payload("6", json!({"text": "x"}))).await;
    assert_eq!(status, 400);

    let mut forward = payload("7", json!({"msgid": "1"}));
    forward["conversation_id"] = json!("another");
    forward["forwards"] = json!({"messages": [{"msgid": "1"}], "conversation_id": "tg:7:1001"});
    channel.event(&stage, "new_message", forward.clone()).await;
    let line = channel.line(&stage, "7").await;
    assert_eq!((&line["forwards"]["id"], &line["reply_to"]["id"]), (&first["msgid"], &Value::Null), "{line}");
    forward["msgid"] = json!("8");
    forward["forwards"]["messages"] = json!([{"msgid": "1"}, {"msgid": "2"}]);
    assert_eq!(channel.event(&stage, "new_message", forward).await.0, 400, "one forwarded message at most");
}

#[tokio::test]
async fn files_and_pictures_of_people_are_fetched_and_complained_of() {
    let (stage, receiver, channel) = stage_with_channel().await;
    let png = || ([(CONTENT_TYPE, "image/png")], b"picture".to_vec()).into_response();
    let picture = |url: String, size: usize| json!({"type": "picture", "media": url, "file_name": "p.png", "file_size": size});
    let wait = async |msgid: &str| {
        eventually("the fetch", async || {
            let line = channel.line(&stage, msgid).await;
            (line["media"]["fetched"]["state"] != "waiting").then_some(line["media"].clone())
        })
        .await
    };
    channel.client_says(&stage, "good", picture(receiver.file("good.png", png()), 7)).await;
    let media = wait("good").await;
    assert_eq!(media["fetched"]["state"], "fetched");
    let sha256 = hex(&<sha2::Sha256 as sha2::Digest>::digest(b"picture"));
    assert_eq!((&media["file_size"], &media["fetched"]["sha256"]), (&json!(7), &json!(sha256)));
    let link = media["link"].as_str().unwrap();
    let kept = stage.http.get(link).send().await.unwrap();
    assert_eq!(kept.headers()["content-type"], "image/png");
    assert_eq!(kept.bytes().await.unwrap(), b"picture".as_slice());
    assert!(channel.complaints(&stage).await.is_empty());

    let html = ([(CONTENT_TYPE, "text/html")], "<p>").into_response();
    let moved = (reqwest::StatusCode::FOUND, [(LOCATION, "/good.png")]).into_response();
    let gone = reqwest::StatusCode::NOT_FOUND.into_response();
    let empty = ([(CONTENT_TYPE, "image/png")], "").into_response();
    let mut unsized_body =
        axum::response::Response::new(axum::body::Body::from_stream(futures_util::stream::iter([Ok::<
            _,
            std::io::Error,
        >(
            "abc"
        )])));
    unsized_body.headers_mut().insert(CONTENT_TYPE, "image/png".parse().unwrap());
    let cases = [
        ("html", html, 3, "media_wrong_type"),
        ("moved", moved, 7, "media_redirect"),
        ("gone", gone, 7, "media_status"),
        ("empty", empty, 0, "media_empty"),
        ("unsized", unsized_body, 3, "media_no_length"),
        ("size", png(), 8, "media_size"),
    ];
    for (name, answer, size, code) in cases {
        let before = channel.complaints(&stage).await.len();
        channel.client_says(&stage, name, picture(receiver.file(name, answer), size)).await;
        wait(name).await;
        assert_eq!(channel.complaints(&stage).await[before..], [code.to_owned()], "{name}");
    }
    let before = channel.complaints(&stage).await.len();
    let secret = "http://127.0.0.1:9/file/bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0/p.png";
    channel.client_says(&stage, "secret", picture(secret.to_owned(), 1)).await;
    let media = wait("secret").await;
    assert_eq!(channel.complaints(&stage).await[before..], ["token_in_address", "media_unreachable"]);
    assert!(media["fetched"]["error"].is_string());

    let payload = json!({"msgid": "face", "conversation_id": "tg:7:1001", "silent": false,
        "sender": {"id": "tg:1001", "name": "Анна", "avatar": receiver.file("face.png", png())}, "message": text("я")});
    channel.event(&stage, "new_message", payload).await;
    eventually("the avatar", async || {
        let chat = stage.look(&channel.control("/chats/tg:7:1001")).await;
        (chat["person"]["avatar"]["state"] == "fetched").then_some(())
    })
    .await;
}

#[tokio::test]
async fn history_is_newest_first_in_pages() {
    let (stage, _receiver, channel) = stage_with_channel().await;
    let mut chat = String::new();
    for n in 0..60 {
        stage.sandbox.clock().advance(std::time::Duration::from_secs(1));
        let said = channel.client_says(&stage, &format!("m{n}"), text(&n.to_string())).await;
        said["conversation_id"].as_str().unwrap().clone_into(&mut chat);
    }
    channel.line(&stage, "m59").await;
    channel.say(&stage, json!({"chat": chat, "text": "ответ"})).await;
    let page = async |query: &str| {
        let path = format!("{}/chats/{chat}/history{query}", channel.scope());
        channel.call(&stage, Method::GET, &path, Value::Null).await
    };
    let (status, newest) = page("?offset=0&limit=50").await;
    let newest = newest["messages"].as_array().unwrap();
    assert_eq!((status, newest.len()), (200, 50));
    assert_eq!(newest[0]["message"]["text"], "ответ");
    assert!(newest[0]["message"].get("client_id").is_none(), "born in amoCRM");
    assert_eq!(newest[0]["receiver"]["client_id"], "tg:1001");
    assert_eq!(
        (&newest[1]["message"]["client_id"], &newest[1]["sender"]["client_id"]),
        (&json!("m59"), &json!("tg:1001"))
    );
    let (_, rest) = page("?offset=50&limit=50").await;
    assert_eq!(rest["messages"].as_array().unwrap().len(), 11);
    assert_eq!(page("?offset=100").await, (204, Value::Null));
    assert_eq!(page("?limit=51").await.0, 400);
    let other = Channel::connected(&stage, &*Receiver::start().await).await;
    let path = format!("{}/chats/{chat}/history", other.scope());
    assert_eq!(other.call(&stage, Method::GET, &path, Value::Null).await.0, 204, "only its own chats");
}

#[tokio::test]
async fn a_channel_can_take_its_time_before_a_message_is_shown() {
    let (stage, _receiver, channel) = stage_with_channel().await;
    stage.act(&channel.control(""), json!({"processing_ms": [300, 300]})).await;
    let said = channel.client_says(&stage, "1", text("да")).await;
    assert!(said["msgid"].is_string(), "accepted");
    let due_ms = stage.sandbox.clock().now_ms() + 300;
    stage.sandbox.clock().until_sleeping(|times| times.contains(&due_ms)).await;
    let path = channel.control("/messages/1");
    assert_eq!(stage.ask(Method::GET, &path, None).await.0, 404, "and not shown yet");
    stage.sandbox.clock().set(due_ms);
    channel.line(&stage, "1").await;
}

#[tokio::test]
async fn the_client_types_and_reacts() {
    let (stage, _receiver, channel) = stage_with_channel().await;
    let said = channel.client_says(&stage, "1", text("да")).await;
    channel.line(&stage, "1").await;
    let scope = channel.scope();
    let typing = json!({"conversation_id": "tg:7:1001", "sender": {"id": "tg:1001"}});
    let answer = channel.call(&stage, Method::POST, &format!("{scope}/typing"), typing).await;
    assert_eq!(answer, (204, Value::Null));
    let chat = stage.look(&channel.control("/chats/tg:7:1001")).await;
    assert_eq!(
        chat["typing"],
        json!({"sender": "tg:1001", "until_ms": stage.sandbox.clock().now_ms() + 5000})
    );

    let react = async |body: Value| channel.call(&stage, Method::POST, &format!("{scope}/react"), body).await;
    let base = json!({"conversation_id": "tg:7:1001", "msgid": "1", "user": {"id": "tg:1001"}, "type": "react", "emoji": "👍"});
    assert_eq!(react(base.clone()).await, (200, Value::Null));
    let with = |name: &str, value: Value| {
        let mut body = base.clone();
        body[name] = value;
        body
    };
    react(with("emoji", json!("❤"))).await;
    let line = channel.line(&stage, "1").await;
    assert_eq!(line["reactions"], json!([{"user_id": said["sender_id"], "emoji": "❤"}]), "the last one wins");
    assert_eq!(react(with("type", json!("unreact"))).await.0, 200);
    assert_eq!(channel.line(&stage, "1").await["reactions"], json!([]));
    assert_eq!(react(with("msgid", json!("none"))).await.0, 404);
    assert_eq!(react(with("type", json!("like"))).await.0, 400);
    assert_eq!(react(with("emoji", Value::Null)).await.0, 400);
}
