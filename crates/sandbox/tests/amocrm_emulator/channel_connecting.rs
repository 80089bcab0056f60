//! Signatures, connecting, and what is refused before a message is looked at.

use reqwest::Method;
use serde_json::{Value, json};

use crate::channel::{Channel, Headers, Receiver, date};
use crate::stage::Stage;

const TEXT: &str = r#"{"event_type":"new_message","payload":{"timestamp":1767607200,"msec_timestamp":1767607200123,"msgid":"tg:777:42","conversation_id":"tg:777:1001","silent":false,"sender":{"id":"tg:1001","name":"Анна"},"message":{"type":"text","text":"Привет 👋 a/b"}}}"#;

/// Channel and account of the reference's vectors; the stage's clock stands at their date.
async fn of_the_vectors(stage: &Stage) -> Channel {
    let account = "9f8e7d6c-5b4a-4392-8172-615f4e3d2c1b";
    stage.act("/amocrm/account", json!({"amojo_id": account})).await;
    let fixture = json!({"id": "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0",
        "secret": "00112233445566778899aabbccddeeff01234567"});
    Channel::register(stage, fixture).await
}

fn headers(date: &str, signature: &str) -> Headers {
    Headers {
        date: date.to_owned(),
        content_md5: None,
        content_type: "application/json",
        signature: Some(signature.to_owned()),
    }
}

#[tokio::test]
async fn the_references_vectors_are_taken_over_http() {
    let stage = Stage::new().await;
    let channel = of_the_vectors(&stage).await;
    let monday = "Mon, 05 Jan 2026 10:00:00 +0000";
    let connect =
        r#"{"account_id":"9f8e7d6c-5b4a-4392-8172-615f4e3d2c1b","title":"TgBridge","hook_api_version":"v2"}"#;
    let post = |path: String, body: &str, headers| {
        let body = body.to_owned();
        let (stage, channel) = (&stage, &channel);
        async move { channel.raw(stage, Method::POST, &path, body, headers).await.unwrap() }
    };
    let signed = headers(monday, "1b4c1e91a5a4381ea6b03fe8a6fef7d41bc85e37");
    let (status, answer) = post(format!("{}/connect", channel.id), connect, signed).await;
    assert_eq!(
        (status, answer),
        (
            200,
            json!({"account_id": channel.account, "scope_id": channel.scope(), "title": "TgBridge",
                "hook_api_version": "v2", "is_time_window_disabled": false})
        )
    );
    let signed = headers(monday, "2f5e67e5c1541ccb7aa1eade290fb4eadf26be16");
    let (status, answer) = post(channel.scope(), TEXT, signed).await;
    assert_eq!((status, &answer["new_message"]["ref_id"]), (200, &json!("tg:777:42")));

    let chat = "6d5c4b3a-2918-4706-95f4-e3d2c1b0a998";
    let path = format!("{}/chats/{chat}/history?offset=0&limit=50", channel.scope());
    let signed = headers(monday, "37843c0ac7103ad93a40b6dd4e574053101104af");
    let history = channel.raw(&stage, Method::GET, &path, String::new(), signed).await.unwrap();
    assert_eq!(history, (204, Value::Null), "signed rightly, and there is no such chat");

    let path = format!("{}/1a2b3c4d-5e6f-4708-8192-a3b4c5d6e7f8/delivery_status", channel.scope());
    let status_body =
        r#"{"status_code":-1,"error_code":905,"error":"Forbidden: bot was blocked by the user"}"#;
    let signed = headers("Mon, 05 Jan 2026 10:00:00 GMT", "2468fbd59358ebeb620b7d0ff2c2aa1eae38d956");
    let (status, answer) = post(path, status_body, signed).await;
    assert_eq!(
        (status, &answer["error_description"]),
        (404, &json!("NOT_FOUND")),
        "there is no such message"
    );
}

#[tokio::test]
async fn wrong_signatures_dates_and_checksums_are_all_the_same_403() {
    let stage = Stage::new().await;
    let channel = of_the_vectors(&stage).await;
    channel.connect(&stage).await;
    let now_ms = stage.sandbox.clock().now_ms();
    let good = Headers { signature: None, ..headers(&date(now_ms), "") };
    let cases = [
        ("signature", Headers { signature: Some("0".repeat(40)), ..good.clone() }),
        ("old date", Headers { date: date(now_ms - 901_000), ..good.clone() }),
        ("future date", Headers { date: date(now_ms + 901_000), ..good.clone() }),
        ("no date", Headers { date: "yesterday".to_owned(), ..good.clone() }),
        ("checksum", Headers { content_md5: Some("0".repeat(32)), ..good.clone() }),
    ];
    for (what, headers) in cases {
        let answer =
            channel.raw(&stage, Method::POST, &channel.scope(), TEXT.to_owned(), headers).await.unwrap();
        let refusal = json!({"status": 0, "error_code": 403, "error_type": "ORIGIN_INVALID_SIGNATURE",
            "error_description": "invalid signature"});
        assert_eq!(answer, (403, refusal), "{what}");
    }
    let refused = stage.look("/amocrm/calls?on=amojo&endpoint=new_message").await;
    let why: Vec<&str> =
        refused["calls"].as_array().unwrap().iter().map(|call| call["refused"].as_str().unwrap()).collect();
    assert_eq!(
        why,
        [
            "the signature is not this request's",
            "the date is more than 15 minutes away",
            "the date is more than 15 minutes away",
            "the date cannot be read",
            "Content-MD5 is not this body's",
        ]
    );
    let edge = Headers { date: date(now_ms - 900_000), ..good.clone() };
    let answer = channel.raw(&stage, Method::POST, &channel.scope(), TEXT.to_owned(), edge).await.unwrap();
    assert_eq!(answer.0, 200, "{}", answer.1);
    let form = Headers { content_type: "application/x-www-form-urlencoded", ..good };
    let answer = channel.raw(&stage, Method::POST, &channel.scope(), TEXT.to_owned(), form).await.unwrap();
    assert_eq!(answer.0, 400);
}

#[tokio::test]
async fn a_channel_writes_only_where_it_is_connected() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    let channel = Channel::register(&stage, json!({"hook_url": receiver.template()})).await;
    let not_registered = json!({"status": 0, "error_code": 404, "error_type": "ORIGIN_NOT_REGISTERED",
        "error_description": "NOT_FOUND"});
    let message = json!({"event_type": "new_message"});
    let before = channel.call(&stage, Method::POST, &channel.scope(), message.clone()).await;
    assert_eq!(before, (404, not_registered.clone()), "not connected yet");

    let connect = format!("{}/connect", channel.id);
    let elsewhere = json!({"account_id": "11112222-3333-4444-8555-666677778888"});
    let answer = channel.call(&stage, Method::POST, &connect, elsewhere).await;
    assert_eq!(answer, (404, not_registered.clone()), "an account that is not on the list");
    let stranger = Channel { id: "00000000-0000-4000-8000-000000000000".to_owned(), ..channel.clone() };
    let answer = stranger.call(&stage, Method::POST, &format!("{}/connect", stranger.id), json!({})).await;
    assert_eq!(answer, (404, not_registered.clone()), "an unknown channel");

    let first = channel.connect(&stage).await;
    assert_eq!(channel.connect(&stage).await, first, "again is harmless");
    let version = json!({"account_id": channel.account, "hook_api_version": 2});
    assert_eq!(channel.call(&stage, Method::POST, &connect, version).await.0, 400, "a number for a string");

    let by_default = json!({"account_id": channel.account});
    let (_, answer) = channel.call(&stage, Method::POST, &connect, by_default.clone()).await;
    assert_eq!((&answer["hook_api_version"], &answer["title"]), (&json!("v1"), &json!("SandboxTelegram")));

    let disconnect = format!("{}/disconnect", channel.id);
    assert_eq!(
        channel.call(&stage, Method::DELETE, &disconnect, by_default.clone()).await,
        (200, Value::Null)
    );
    assert_eq!(channel.call(&stage, Method::DELETE, &disconnect, by_default).await.0, 404);
    assert_eq!(channel.call(&stage, Method::POST, &channel.scope(), message).await.0, 404);
    let wrong_path = channel.call(&stage, Method::POST, &format!("{}/no", channel.scope()), json!({})).await;
    assert_eq!(wrong_path, (404, Value::Null), "no body for a path that is none");
}

#[tokio::test]
async fn two_accounts_worth_of_switches_are_kept_apart_by_channel() {
    let stage = Stage::new().await;
    let receiver = Receiver::start().await;
    let (one, two) =
        (Channel::connected(&stage, &receiver).await, Channel::connected(&stage, &receiver).await);
    for channel in [&one, &two] {
        channel.client_says(&stage, "same", json!({"type": "text", "text": "да"})).await;
    }
    stage.act(&two.control(""), json!({"quoting": false})).await;
    assert_eq!(stage.look(&one.control("")).await["quoting"], true);
    let fault = json!({"fault": {"kind": "status", "code": 503}, "channel": two.id});
    stage.act("/amocrm/faults/amojo", fault).await;
    one.client_says(&stage, "next", json!({"type": "text", "text": "да"})).await;
    let connect = format!("{}/connect", two.id);
    assert_eq!(two.call(&stage, Method::POST, &connect, json!({"account_id": two.account})).await.0, 503);
    let (status, refusal) = stage.ask(Method::POST, &two.control(""), Some(json!({"quotng": true}))).await;
    assert_eq!(status, 400, "{refusal}");
}
