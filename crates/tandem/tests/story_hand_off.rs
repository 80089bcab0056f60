//! The unchanged aiogram bot in the middle of an order, and a manager who interrupts: what the client says to him does not
//! reach the bot's dialogue, her buttons do, and the order goes on where it was, though Tandem is killed between.
//!
//! Needs the Python environment of `scripts/setup`; without it the test fails and says so.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use serde_json::{Value, json};
use support::{
    channel::{Desk, connect, describe},
    shop::Shop,
    until,
};
use tandem_bridge::operations::{AppSettings, Request, Response};
use tandem_gateway::{DropPending, WhileManagerTalks};

/// A program of the owner's that says who has a conversation: what a desk of managers does.
async fn desk(shop: &Shop) -> anyhow::Result<String> {
    let add = Request::AddApp { bot: None, name: "desk".to_owned(), settings: AppSettings::default() };
    let Response::AppToken(added) = shop.tandem.ask(add).await? else { panic!("an app has a token") };
    Ok(added.token.expose().to_owned())
}

async fn says(shop: &Shop, desk: &str, state: &str) -> anyhow::Result<()> {
    let call = format!("{}/bot{desk}/tandemSetConversation", shop.tandem.gateway_url());
    let params = json!({ "chat_id": shop.client, "state": state });
    let answer: Value = reqwest::Client::new().post(call).json(&params).send().await?.json().await?;
    anyhow::ensure!(answer["ok"] == true, "{answer}");
    Ok(())
}

#[tokio::test]
async fn an_order_that_a_manager_interrupts_goes_on_where_it_was_when_he_is_done() -> anyhow::Result<()> {
    let mut shop = Shop::adopted(DropPending::Ignore).await?;
    let desk = desk(&shop).await?;
    let settings =
        AppSettings { while_manager_talks: Some(WhileManagerTalks::Skip), ..AppSettings::default() };
    shop.tandem.ask(Request::SetApp { bot: None, name: "main".to_owned(), settings }).await?;
    let bot = shop.bot_starts().await?;
    for (told, (act, with)) in [
        ("start", json!({})),
        ("contact", json!({ "own": true })),
        ("text", json!({ "text": "Аня" })),
        ("press", json!({ "text": "Заказать" })),
    ]
    .into_iter()
    .enumerate()
    {
        shop.client_acts(act, with).await?;
        until("an answer", async || shop.phone().await, |phone| phone.len() == told + 1).await?;
    }
    shop.client_acts("press", json!({ "data": "product:beans" })).await?;
    let asked = |phone: &Vec<String>| phone.last().is_some_and(|last| last.ends_with("Сколько штук?"));
    until("the bot's question", async || shop.phone().await, asked).await?;

    says(&shop, &desk, "manager").await?;
    shop.client_says("А какой помол?").await?;
    shop.tandem.kill().await?;
    shop.client_says("Тогда средний, спасибо").await?;
    shop.tandem.revive().await?;
    // What is in amoCRM is in the journal.
    let all = async || Ok(shop.amocrm_sees().await?.iter().any(|said| said == "Тогда средний, спасибо"));
    until("her words in amoCRM", all, |seen| *seen).await?;
    says(&shop, &desk, "free").await?;
    shop.client_says("2").await?;
    let total = |phone: &Vec<String>| phone.len() >= 5;
    let phone = until("the total", async || shop.phone().await, total).await?;
    assert_eq!(
        phone[3..],
        ["Кофе в зёрнах, 1 кг. Сколько штук?", "Кофе в зёрнах, 1 кг × 2 = 3600 ₽. Всё верно?"]
    );

    // A button of the bot's is the bot's, whoever talks.
    says(&shop, &desk, "manager").await?;
    shop.client_says("Подождите").await?;
    shop.client_acts("press", json!({ "text": "Баланс" })).await?;
    let phone = until("the balance", async || shop.phone().await, |phone| phone.len() >= 6).await?;
    assert_eq!(phone[5..], ["На вашем счёте 100 бонусов."]);
    bot.stop().await?;
    Ok(())
}

#[tokio::test]
async fn an_order_that_a_manager_interrupts_by_writing_in_amocrm_is_not_disturbed_by_what_is_said_to_him()
-> anyhow::Result<()> {
    let shop = Shop::adopted(DropPending::Ignore).await?;
    let by_hand = desk(&shop).await?;
    let apps = "  [[bot.app]]\n  name = \"main\"\n  drop_pending = \"ignore\"\n  while_manager_talks = \"skip\"\n\
                \x20 [[bot.app]]\n  name = \"desk\"\n";
    describe(&shop, apps).await?;
    connect(&shop).await?;
    let bot = shop.bot_starts().await?;
    for (told, (act, with)) in [
        ("start", json!({})),
        ("contact", json!({ "own": true })),
        ("text", json!({ "text": "Аня" })),
        ("press", json!({ "text": "Заказать" })),
    ]
    .into_iter()
    .enumerate()
    {
        shop.client_acts(act, with).await?;
        until("an answer", async || shop.phone().await, |phone| phone.len() == told + 1).await?;
    }
    shop.client_acts("press", json!({ "data": "product:beans" })).await?;
    let asked = |phone: &Vec<String>| phone.last().is_some_and(|last| last.ends_with("Сколько штук?"));
    let phone = until("the bot's question", async || shop.phone().await, asked).await?;
    let before = phone.len();

    let crm = Desk { shop };
    let hello = crm.writes("Это Ольга. Зёрна молоть?").await?;
    crm.status(&hello, "delivered").await?;
    let shop = &crm.shop;
    shop.client_is_told(before, &["Это Ольга. Зёрна молоть?"]).await?;
    // It is no number: the dialogue would answer to that.
    shop.client_says("Да, средний помол").await?;
    let said = |lines: &Vec<Value>| lines.iter().any(|line| line["text"] == "Да, средний помол");
    until("her words in amoCRM", async || crm.lines().await, said).await?;
    says(shop, &by_hand, "free").await?;
    shop.client_says("2").await?;
    let total = "Кофе в зёрнах, 1 кг × 2 = 3600 ₽. Всё верно?";
    shop.client_is_told(before + 1, &[total]).await?;

    // While he talks again, what her buttons mean stays the bot's.
    let again = crm.writes("Курьер будет к шести").await?;
    crm.status(&again, "delivered").await?;
    shop.client_says("Спасибо").await?;
    shop.client_acts("press", json!({ "text": "Баланс" })).await?;
    shop.client_is_told(before + 2, &["Курьер будет к шести", "На вашем счёте 100 бонусов."]).await?;
    bot.stop().await?;
    Ok(())
}
