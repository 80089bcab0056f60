//! Real bot libraries through Tandem: whether they can tell it from Telegram.
//!
//! The drivers and the transcript are those of the sandbox's own test (`crates/sandbox/tests/libraries.rs`): what the
//! library makes of an update and what the client sees of its answers must be the same to the letter with Tandem in
//! between, while amoCRM has the stream too.
//!
//! The programs and what they need come from `scripts/setup`.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use anyhow::Context as _;
use serde_json::json;
use support::{
    driver::{
        conversation::{self, Library, Mode, command},
        program::Program,
        weather,
    },
    shop::Shop,
    until,
};
use tandem_bridge::operations::{AppSettings, Request, Response};
use tandem_gateway::{DropPending, Sees};

/// The transcript of the same conversation without Tandem.
const WITHOUT_TANDEM: &str = include_str!("../../sandbox/tests/snapshots/libraries__conversation.snap");

/// Plays the conversation through Tandem, and compares.
async fn witness(library: Library, mode: Mode) -> anyhow::Result<()> {
    let shop = Shop::adopted(DropPending::Obey).await?;
    let transcript = conversation::play(&shop.stage(), library, mode).await?;
    let without = WITHOUT_TANDEM.splitn(3, "---\n").nth(2).context("a snapshot follows its head")?;
    assert_eq!(transcript.trim_end(), without.trim_end());
    Ok(())
}

/// Bad weather between Tandem and Telegram is Tandem's to get through: the library never meets it.
async fn storm(library: Library) -> anyhow::Result<()> {
    let shop = Shop::adopted(DropPending::Obey).await?;
    weather::passes(&shop.stage(), library).await
}

/// Three tests for each library.
macro_rules! libraries {
    ($($name:ident = $library:ident)+) => {
        $(mod $name {
            use super::*;

            #[tokio::test]
            async fn polls() -> anyhow::Result<()> {
                witness(Library::$library, Mode::Polling).await
            }

            #[tokio::test]
            async fn has_a_webhook() -> anyhow::Result<()> {
                witness(Library::$library, Mode::Webhook).await
            }

            #[tokio::test]
            async fn gets_through_bad_weather() -> anyhow::Result<()> {
                storm(Library::$library).await
            }
        })+
    };
}

libraries! {
    aiogram = Aiogram
    python_telegram_bot = PythonTelegramBot
    py_telegram_bot_api = PyTelegramBotApi
    async_py_telegram_bot_api = AsyncPyTelegramBotApi
    grammy = Grammy
    telegraf = Telegraf
    node_telegram_bot_api = NodeTelegramBotApi
    node_telegram_bot_api_2 = NodeTelegramBotApi2
    gramio = GramIo
    teloxide = Teloxide
    frankenstein = Frankenstein
}

/// Two apps on one bot, each with a token of its own: one polls, the other has a webhook, amoCRM is there too.
#[tokio::test]
async fn two_libraries_share_one_bot_and_neither_disturbs_the_other() -> anyhow::Result<()> {
    let shop = Shop::adopted(DropPending::Obey).await?;
    let add = Request::AddApp { bot: None, name: "second".to_owned(), settings: AppSettings::default() };
    let Response::AppToken(added) = shop.tandem.ask(add).await? else { panic!("an app has a token") };
    let mut of_second = shop.stage();
    added.token.expose().clone_into(&mut of_second.token);

    let mut first = Program::start(&mut command(&shop.stage(), Library::Aiogram, Mode::Polling)?)?;
    let mut second = Program::start(&mut command(&of_second, Library::Grammy, Mode::Webhook)?)?;
    first.reports("ready").await?;
    second.reports("ready").await?;
    let said = ["one", "two", "three", "four", "five"];
    for (number, text) in said.iter().enumerate() {
        shop.client_says(text).await?;
        let report = second.reports("text").await?;
        assert_eq!(report["text"], *text);
        // The first is stopped on the way, which is its own affair.
        if number < 3 {
            let report = first.reports("text").await?;
            assert_eq!(report["text"], *text);
        }
        if number == 2 {
            until("both answers", async || shop.phone().await, |phone| phone.len() == 6).await?;
            first.stop().await?;
            first = Program::start(&mut command(&shop.stage(), Library::Teloxide, Mode::Polling)?)?;
            first.reports("ready").await?;
        }
        if number > 2 {
            let report = first.reports("text").await?;
            assert_eq!(report["text"], *text);
        }
    }
    until("all answers", async || shop.phone().await, |phone| phone.len() == 10).await?;
    shop.amocrm_has(&said).await?;
    first.stop().await?;
    second.stop().await?;
    assert_eq!(shop.repeats().await?, 0);

    // Telegram has heard of none of it: no webhook was set and nothing was dropped.
    assert_eq!(shop.webhook().await?, "");
    let called = shop.control.methods_called(shop.bot).await?;
    assert_eq!(called.iter().filter(|method| *method == "setwebhook").count(), 1, "amoCRM's own, before");
    let unknown = json!({ "ok": false, "error_code": 401, "description": "Unauthorized" });
    let wrong = format!("{}/bot{}:{}/getMe", shop.wire.url(), shop.bot, "A".repeat(35));
    assert_eq!(reqwest::get(wrong).await?.json::<serde_json::Value>().await?, unknown);
    Ok(())
}

/// What another app sends comes as an update that no library knows: it is passed over, and the next one is taken.
async fn others_sends_are_passed_over(library: Library, mode: Mode) -> anyhow::Result<()> {
    let shop = Shop::adopted(DropPending::Obey).await?;
    let sees = AppSettings { sees: Some([Sees::Sent].into()), ..AppSettings::default() };
    shop.tandem.ask(Request::SetApp { bot: None, name: "main".to_owned(), settings: sees }).await?;
    let add = Request::AddApp { bot: None, name: "second".to_owned(), settings: AppSettings::default() };
    let Response::AppToken(added) = shop.tandem.ask(add).await? else { panic!("an app has a token") };
    let send = format!("{}/bot{}/sendMessage", shop.tandem.gateway_url(), added.token.expose());
    let mut program = Program::start(&mut command(&shop.stage(), library, mode)?)?;
    program.reports("ready").await?;
    // A bot may write to nobody who has not written to it.
    shop.client_says("hello 0").await?;
    program.reports("text").await?;
    let mut expected = vec!["echo: hello 0".to_owned()];
    until("the answer", async || shop.phone().await, |phone| phone.len() == expected.len()).await?;
    for round in 1..=2 {
        let text = format!("by the second app, {round}");
        let body = json!({ "chat_id": shop.client, "text": text });
        reqwest::Client::new().post(&send).json(&body).send().await?.error_for_status()?;
        let said = format!("hello {round}");
        shop.client_says(&said).await?;
        assert_eq!(program.reports("text").await?["text"], *said);
        expected.extend([text, format!("echo: {said}")]);
        until("the answer", async || shop.phone().await, |phone| phone.len() == expected.len()).await?;
    }
    assert_eq!(shop.phone().await?, expected);
    // It had them: nothing waits, and nothing was set aside.
    let done =
        async || Ok(shop.tandem.lanes().await?.into_iter().find(|lane| lane.name == "app:main").unwrap());
    until("the end of the lane", done, |lane| matches!(mode, Mode::Polling) || lane.lag.events == 0).await?;
    let lane = done().await?;
    assert_eq!((lane.held.dead, lane.held.retrying, lane.expired), (0, 0, 0), "{lane:?}");
    program.stop().await.map(drop)
}

#[tokio::test]
async fn aiogram_passes_over_what_others_send() -> anyhow::Result<()> {
    others_sends_are_passed_over(Library::Aiogram, Mode::Polling).await?;
    others_sends_are_passed_over(Library::Aiogram, Mode::Webhook).await
}

#[tokio::test]
async fn python_telegram_bot_passes_over_what_others_send() -> anyhow::Result<()> {
    others_sends_are_passed_over(Library::PythonTelegramBot, Mode::Polling).await?;
    others_sends_are_passed_over(Library::PythonTelegramBot, Mode::Webhook).await
}

#[tokio::test]
async fn grammy_passes_over_what_others_send() -> anyhow::Result<()> {
    others_sends_are_passed_over(Library::Grammy, Mode::Polling).await?;
    others_sends_are_passed_over(Library::Grammy, Mode::Webhook).await
}

#[tokio::test]
async fn teloxide_passes_over_what_others_send() -> anyhow::Result<()> {
    others_sends_are_passed_over(Library::Teloxide, Mode::Polling).await?;
    others_sends_are_passed_over(Library::Teloxide, Mode::Webhook).await
}
