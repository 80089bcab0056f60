//! What a foreign webhook gets.

use serde_json::{Value, json};
use tandem_bridge::UpstreamMode;
use tandem_model::EventKind;

use crate::support::{NewRoute, Receiver, Stage, says, until};

#[tokio::test]
async fn a_relay_gets_telegrams_own_bytes_and_headers() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let mut receiver = Receiver::start().await;
    let route = NewRoute::relay("crm", &receiver.url).secret("their-secret");
    service.add(&bot, UpstreamMode::Polling, &[route]).await;
    bot.push_raw(r#"{"update_id":5000001,"nobody_knows":{"x" : "\u00e9 é","n":1.0e5,"deep":[{}, null ]}}"#)
        .unwrap();
    let delivery = receiver.next().await;
    assert_eq!(
        String::from_utf8(delivery.body.clone()).unwrap(),
        "{\"update_id\":5000001,\n\"nobody_knows\":{\"x\" : \"\\u00e9 é\",\"n\":1.0e5,\"deep\":[{}, null ]}}"
    );
    assert!(
        delivery.head.starts_with("POST /hook?t=s3cret-in-the-address& HTTP/1.1\r\n"),
        "{}",
        delivery.head
    );
    let mut names: Vec<_> = delivery.head.lines().skip(1).filter_map(|line| line.split_once(": ")).collect();
    names.retain(|(name, _)| !name.eq_ignore_ascii_case("host"));
    names.sort_unstable();
    let length = delivery.body.len().to_string();
    assert_eq!(
        names,
        [
            ("accept-encoding", "gzip, deflate"),
            ("connection", "keep-alive"),
            ("content-length", length.as_str()),
            ("content-type", "application/json"),
            ("x-telegram-bot-api-secret-token", "their-secret"),
        ]
    );
    delivery.ok();
    service.stop().await;
}

#[tokio::test]
async fn a_route_gets_the_kinds_its_holder_had_and_no_others() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let mut receiver = Receiver::start().await;
    let route = NewRoute::amocrm("amocrm", &receiver.url).kinds(&["callback_query", "message"]);
    service.add(&bot, UpstreamMode::Polling, &[route]).await;
    let chat = json!({"id": 7, "type": "private"});
    let from = json!({"id": 7, "is_bot": false, "first_name": "Ann"});
    for (kind, object) in [
        (
            "edited_message",
            json!({"message_id": 1, "date": 1_800_000_000, "edit_date": 1_800_000_000, "text": "no", "chat": chat}),
        ),
        ("poll", json!({"id": "1", "question": "no", "options": []})),
        ("callback_query", json!({"id": "9", "from": from, "chat_instance": "1", "data": "yes"})),
    ] {
        bot.push(kind, &object);
    }
    says(&bot, 7, "/start VisitorUid_42");
    let mut got = Vec::new();
    for _ in 0..2 {
        let delivery = receiver.next().await;
        let update: Value = serde_json::from_slice(&delivery.body).unwrap();
        got.push(update["callback_query"]["data"].as_str().unwrap_or(&delivery.text()).to_owned());
        delivery.ok();
    }
    got.sort_unstable();
    assert_eq!(got, ["/start VisitorUid_42", "yes"]);
    assert_eq!(service.journal(&bot).await.len(), 4, "the journal has everything");
    assert!(receiver.arrived().is_none());
    service.stop().await;
}

#[tokio::test]
async fn a_call_in_an_answer_is_not_carried_out() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let mut receiver = Receiver::start().await;
    service.add(&bot, UpstreamMode::Polling, &[NewRoute::amocrm("amocrm", &receiver.url)]).await;
    says(&bot, 7, "one");
    receiver.next().await.reply(r#"{"method":"sendMessage","chat_id":7,"text":"from the CRM"}"#);
    says(&bot, 7, "two");
    receiver.next().await.ok();
    assert!(bot.calls_after(0).iter().all(|call| call.method != "sendMessage"));
    assert!(service.journal(&bot).await.iter().all(|event| event.kind == EventKind::Update));
    service.stop().await;
}

#[tokio::test]
async fn amocrms_built_in_integration_goes_on_as_if_it_had_the_webhook() {
    let stage = Stage::new().await;
    let bot = stage.bot();
    stage.act("/amocrm/connect", json!({"token": bot.token()})).await;
    let url = stage.webhook_info(&bot).await["url"].as_str().unwrap().to_owned();
    stage.bot_api(&bot, "deleteWebhook", json!({})).await;
    let service = stage.serve().await;
    service.add(&bot, UpstreamMode::Polling, &[NewRoute::amocrm("amocrm", &url)]).await;
    // amoCRM is down for a while.
    stage.act("/amocrm/down", json!({})).await;
    for number in 0..5 {
        for chat in [7, 8] {
            says(&bot, chat, &format!("{chat}: {number}"));
        }
    }
    service.bodies(&bot, 10).await;
    stage.act("/amocrm/up", json!({})).await;
    let chats = stage
        .in_time("everything in amoCRM", async || {
            let chats = texts(&stage, bot.id()).await;
            (chats.iter().map(Vec::len).sum::<usize>() == 10).then_some(chats)
        })
        .await;
    for (texts, chat) in chats.iter().zip([7, 8]) {
        let expected: Vec<_> = (0..5).map(|number| format!("{chat}: {number}")).collect();
        assert_eq!(*texts, expected);
    }
    service.stop().await;
}

/// What amoCRM shows of each client, by his number.
async fn texts(stage: &Stage, bot: i64) -> Vec<Vec<String>> {
    let chats = stage.look(&format!("/amocrm/{bot}/chats")).await;
    let listed = chats["chats"].as_array().or_else(|| chats.as_array()).cloned().unwrap_or_default();
    let mut found = Vec::new();
    for chat in listed {
        let chat_id = chat["id"].as_str().unwrap_or_default().to_owned();
        let shown = stage.look(&format!("/amocrm/{bot}/chats/{chat_id}")).await;
        let messages = shown["messages"].as_array().cloned().unwrap_or_default();
        let texts: Vec<String> =
            messages.iter().filter_map(|message| message["text"].as_str().map(str::to_owned)).collect();
        found.push(texts);
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_route_whose_address_changes_goes_on_at_the_new_one() {
    let stage = Stage::new().await;
    let (service, bot) = (stage.serve().await, stage.bot());
    let (mut old, mut new) = (Receiver::start().await, Receiver::start().await);
    service.add(&bot, UpstreamMode::Polling, &[NewRoute::relay("crm", &old.url)]).await;
    says(&bot, 7, "one");
    old.next().await.ok();
    until("the cursor", async || {
        let lanes = service.store.list_lanes(crate::support::id(&bot), None, 9).await.unwrap();
        lanes.iter().any(|lane| lane.name == "route:crm" && lane.acked.get() == 1).then_some(())
    })
    .await;
    service.add(&bot, UpstreamMode::Polling, &[NewRoute::relay("crm", &new.url)]).await;
    says(&bot, 7, "two");
    let delivery = new.next().await;
    assert_eq!(delivery.text(), "two");
    delivery.ok();
    assert!(old.arrived().is_none());
    service.stop().await;
}
