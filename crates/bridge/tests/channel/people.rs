//! Clients, their cards and their leads, while conversations go through the bridge.

use std::time::Duration;

use serde_json::{Value, json};
use tandem_bridge::ChannelDocument;
use tandem_model::UserId;
use tandem_sandbox::telegram::Bot;

use crate::{
    shop::{ANN, Access, Shop, push},
    support::{id, until},
};

/// Lost, in every pipeline of amoCRM's.
const LOST: u64 = 143;

/// The values of a field of a card.
fn values(card: &Value, code: &str) -> Vec<String> {
    let fields = card["custom_fields_values"].as_array().cloned().unwrap_or_default();
    let field = fields.iter().find(|field| field["field_code"] == code);
    let values = field.and_then(|field| field["values"].as_array()).cloned().unwrap_or_default();
    values.iter().map(|value| value["value"].as_str().unwrap().to_owned()).collect()
}

async fn committed(shop: &Shop, bot: &Bot) -> Option<String> {
    let connection = shop.service.store.find_connection("shop".to_owned()).await.unwrap().unwrap().id;
    shop.service.store.find_contact(id(bot), UserId::new(ANN).unwrap(), connection).await.unwrap()
}

#[tokio::test]
async fn a_client_of_two_bots_is_one_contact_with_one_lead_and_his_number_comes_to_his_card() {
    let shop = Shop::open_with(Access::ChatsAndCards).await;
    let (first, second) = (shop.bot().await, shop.bot().await);
    shop.says(&first, ANN, 1, "hello");
    shop.says(&second, ANN, 1, "hello");
    for bot in [&first, &second] {
        shop.shown(bot, ANN, 1).await;
    }
    let contacts = shop.contacts().await;
    assert_eq!((contacts.len(), shop.unsorted().await), (1, 0));
    assert_eq!(contacts[0]["_embedded"]["leads"].as_array().unwrap().len(), 1);
    assert_eq!(values(&contacts[0], "TELEGRAM_ID"), [ANN.to_string()]);
    for bot in [&first, &second] {
        let known = until("a committed contact", async || committed(&shop, bot).await).await;
        assert_eq!(known, contacts[0]["id"].to_string());
    }
    let contact = json!({"contact": {"phone_number": "79990001122", "first_name": "Ann", "user_id": ANN}});
    push(&first, "message", &shop.message(ANN, 2, &contact));
    shop.shown(&first, ANN, 2).await;
    assert_eq!(values(&shop.contacts().await[0], "PHONE"), ["+79990001122"]);
    assert!(shop.complaints().await.is_empty());
    shop.service.stop().await;
}

#[tokio::test]
async fn who_wrote_while_the_api_was_closed_is_matched_with_the_next_words() {
    let shop = Shop::open_with(Access::ChatsAndCards).await;
    let bot = shop.bot().await;
    // Somebody who is known makes the field.
    shop.says(&bot, ANN + 1, 1, "first");
    shop.shown(&bot, ANN + 1, 1).await;
    let known = json!([{"name": "Anna", "custom_fields_values": [
        {"field_code": "TELEGRAM_ID", "values": [{"value": ANN.to_string()}]}]}]);
    let made = shop.changes("contacts", &known).await;
    let anna = made["_embedded"]["contacts"][0]["id"].clone();
    shop.stage.act("/amocrm/faults/rest", json!({"fault": {"kind": "ban"}})).await;
    shop.says(&bot, ANN, 1, "hello");
    shop.shown(&bot, ANN, 1).await;
    assert_eq!(committed(&shop, &bot).await, None);
    let address = format!("{}/amocrm/faults/rest", shop.stage.sandbox.control_url());
    shop.stage.http.delete(address).send().await.unwrap().error_for_status().unwrap();
    assert_eq!(shop.unsorted().await, 1);
    // One request in five minutes looks whether it is open again.
    shop.stage.clock.advance(Duration::from_mins(5));
    shop.says(&bot, ANN, 2, "are you there?");
    shop.shown(&bot, ANN, 2).await;
    let matched = until("a match", async || committed(&shop, &bot).await).await;
    assert_eq!(matched, anna.to_string());
    assert_eq!((shop.contacts().await.len(), shop.unsorted().await), (2, 0));
    shop.service.stop().await;
}

#[tokio::test]
async fn a_lead_that_was_lost_is_opened_again_when_its_client_writes_after_a_while() {
    let shop = Shop::open_with(Access::ChatsAndCards).await;
    let channel = ChannelDocument { reopen_lost: true, ..ChannelDocument::default() };
    let bot = shop.bot_with(channel).await;
    shop.says(&bot, ANN, 1, "hello");
    shop.shown(&bot, ANN, 1).await;
    let lead = shop.contacts().await[0]["_embedded"]["leads"][0]["id"].clone();
    let lost = json!({ "status_id": LOST });
    shop.changes(&format!("leads/{lead}"), &lost).await;
    shop.stage.clock.advance(Duration::from_hours(1));
    shop.says(&bot, ANN, 2, "I am back");
    shop.shown(&bot, ANN, 2).await;
    assert_ne!(shop.api(&format!("leads/{lead}")).await["status_id"], LOST);
    assert_eq!(shop.contacts().await[0]["_embedded"]["leads"].as_array().unwrap().len(), 1);
    shop.service.stop().await;
}
