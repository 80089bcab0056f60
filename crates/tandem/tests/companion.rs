//! amoCRM's built-in integration with a companion: the unchanged bot of `examples/`, managers who answer in amoCRM, and an
//! account whose hooks tell of it.
//!
//! Needs the Python environment of `scripts/setup`; without it the test fails and says so.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use anyhow::Context as _;
use serde_json::{Value, json};
use support::{shop::Shop, until};
use tandem_bridge::{
    UpstreamMode,
    operations::{AppSettings, Request},
};
use tandem_gateway::{DropPending, WhileManagerTalks};
use tandem_testkit::{around, contains};

/// Applies a file that gives the bot's route a connection with nothing but a token; the token.
async fn companion(shop: &Shop) -> anyhow::Result<String> {
    let account = shop.control.get("/amocrm").await?;
    let token = account["account"]["access_token"].as_str().context("an account has a token")?.to_owned();
    shop.control.post("/amocrm/account", &json!({"rate_limit": false})).await?;
    let folder = shop.tandem.folder();
    std::fs::write(folder.join("bot.token"), &shop.token)?;
    std::fs::write(folder.join("amo.token"), &token)?;
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
[[bot]]
token_file = "bot.token"
  [[bot.route]]
  name = "amocrm"
  kind = "amocrm"
  mode = "native"
  connection = "shop"
  notes_after_secs = 1
"#
    );
    std::fs::write(folder.join("bots.toml"), file)?;
    let applied = told(shop, &["apply", "bots.toml", "--yes"]).await?;
    anyhow::ensure!(applied["refused"].as_array().is_none_or(Vec::is_empty), "{applied}");
    let subscribed = |hooks: &Value| hooks["hooks"].as_array().is_some_and(|hooks| hooks.len() == 1);
    until("account hooks", async || shop.control.get("/amocrm/hooks").await, subscribed).await?;
    Ok(token)
}

async fn told(shop: &Shop, arguments: &[&str]) -> anyhow::Result<Value> {
    let output = shop.tandem.command().args(arguments).arg("--json").output().await?;
    let shown = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&shown)
        .with_context(|| format!("{arguments:?}: {shown}{}", String::from_utf8_lossy(&output.stderr)))
}

/// The app is not to be shown what clients say to managers.
async fn spare_the_bot(shop: &Shop) -> anyhow::Result<()> {
    let settings =
        AppSettings { while_manager_talks: Some(WhileManagerTalks::Skip), ..AppSettings::default() };
    shop.tandem.ask(Request::SetApp { bot: None, name: "main".to_owned(), settings }).await.map(drop)
}

/// The account has told of this and was answered; all that it has told.
async fn has_told(shop: &Shop, code: &str) -> anyhow::Result<Vec<Value>> {
    let attempts = async || shop.control.get("/amocrm/hooks/attempts").await;
    let of = |attempts: &Value| {
        let all = attempts["attempts"].as_array().into_iter().flatten();
        all.filter(|attempt| attempt["code"] == code && attempt["status"] == 200).count()
    };
    let told = until(code, attempts, |attempts| of(attempts) > 0).await?;
    Ok(told["attempts"].as_array().cloned().unwrap_or_default())
}

/// How many marks are in journals: of hand-offs begun and ended, here.
async fn marks(shop: &Shop) -> anyhow::Result<u64> {
    let address = format!("{}/metrics", shop.tandem.gateway_url());
    let metrics = reqwest::get(address).await?.text().await?;
    let line =
        metrics.lines().find_map(|line| line.strip_prefix(r#"tandem_events_total{kind="mark",topic=""} "#));
    Ok(line.map(str::parse).transpose()?.unwrap_or_default())
}

async fn another_mark(shop: &Shop, before: u64) -> anyhow::Result<()> {
    until("a mark in the journal", async || marks(shop).await, |marks| *marks > before).await.map(drop)
}

/// The texts of the notes on the client's card.
async fn notes(shop: &Shop, token: &str) -> anyhow::Result<Vec<String>> {
    let address = format!("{}/api/v4/contacts/notes?limit=250", shop.sandbox.amocrm_url());
    let answer = reqwest::Client::new().get(address).bearer_auth(token).send().await?;
    if answer.status() == 204 {
        return Ok(Vec::new());
    }
    let notes: Value = answer.json().await?;
    let notes = notes["_embedded"]["notes"].as_array().cloned().unwrap_or_default();
    Ok(notes.iter().map(|note| note["params"]["text"].as_str().unwrap_or_default().to_owned()).collect())
}

async fn close_talk(shop: &Shop, token: &str) -> anyhow::Result<()> {
    let talks = shop.control.get("/amocrm/talks").await?;
    let open = talks["talks"].as_array().into_iter().flatten().find(|talk| talk["open"] == true);
    let id = &open.context("a talk is open")?["id"];
    let address = format!("{}/api/v4/talks/{id}/close", shop.sandbox.amocrm_url());
    let close = reqwest::Client::new().post(address).bearer_auth(token).json(&json!({"force_close": true}));
    close.send().await?.error_for_status()?;
    Ok(())
}

#[tokio::test]
async fn a_manager_who_answers_in_amocrm_silences_the_bot_until_his_talk_is_closed() -> anyhow::Result<()> {
    let mut shop = Shop::adopted(DropPending::Ignore).await?;
    let token = companion(&shop).await?;
    spare_the_bot(&shop).await?;
    let bot = shop.bot_starts().await?;
    shop.client_says("А доставка есть?").await?;
    until("an answer", async || shop.phone().await, |phone| phone.len() == 1).await?;
    has_told(&shop, "add_unsorted").await?;

    // A manager answers in amoCRM: the client gets it once, from amoCRM itself.
    let before = marks(&shop).await?;
    shop.manager_answers("Да, завтра привезём").await?;
    another_mark(&shop, before).await?;
    shop.client_says("Отлично, а почём?").await?;
    shop.amocrm_has(&["А доставка есть?", "Отлично, а почём?"]).await?;
    // A command is the bot's whoever talks, and comes after what the bot was not given.
    shop.client_acts("start", json!({})).await?;
    let phone = until("the welcome", async || shop.phone().await, |phone| phone.len() >= 3).await?;
    let answer = "Спасибо! Менеджер скоро ответит.";
    assert_eq!(phone[..2], [answer, "Да, завтра привезём"]);
    assert_eq!(phone.len(), 3, "{phone:?}");

    close_talk(&shop, &token).await?;
    another_mark(&shop, before + 1).await?;
    shop.client_says("Спасибо").await?;
    until("the bot's answer", async || shop.phone().await, |phone| phone.len() >= 4).await?;

    // What the bot said is on the card; what the manager said is not there twice.
    let said = async || Ok(notes(&shop, &token).await?.join("\n"));
    let all = until("the notes", said, |notes| notes.contains(answer)).await?;
    assert!(all.contains("Бот:") && !all.contains("завтра привезём"), "{all}");

    let view = told(&shop, &["connections"]).await?;
    assert_eq!(
        (&view["connections"][0]["state"], &view["connections"][0]["unknown_chats"]),
        (&json!("connected"), &json!(0))
    );
    let doctor = told(&shop, &["doctor"]).await?.to_string();
    assert!(doctor.contains("the account's hooks come to a secret address"), "{doctor}");
    bot.stop().await?;

    let hooks = shop.control.get("/amocrm/hooks").await?;
    let address = hooks["hooks"][0]["destination"].as_str().context("an address")?.to_owned();
    let secret = address.rsplit('/').next().context("a secret")?.to_owned();
    assert_eq!(secret.len(), 64);
    shop.tandem.stop().await?;
    for file in ["tandem.db", "tandem.log"] {
        let bytes = std::fs::read(shop.tandem.folder().join(file))?;
        for secret in [secret.as_str(), token.as_str()] {
            assert!(!contains(&bytes, secret.as_bytes()), "{file}: {}", around(&bytes, secret));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_chat_that_was_there_before_is_known_when_its_client_writes_again() -> anyhow::Result<()> {
    let mut shop = Shop::open().await?;
    // She wrote before anybody listened: nobody will ever be told her number again.
    shop.client_says("Здравствуйте").await?;
    shop.amocrm_has(&["Здравствуйте"]).await?;
    shop.adopt(DropPending::Ignore, UpstreamMode::Polling).await?;
    companion(&shop).await?;
    shop.manager_answers("Добрый день").await?;
    let unknown = async || Ok(told(&shop, &["connections"]).await?["connections"][0].clone());
    let listed = |view: &Value| view["unknown_chats"] == 1 && view["unknown"][0]["managers"] == 1;
    until("an unknown chat", unknown, listed).await?;
    let before = marks(&shop).await?;

    shop.client_says("А сегодня открыты?").await?;
    until("a known chat", unknown, |view| view["unknown_chats"] == 0).await?;
    shop.manager_answers("Открыты").await?;
    another_mark(&shop, before).await
}

#[tokio::test]
async fn hooks_that_amocrm_repeats_or_switches_off_lose_and_double_nothing_that_can_be_helped()
-> anyhow::Result<()> {
    let mut shop = Shop::adopted(DropPending::Ignore).await?;
    companion(&shop).await?;
    shop.client_says("Здравствуйте").await?;
    has_told(&shop, "add_unsorted").await?;
    let before = marks(&shop).await?;
    shop.manager_answers("Добрый день").await?;
    another_mark(&shop, before).await?;
    has_told(&shop, "add_message").await?;

    // The same hooks once more, as after an answer that was lost on its way.
    let attempts = has_told(&shop, "add_outgoing_message").await?;
    let (http, before) = (reqwest::Client::new(), marks(&shop).await?);
    for attempt in &attempts {
        let [address, body] =
            ["destination", "body"].map(|name| attempt[name].as_str().unwrap_or_default().to_owned());
        assert_eq!(http.post(address).body(body).send().await?.status(), 200);
    }
    assert_eq!(marks(&shop).await?, before, "a repeat is no second hand-off");

    // amoCRM gives up on us while we are away, and we are back.
    let hooks = shop.control.get("/amocrm/hooks").await?["hooks"].clone();
    let address = hooks[0]["destination"].as_str().context("an address")?.to_owned();
    shop.tandem.kill().await?;
    for number in 0..=100 {
        shop.manager_answers(&format!("Вы ещё здесь? {number}")).await?;
    }
    let off = async || Ok(shop.control.get("/amocrm/hooks").await?["hooks"][0].clone());
    until("an address that is switched off", off, |hook| hook["disabled"] == true).await?;
    shop.tandem.revive().await?;
    let on = |hook: &Value| hook["disabled"] == false && hook["destination"] == address.as_str();
    until("the same address, on again", off, on).await?;
    let log = async || shop.tandem.log();
    until("that it is said", log, |log| log.contains("had been switched off at the vendor")).await?;
    Ok(())
}
