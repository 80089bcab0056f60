//! An account at amoCRM with a channel, from a settings file: connected by `tandem apply`, and what a manager writes is in
//! the bot's journal before the hook is answered.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use anyhow::Context as _;
use reqwest::StatusCode;
use serde_json::{Value, json};
use support::{shop::Shop, until};
use tandem_testkit::{around, contains};

const CHANNEL: &str = "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0";
const CHANNEL_SECRET: &str = "00112233445566778899aabbccddeeff01234567";
const CHANNEL_BOT: &str = "2b3c4d5e-6f70-4182-93a4-b5c6d7e8f901";

/// The account's channel as support registered it, and the file that names it.
async fn describe(shop: &Shop) -> anyhow::Result<String> {
    let account = shop.control.get("/amocrm").await?;
    let token = account["account"]["access_token"].as_str().context("an account has a token")?.to_owned();
    shop.control.post("/amocrm/account", &json!({"rate_limit": false})).await?;
    let hook_url = format!("{}/hooks/amocrm/{CHANNEL}/:scope_id", shop.tandem.public_url());
    let channel = json!({
        "id": CHANNEL, "secret": CHANNEL_SECRET, "write_first": true, "hook_url": hook_url,
        "bot": {"id": CHANNEL_BOT, "client_id": "bot", "name": "Shop"},
    });
    shop.control.post("/amocrm/channels", &channel).await?;
    let folder = shop.tandem.folder();
    std::fs::write(folder.join("bot.token"), &shop.token)?;
    std::fs::write(folder.join("amo.token"), &token)?;
    std::fs::write(folder.join("amo.channel"), CHANNEL_SECRET)?;
    let amocrm = shop.sandbox.amocrm_url();
    let file = format!(
        r#"
[[connection]]
name = "shop"
vendor = "amocrm"
account = "shop.amocrm.ru"
token_file = "amo.token"
rest_base = "{amocrm}"
chats_base = "{amocrm}"
oauth_base = "{amocrm}"
  [connection.channel]
  id = "{CHANNEL}"
  secret_file = "amo.channel"
  bot_id = "{CHANNEL_BOT}"
[[bot]]
token_file = "bot.token"
  [[bot.route]]
  name = "channel"
  kind = "amocrm"
  mode = "channel"
  connection = "shop"
"#
    );
    std::fs::write(folder.join("bots.toml"), file)?;
    Ok(token)
}

async fn told(shop: &Shop, arguments: &[&str]) -> anyhow::Result<Value> {
    let output = shop.tandem.command().args(arguments).arg("--json").output().await?;
    let shown = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&shown)
        .with_context(|| format!("{arguments:?}: {shown}{}", String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test]
async fn a_file_connects_an_account_and_what_its_managers_write_is_kept_before_the_hook_is_answered()
-> anyhow::Result<()> {
    let mut shop = Shop::open().await?;
    let token = describe(&shop).await?;
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
