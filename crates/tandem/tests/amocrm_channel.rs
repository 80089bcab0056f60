//! An account at amoCRM with a channel, from a settings file: connected by `tandem apply`, and what a manager writes is in
//! the bot's journal before the hook is answered.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use anyhow::Context as _;
use reqwest::StatusCode;
use serde_json::{Value, json};
use support::{
    channel::{CHANNEL, CHANNEL_SECRET, describe, told},
    shop::Shop,
    until,
};
use tandem_testkit::{around, contains};

#[tokio::test]
async fn a_file_connects_an_account_and_what_its_managers_write_is_kept_before_the_hook_is_answered()
-> anyhow::Result<()> {
    let mut shop = Shop::open().await?;
    let token = describe(&shop, "").await?;
    // The channel takes the place of the built-in integration.
    let applied = told(&shop, &["apply", "bots.toml", "--prune", "--yes"]).await?;
    let what: Vec<_> =
        applied["steps"].as_array().context("steps")?.iter().map(|step| &step["what"]).collect();
    assert!(what.contains(&&json!("connection shop")), "{applied}");

    let connected = |view: &Value| view["connections"][0]["state"] == "connected";
    let view = until("a connection", async || told(&shop, &["connections"]).await, connected).await?;
    assert_eq!(view["connections"][0]["account"], "shop.amocrm.ru");

    // She writes, and a manager answers in the chat that this opened.
    shop.client_says("Здравствуйте").await?;
    let chats = format!("/amocrm/channels/{CHANNEL}/chats");
    let opened = |chats: &Value| chats.to_string().contains("Здравствуйте");
    until("her words at amoCRM", async || shop.control.get(&chats).await, opened).await?;
    let say = json!({"chat": format!("tg:{}:{}", shop.bot, shop.client), "text": "Добрый день"});
    shop.control.post(&format!("/amocrm/channels/{CHANNEL}/say"), &say).await?;
    let hooks = async |shop: &Shop| shop.control.get(&format!("/amocrm/channels/{CHANNEL}/hooks")).await;
    let metrics = async || {
        let address = format!("{}/metrics", shop.tandem.gateway_url());
        Ok(reqwest::get(address).await?.text().await?)
    };
    let kept = |metrics: &String| metrics.contains("tandem_events_total{kind=\"reply\",topic=\"\"} 1");
    until("a reply in the journal", metrics, kept).await?;
    let answered = |sent: &Value| {
        sent["hooks"].as_array().is_some_and(|hooks| hooks.iter().all(|hook| hook["status"] == 200))
    };
    let sent = until("answers", async || hooks(&shop).await, answered).await?;

    // A stranger who knows the address changes nothing.
    let scope = sent["hooks"][0]["url"].as_str().context("an address")?.to_owned();
    let forged = reqwest::Client::new().post(scope).body("{}").header("X-Signature", "0").send().await?;
    assert_eq!(forged.status(), StatusCode::UNAUTHORIZED);

    shop.tandem.stop().await?;
    for file in ["tandem.db", "tandem.log"] {
        let bytes = std::fs::read(shop.tandem.folder().join(file))?;
        for secret in [CHANNEL_SECRET, token.as_str()] {
            assert!(
                !contains(&bytes, secret.as_bytes()),
                "{file} shows a secret: {}",
                around(&bytes, secret)
            );
        }
    }
    Ok(())
}
