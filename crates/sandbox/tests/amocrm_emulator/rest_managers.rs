//! What managers do to cards, as programs see it over REST and by account hooks.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::channel::{Channel, Receiver};
use crate::rest_client::Rest;
use crate::stage::{Stage, eventually};

/// A contact with this name, phone and Telegram id.
async fn contact(rest: &Rest<'_>, name: &str, phone: &str) -> u64 {
    let phone = json!({"field_code": "PHONE", "values": [{"value": phone}]});
    let body = json!([{"name": name, "custom_fields_values": [phone], "tags_to_add": [{"name": name}]}]);
    rest.post("contacts", body).await.1["_embedded"]["contacts"][0]["id"].as_u64().unwrap()
}

/// The fields of the first account hook that has `key`, whatever came before or after it.
async fn hook_with(receiver: &Receiver, key: &str) -> BTreeMap<String, String> {
    eventually(key, async || {
        for index in 0..receiver.count() {
            let fields: BTreeMap<String, String> =
                form_urlencoded::parse(&receiver.hook(index).await.2).into_owned().collect();
            if fields.contains_key(key) {
                return Some(fields);
            }
        }
        None
    })
    .await
}

async fn hears(rest: &Rest<'_>, receiver: &Receiver, settings: Value) {
    let body = json!({"destination": format!("{}/hook", receiver.address), "settings": settings});
    assert_eq!(rest.post("webhooks", body).await.0, 201);
}

#[tokio::test]
async fn two_cards_become_one() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let receiver = Receiver::start().await;
    let channel = Channel::connected(&stage, &receiver).await;
    let hooks = Receiver::start().await;
    hears(&rest, &hooks, json!(["update_contact", "delete_contact"])).await;
    let (anna, double) =
        (contact(&rest, "Анна", "+79990001122").await, contact(&rest, "Аня", "+79995550011").await);
    let leads = json!([{"name": "Заказ", "_embedded": {"contacts": [{"id": anna, "is_main": true}, {"id": double}]}},
        {"name": "Второй", "_embedded": {"contacts": [{"id": double}]}}]);
    let (_, made) = rest.post("leads", leads).await;
    let lead = |index: usize| format!("leads/{}?with=contacts", made["_embedded"]["leads"][index]["id"]);
    let note = json!([{"note_type": "common", "params": {"text": "заметка"}}]);
    rest.post(&format!("contacts/{double}/notes"), note).await;
    let body = json!({"conversation_id": "c", "user": {"id": "p", "name": "Аня"}});
    let (_, chat) = channel.call(&stage, Method::POST, &format!("{}/chats", channel.scope()), body).await;
    rest.post("contacts/chats", json!([{"contact_id": double, "chat_id": chat["id"]}])).await;

    let merge = async |from: u64, into: u64| {
        stage.ask(Method::POST, &format!("/amocrm/contacts/{from}/merge"), Some(json!({"into": into}))).await
    };
    assert_eq!(merge(double, double).await.0, 404, "two are needed");
    assert_eq!(merge(double, anna).await.0, 200);
    assert_eq!(rest.get(&format!("contacts/{double}")).await.0, 204, "it is gone");
    let (_, kept) = rest.get(&format!("contacts/{anna}?with=leads")).await;
    let phones = kept["custom_fields_values"][0]["values"].as_array().unwrap();
    assert_eq!(phones.iter().map(|it| &it["value"]).collect::<Vec<_>>(), ["+79990001122", "+79995550011"]);
    assert_eq!(kept["_embedded"]["leads"].as_array().unwrap().len(), 2);
    assert_eq!(kept["_embedded"]["tags"].as_array().unwrap().len(), 2);
    for index in 0..2 {
        let (_, shown) = rest.get(&lead(index)).await;
        let contacts = shown["_embedded"]["contacts"].as_array().unwrap();
        assert_eq!((contacts.len(), &contacts[0]["id"]), (1, &json!(anna)), "{shown}");
    }
    assert_eq!(rest.get(&format!("contacts/{anna}/notes")).await.0, 200);
    let (_, chats) = rest.get(&format!("contacts/chats?contact_id={anna}")).await;
    assert_eq!(chats["_embedded"]["chats"][0]["chat_id"], chat["id"]);
    let (status, answer) =
        rest.post("contacts/chats", json!([{"contact_id": double, "chat_id": chat["id"]}])).await;
    assert_eq!(
        (status, &answer["validation-errors"][0]["errors"][0]["code"]),
        (400, &json!("EntityNotFound"))
    );
    assert_eq!(merge(double, anna).await.0, 404);
    let gone = hook_with(&hooks, "contacts[delete][0][id]").await;
    assert_eq!(gone["contacts[delete][0][id]"], double.to_string());
    let updated = hook_with(&hooks, "contacts[update][0][id]").await;
    assert_eq!(updated["contacts[update][0][id]"], anna.to_string());
    assert_eq!(updated["contacts[update][0][custom_fields][0][code]"], "PHONE");
}

#[tokio::test]
async fn a_card_is_edited_and_deleted() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let anna = contact(&rest, "Анна", "+79990001122").await;
    let lead = json!([{"name": "Заказ", "_embedded": {"contacts": [{"id": anna}]}}]);
    let lead = rest.post("leads", lead).await.1["_embedded"]["leads"][0]["id"].clone();
    let path = format!("/amocrm/contacts/{anna}");
    let edited = stage.act(&path, json!({"name": "Анна К", "phone": "8 (999) 555-00-11"})).await;
    assert_eq!((&edited["name"], &edited["phone"]), (&json!("Анна К"), &json!("79995550011")));
    assert_eq!(rest.get("contacts?query=9995550011").await.1["_embedded"]["contacts"][0]["id"], anna);
    assert_eq!(rest.get("contacts?query=9990001122").await.0, 204, "the phone was replaced");
    let unknown = json!({"custom_fields_values": [{"field_id": 5, "values": [{"value": "x"}]}]});
    assert_eq!(stage.ask(Method::POST, &path, Some(unknown)).await.0, 400);

    assert_eq!(stage.ask(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(rest.get(&format!("contacts/{anna}")).await.0, 204);
    assert_eq!(rest.get(&format!("leads/{lead}?with=contacts")).await.1["_embedded"]["contacts"], json!([]));
    assert_eq!(stage.ask(Method::DELETE, &path, None).await.0, 404);
}

#[tokio::test]
async fn a_lead_that_is_lost_closes_its_talks_and_can_come_back() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let receiver = Receiver::start().await;
    let channel = Channel::connected(&stage, &receiver).await;
    let hooks = Receiver::start().await;
    hears(&rest, &hooks, json!(["status_lead", "update_talk", "delete_unsorted"])).await;
    channel.client_says(&stage, "1", json!({"type": "text", "text": "да"})).await;
    channel.line(&stage, "1").await;
    let lead = stage.look("/amocrm/leads").await["leads"][0]["id"].clone();
    let path = format!("/amocrm/leads/{lead}");
    let lost = stage.act(&path, json!({"stage": 143})).await;
    assert_eq!((&lost["status"], &lost["status_id"]), (&json!("closed"), &json!(143)));
    let talk = stage.look("/amocrm/talks").await["talks"][0].clone();
    assert_eq!(talk["open"], false);
    let told = hook_with(&hooks, "talk[update][0][talk_id]").await;
    assert_eq!(
        (&told["talk[update][0][talk_id]"], told["talk[update][0][is_in_work]"].as_str()),
        (&talk["id"].to_string(), "0")
    );
    let told = hook_with(&hooks, "leads[status][0][id]").await;
    assert_eq!(
        (told["leads[status][0][status_id]"].as_str(), told["leads[status][0][old_status_id]"].as_str()),
        ("143", "61000001")
    );
    hook_with(&hooks, "unsorted[delete][0][uid]").await;

    let reopened = rest.patch(&format!("leads/{lead}"), json!({"status_id": 61_000_002})).await;
    assert_eq!(reopened.0, 200);
    let (_, shown) = rest.get(&format!("leads/{lead}")).await;
    assert_eq!((&shown["status_id"], &shown["closed_at"]), (&json!(61_000_002), &Value::Null));
    assert_eq!(stage.ask(Method::POST, &path, Some(json!({"stage": 5}))).await.0, 400);
    assert_eq!(stage.ask(Method::POST, &path, Some(json!({}))).await.0, 400);
    let elsewhere = rest.patch(&format!("leads/{lead}"), json!({"pipeline_id": 7_100_002})).await;
    assert_eq!(elsewhere.0, 200);
    assert_eq!(rest.get(&format!("leads/{lead}")).await.1["status_id"], 61_000_012);
}

#[tokio::test]
async fn a_talk_that_a_manager_closes_is_told() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    let hooks = Receiver::start().await;
    hears(&rest, &hooks, json!(["update_talk"])).await;
    let bot = stage.connected_bot().await;
    let client = stage.client("Анна").await;
    stage.client_acts(client, &bot, "text", json!({"text": "да"})).await;
    stage.lines_when(&bot, client, 1).await;
    let talk = stage.look("/amocrm/talks").await["talks"][0]["id"].clone();
    let closed = stage.act(&format!("/amocrm/talks/{talk}/close"), json!({})).await;
    assert_eq!(closed["open"], false);
    let told = hook_with(&hooks, "talk[update][0][talk_id]").await;
    assert_eq!(told["talk[update][0][origin]"], "telegram");
    assert_eq!(stage.ask(Method::POST, "/amocrm/talks/5/close", None).await.0, 404);
}

#[tokio::test]
async fn search_may_lag_and_an_account_may_be_unpaid() {
    let stage = Stage::new().await;
    let rest = Rest::new(&stage).await;
    stage.act("/amocrm/account", json!({"search_lag_ms": 5000})).await;
    let anna = contact(&rest, "Анна", "+79990001122").await;
    assert_eq!(rest.get("contacts?query=9990001122").await.0, 204, "not found yet");
    assert_eq!(rest.get(&format!("contacts/{anna}")).await.0, 200, "by its id it is");
    assert_eq!(rest.get("contacts").await.0, 200, "and in the list");
    stage.sandbox.clock().advance(Duration::from_secs(5));
    assert_eq!(rest.get("contacts?query=9990001122").await.0, 200);

    stage.act("/amocrm/account", json!({"paid": false})).await;
    let (status, answer) = rest.get("account").await;
    assert_eq!((status, &answer["status"]), (402, &json!(402)));
}
