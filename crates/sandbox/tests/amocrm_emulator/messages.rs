//! What amoCRM shows of what clients do.

use base64::Engine as _;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::stage::{Stage, eventually, message};

#[tokio::test]
async fn a_person_can_tell_the_kinds_apart() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let anna = stage.client("Анна").await;
    let acts = [
        ("start", json!({"payload": "ref_7"}), "command"),
        ("text", json!({"text": "привет"}), "text"),
        ("photo", json!({}), "photo"),
        ("voice", json!({}), "voice"),
        ("document", json!({}), "document"),
        ("video", json!({}), "video"),
        ("sticker", json!({}), "sticker"),
        ("location", json!({"latitude": 55.7, "longitude": 37.6}), "location"),
        ("contact", json!({"own": true}), "contact"),
    ];
    for (count, (act, with, kind)) in acts.into_iter().enumerate() {
        stage.client_acts(anna, &bot, act, with).await;
        let lines = stage.lines_when(&bot, anna, count + 1).await;
        assert_eq!(lines[count].1, kind, "{act}");
    }
    let chat = stage.chat(&bot, anna).await;
    assert_eq!(chat["start_payloads"], json!(["ref_7"]));
    assert_eq!(stage.look("/amocrm/leads").await["leads"][0]["start_payload"], "ref_7");
}

#[tokio::test]
async fn kinds_nobody_knows_are_shown_as_such() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    stage.deliver(&bot, &message(1, 501, json!({"hologram": {"depth": 3}}))).await.unwrap();
    let update = json!({"update_id": 2, "telepathy": {"from": {"id": 501, "first_name": "Анна"}}});
    stage.deliver(&bot, &update).await.unwrap();
    let lines = stage.lines(&bot, 501).await;
    let lines: Vec<_> = lines.iter().map(|(_, kind, text)| (kind.as_str(), text.as_str())).collect();
    assert_eq!(lines, [("unknown", "hologram"), ("unknown", "telepathy")]);
}

#[tokio::test]
async fn every_delivery_is_kept_as_it_came() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let hook = stage.webhook(&bot).await;
    let odd = b"{ \"message\" : {\"from\":{\"id\":501,\"first_name\":\"\\u0410\"},\"chat\":{\"id\":501},\"text\":\"\xff\"},\n\"update_id\":9 }";
    let invalid = odd.to_vec();
    let valid = String::from_utf8_lossy(odd).into_owned();
    assert_eq!(stage.post(&hook, valid.clone()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(stage.post(&hook, invalid.clone()).await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(stage.post(&hook, "{").await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(stage.post(&hook, r#"{"ok":true}"#).await.unwrap().status(), StatusCode::BAD_REQUEST);
    let nowhere = format!("{}/~external/hooks/telegram?t=1:none&", stage.sandbox.amocrm_url());
    assert_eq!(stage.post(&nowhere, valid.clone()).await.unwrap().status(), StatusCode::NOT_FOUND);

    let raw = stage.look("/amocrm/raw").await;
    let raw = raw["deliveries"].as_array().unwrap();
    let outcomes: Vec<&str> = raw.iter().map(|delivery| delivery["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["taken", "not_an_update", "not_an_update", "not_an_update", "unknown_address"]);
    let bytes = |delivery: &Value| {
        base64::engine::general_purpose::STANDARD.decode(delivery["body_base64"].as_str().unwrap()).unwrap()
    };
    assert_eq!(bytes(&raw[0]), valid.as_bytes());
    assert_eq!(bytes(&raw[1]), invalid);
    let headers = raw[0]["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["content-type", "application/json"])), "{headers:?}");
    assert_eq!(raw[0]["at_ms"], 1_767_607_200_000_i64);
    let own = stage.look(&format!("/amocrm/{}/raw?after=1", bot.id)).await;
    assert_eq!(own["deliveries"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn repeats_are_counted_and_shown_or_hidden() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let update = message(1, 501, json!({"text": "раз"}));
    for _ in 0..3 {
        stage.deliver(&bot, &update).await.unwrap();
    }
    let changed = message(1, 501, json!({"text": "другое с тем же номером"}));
    stage.deliver(&bot, &changed).await.unwrap();
    let deliveries = stage.deliveries(&bot).await;
    assert_eq!(
        (&deliveries["received"], &deliveries["repeats"], &deliveries["clashes"]),
        (&json!(4), &json!(2), &json!(1))
    );
    assert_eq!(stage.lines(&bot, 501).await.len(), 2);
    let all = stage.look(&format!("/amocrm/{}/chats/501?messages=all", bot.id)).await;
    assert_eq!(all["messages"].as_array().unwrap().len(), 4);
    assert_eq!(all["repeats"], 2);
    assert_eq!(stage.look("/amocrm/leads").await["leads"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn edits_reactions_and_blocks_are_shown_on_what_they_concern() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let anna = stage.client("Анна").await;
    let sent = stage.client_acts(anna, &bot, "text", json!({"text": "в пять"})).await;
    stage.lines_when(&bot, anna, 1).await;
    stage.client_acts(anna, &bot, "edit", json!({"message_id": sent["message_id"], "text": "в шесть"})).await;
    let line = eventually("edit", async || {
        let line = stage.chat(&bot, anna).await["messages"][0].clone();
        (line["edited"] == true).then_some(line)
    })
    .await;
    assert_eq!((&line["text"], &line["earlier_texts"]), (&json!("в шесть"), &json!(["в пять"])));

    let message_id = line["telegram_message_id"].clone();
    let chat = json!({"id": anna, "type": "private"});
    let reaction = json!({"update_id": 900_000_001, "message_reaction": {"chat": chat, "message_id": message_id,
        "user": {"id": anna, "first_name": "Анна"}, "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]}});
    stage.deliver(&bot, &reaction).await.unwrap();
    assert_eq!(stage.chat(&bot, anna).await["messages"][0]["reactions"], json!(["👍"]));

    let blocked = json!({"update_id": 900_000_002, "my_chat_member": {"chat": chat, "from": {"id": anna, "first_name": "Анна"},
        "new_chat_member": {"status": "kicked"}}});
    stage.deliver(&bot, &blocked).await.unwrap();
    let chat = stage.chat(&bot, anna).await;
    assert_eq!(chat["membership"], "kicked");
    assert_eq!(chat["messages"][1]["kind"], "membership");
}

#[tokio::test]
async fn files_are_fetched_through_the_bot_api_and_given_out_again() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let anna = stage.client("Анна").await;
    stage.client_acts(anna, &bot, "document", json!({})).await;
    let file = eventually("a fetched file", async || {
        let chat = stage.look(&format!("/amocrm/{}/chats", bot.id)).await;
        let file = chat["chats"][0]["messages"][0]["attachment"].clone();
        (file["sha256"].is_string() || file["error"].is_string()).then_some(file)
    })
    .await;
    assert_eq!(file["error"], Value::Null);
    let media = stage.client_sees(anna, &bot).await[0]["media"].clone();
    assert_eq!((&file["sha256"], &file["size_bytes"]), (&media["sha256"], &media["size"]));
    let link = file["link"].as_str().unwrap();
    let bytes = stage.http.get(link).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(bytes.len() as u64, media["size"].as_u64().unwrap());

    let lost = message(900_000_001, anna, json!({"voice": {"file_id": "nothing"}}));
    stage.deliver(&bot, &lost).await.unwrap();
    let error = eventually("a failure", async || {
        let second = stage.chat(&bot, anna).await["messages"][1].clone();
        second["attachment"]["error"].as_str().map(ToOwned::to_owned)
    })
    .await;
    assert!(error.starts_with("400 Bad Request"), "{error}");
}

#[tokio::test]
async fn the_contact_is_found_by_telegram_id_or_by_the_clients_own_phone() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let known = stage.act("/amocrm/contacts", json!({"name": "Анна К.", "phone": "8 900 111-22-33"})).await;
    let by_id = stage.act("/amocrm/contacts", json!({"name": "Борис", "telegram_id": 502})).await;

    stage.deliver(&bot, &message(1, 501, json!({"text": "кто я?"}))).await.unwrap();
    let contacts = stage.look("/amocrm/contacts").await;
    assert_eq!(contacts["contacts"].as_array().unwrap().len(), 3, "no phone yet: a new contact");
    // Somebody else's contact proves nothing.
    let phone = |user: i64| json!({"contact": {"phone_number": "+79001112233", "first_name": "Анна", "user_id": user}});
    stage.deliver(&bot, &message(2, 501, phone(777))).await.unwrap();
    assert_ne!(stage.chat(&bot, 501).await["contact_id"], known["id"]);
    stage.deliver(&bot, &message(3, 501, phone(501))).await.unwrap();
    assert_eq!(stage.chat(&bot, 501).await["contact_id"], known["id"]);
    let contacts = stage.look("/amocrm/contacts").await;
    assert_eq!(contacts["contacts"].as_array().unwrap().len(), 2, "both were one person");
    assert_eq!(stage.look("/amocrm/leads").await["leads"][0]["contact_id"], known["id"]);

    stage.deliver(&bot, &message(4, 502, json!({"text": "а я Борис"}))).await.unwrap();
    assert_eq!(stage.chat(&bot, 502).await["contact_id"], by_id["id"]);

    let body = json!({"name": "Ещё раз", "phone": "+79001112233"});
    let (status, _) = stage.ask(Method::POST, "/amocrm/contacts", Some(body)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_closed_talk_or_lead_opens_anew_with_the_next_message() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let says = async |update_id| {
        stage.deliver(&bot, &message(update_id, 501, json!({"text": "ещё"}))).await.unwrap();
        let (talks, leads) = (stage.look("/amocrm/talks").await, stage.look("/amocrm/leads").await);
        (talks["talks"].clone(), leads["leads"].clone())
    };
    let (talks, leads) = says(1).await;
    assert_eq!(leads[0]["status"], "unsorted");
    stage.act(&format!("/amocrm/leads/{}", leads[0]["id"]), json!({"status": "accepted"})).await;
    stage.act(&format!("/amocrm/talks/{}/close", talks[0]["id"]), json!({})).await;
    let (talks, leads) = says(2).await;
    assert_eq!((talks.as_array().unwrap().len(), leads.as_array().unwrap().len()), (2, 1));
    stage.act(&format!("/amocrm/leads/{}", leads[0]["id"]), json!({"status": "closed"})).await;
    let (talks, leads) = says(3).await;
    assert_eq!((talks.as_array().unwrap().len(), leads.as_array().unwrap().len()), (3, 2));
}

#[tokio::test]
async fn a_group_is_a_chat_without_a_card() {
    let stage = Stage::new().await;
    let bot = stage.connected_bot().await;
    let mut update = message(1, 501, json!({"text": "всем привет"}));
    update["message"]["chat"] = json!({"id": -100_500, "type": "supergroup", "title": "Сотрудники"});
    stage.deliver(&bot, &update).await.unwrap();
    let chat = stage.chat(&bot, -100_500).await;
    assert_eq!((&chat["title"], &chat["contact_id"]), (&json!("Сотрудники"), &Value::Null));
    assert_eq!(stage.look("/amocrm/leads").await["leads"], json!([]));
}
