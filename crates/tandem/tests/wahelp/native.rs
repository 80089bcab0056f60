//! The mode `native`: a bot channel of Wahelp's holds the bot's webhook. It stays, gets Telegram's own updates, and its
//! managers' answers go to the client by themselves; Tandem hears of them and keeps the bot out of their conversation.

use anyhow::Context as _;
use serde_json::{Value, json};
use tandem_bridge::{
    UpstreamMode,
    operations::{AppSettings, Request},
};
use tandem_gateway::{DropPending, WhileManagerTalks};

use crate::support::{poller::Poller, shop::Shop, until};

/// The shop's bot, adopted while Wahelp holds it; with Wahelp's login, so that managers are heard.
async fn open() -> anyhow::Result<(Shop, String)> {
    let mut shop = Shop::open().await?;
    // Telegram takes no two webhooks of a bot within a second, and amoCRM's was the first.
    let channel = json!({"token": shop.token, "name": "bot"});
    let asked = async || Ok(shop.control.post("/wahelp/channels", &channel).await.ok());
    let made = until("a bot channel", asked, Option::is_some).await?.context("it was made")?;
    let channel = made["id"].to_string();
    let wahelp = shop.sandbox.wahelp_url();
    let host = wahelp.trim_start_matches("http://").to_owned();
    shop.tandem.stop().await?;
    shop.tandem.set(format!("telegram.wahelp_hosts={host}"));
    shop.tandem.revive().await?;
    shop.adopt(DropPending::Ignore, UpstreamMode::Polling).await?;
    let account = shop.control.get("/wahelp").await?;
    let word = |name: &str| account[name].as_str().map(str::to_owned).context("the account has it");
    let folder = shop.tandem.folder();
    std::fs::write(folder.join("bot.token"), &shop.token)?;
    std::fs::write(folder.join("wahelp.password"), word("password")?)?;
    let (login, project) = (word("login")?, &account["projects"][0]["id"]);
    let file = format!(
        r#"
[[connection]]
name = "wa"
vendor = "wahelp"
api_base = "{wahelp}"
login = "{login}"
password_file = "wahelp.password"
project = {project}
[[bot]]
token_file = "bot.token"
  [[bot.route]]
  name = "wahelp"
  kind = "wahelp"
  mode = "native"
  connection = "wa"
"#
    );
    std::fs::write(folder.join("bots.toml"), file)?;
    let applied = told(&shop, &["apply", "bots.toml", "--yes"]).await?;
    anyhow::ensure!(applied["refused"].as_array().is_none_or(Vec::is_empty), "{applied}");
    let connected = |view: &Value| view["connections"][0]["state"] == "connected";
    until("a connection", async || told(&shop, &["connections"]).await, connected).await?;
    let skip = AppSettings { while_manager_talks: Some(WhileManagerTalks::Skip), ..AppSettings::default() };
    shop.tandem.ask(Request::SetApp { bot: None, name: "main".to_owned(), settings: skip }).await?;
    Ok((shop, channel))
}

async fn told(shop: &Shop, arguments: &[&str]) -> anyhow::Result<Value> {
    let output = shop.tandem.command().args(arguments).arg("--json").output().await?;
    let shown = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&shown)
        .with_context(|| format!("{arguments:?}: {shown}{}", String::from_utf8_lossy(&output.stderr)))
}

/// The dialogues of the channel, as Wahelp shows them.
async fn dialogues(shop: &Shop, channel: &str) -> anyhow::Result<Value> {
    shop.control.get(&format!("/wahelp/channels/{channel}/users")).await
}

/// How many marks are in the journal: that a hand-off began is one.
async fn marks(shop: &Shop) -> anyhow::Result<u64> {
    let metrics = reqwest::get(format!("{}/metrics", shop.tandem.gateway_url())).await?.text().await?;
    let line =
        metrics.lines().find_map(|line| line.strip_prefix(r#"tandem_events_total{kind="mark",topic=""} "#));
    Ok(line.map(str::parse).transpose()?.unwrap_or_default())
}

#[tokio::test]
async fn a_manager_who_answers_in_wahelp_is_heard_and_the_bot_keeps_out_of_it() -> anyhow::Result<()> {
    let (shop, channel) = open().await?;
    let poller = Poller::start(&shop.wire.url(), &shop.app_token);
    shop.client_says("А доставка есть?").await?;
    let has = |words: &'static str| move |seen: &Value| seen.to_string().contains(words);
    let seen =
        until("her words at Wahelp", async || dialogues(&shop, &channel).await, has("А доставка есть?"))
            .await?;
    until("her words at the bot", async || Ok(poller.said()), |said| said.len() == 1).await?;
    // Wahelp has told of her words and was answered: whose dialogue it is is known from then on.
    let hooks = async || shop.control.get("/wahelp/hooks").await;
    let answered = |hooks: &Value| {
        hooks["hooks"].as_array().is_some_and(|all| all.iter().any(|hook| hook["status"] == 200))
    };
    until("an answered hook", hooks, answered).await?;

    let (before, on_phone) = (marks(&shop).await?, shop.phone().await?.len());
    let user = &seen["users"][0]["id"];
    let say = format!("/wahelp/channels/{channel}/users/{user}/say");
    shop.control.post(&say, &json!({"text": "Да, завтра привезём"})).await?;
    until("a mark in the journal", async || marks(&shop).await, |marks| *marks > before).await?;
    // From Wahelp itself, and once.
    shop.client_is_told(on_phone, &["Да, завтра привезём"]).await?;

    shop.client_says("Отлично, а почём?").await?;
    until("her words at Wahelp", async || dialogues(&shop, &channel).await, has("Отлично, а почём?")).await?;
    // A command is the bot's whoever talks, and comes after what the bot was not given.
    shop.client_acts("start", json!({})).await?;
    let said = until("the command", async || Ok(poller.said()), |said| said.len() >= 2).await?;
    assert_eq!(said, ["А доставка есть?", "/start"]);
    assert_eq!(shop.phone().await?.len(), on_phone + 1);
    Ok(())
}
