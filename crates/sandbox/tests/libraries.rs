//! Real bot libraries against the sandbox: whether they can tell it from Telegram.
//!
//! Each library, polling and with a webhook, goes through the conversation of `clients/README.md`. One transcript
//! serves for all: what a library makes of an update, and what the client sees of its answers, must not differ.
//! Where libraries do differ, in the methods that they call of themselves, each has a list of its own here.
//!
//! The programs and what they need come from `scripts/setup`.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use anyhow::Context;
use serde_json::json;
use support::{
    Control, Stage, bonus,
    conversation::{self, Library, Mode},
    weather,
};
use tandem_sandbox::{Config, Sandbox};

async fn stage() -> anyhow::Result<(Sandbox, Stage)> {
    let sandbox = Sandbox::start(Config::default()).await?;
    let control = Control::new(&sandbox.control_url());
    let (bot, token) = control.create_bot("witness_bot").await?;
    let stage = Stage { api_base: sandbox.telegram_url(), token, control, bot };
    Ok((sandbox, stage))
}

/// What every program calls because the conversation asks for it.
const CONVERSATION: [&str; 9] = [
    "answercallbackquery",
    "copymessage",
    "editmessagetext",
    "forwardmessage",
    "getfile",
    "getme",
    "sendmediagroup",
    "sendmessage",
    "sendphoto",
];

/// Plays the conversation; gives the other methods that were called, each once, in alphabetical order.
async fn witness(library: Library, mode: Mode) -> anyhow::Result<String> {
    let (sandbox, stage) = stage().await?;
    let transcript = conversation::play(&stage, library, mode).await?;
    insta::assert_snapshot!("conversation", transcript);
    let mut methods = stage.control.methods_called(stage.bot).await?;
    methods.sort();
    methods.dedup();
    methods.retain(|method| !CONVERSATION.contains(&method.as_str()));
    sandbox.stop().await;
    Ok(methods.join(" "))
}

/// Bad weather for a polling library.
async fn storm(library: Library) -> anyhow::Result<()> {
    let (sandbox, stage) = stage().await?;
    weather::passes(&stage, library).await?;
    sandbox.stop().await;
    Ok(())
}

/// Three tests for each library, with the methods that it calls of itself.
macro_rules! libraries {
    ($($(#[$remark:meta])* $name:ident = $library:ident { polling: $polling:literal, webhook: $webhook:literal })+) => {
        $($(#[$remark])* mod $name {
            use super::*;

            #[tokio::test]
            async fn polls() -> anyhow::Result<()> {
                assert_eq!(witness(Library::$library, Mode::Polling).await?, $polling);
                Ok(())
            }

            #[tokio::test]
            async fn has_a_webhook() -> anyhow::Result<()> {
                assert_eq!(witness(Library::$library, Mode::Webhook).await?, $webhook);
                Ok(())
            }

            #[tokio::test]
            async fn gets_through_bad_weather() -> anyhow::Result<()> {
                storm(Library::$library).await
            }
        })+
    };
}

libraries! {
    aiogram = Aiogram { polling: "deletewebhook getupdates", webhook: "setwebhook" }
    python_telegram_bot = PythonTelegramBot { polling: "deletewebhook getupdates", webhook: "setwebhook" }
    py_telegram_bot_api = PyTelegramBotApi { polling: "getupdates setwebhook", webhook: "setwebhook" }
    async_py_telegram_bot_api = AsyncPyTelegramBotApi { polling: "getupdates setwebhook", webhook: "setwebhook" }
    grammy = Grammy { polling: "deletewebhook getupdates", webhook: "setwebhook" }
    telegraf = Telegraf { polling: "deletewebhook getupdates", webhook: "setwebhook" }
    node_telegram_bot_api = NodeTelegramBotApi { polling: "getupdates", webhook: "setwebhook" }
    node_telegram_bot_api_2 = NodeTelegramBotApi2 { polling: "getupdates", webhook: "setwebhook" }
    gramio = GramIo { polling: "getupdates", webhook: "setwebhook" }
    /// It deletes a webhook only where it finds one, and takes its own down when it stops; the others leave theirs,
    /// and Telegram keeps trying.
    teloxide = Teloxide { polling: "getupdates getwebhookinfo", webhook: "deletewebhook setwebhook" }
    frankenstein = Frankenstein { polling: "getupdates", webhook: "setwebhook" }
}

#[tokio::test]
async fn the_bonus_bot_registers_a_customer_takes_his_order_and_hears_his_question() -> anyhow::Result<()> {
    let (sandbox, stage) = stage().await?;
    let folder = tandem_testkit::folder();
    let customers = folder.path().join("bonus.db");
    let mut ann = bonus::Customer::new(&stage).await?;

    let bot = bonus::start(&stage, &customers).await?;
    ann.acts("start", json!({ "payload": "ref_instagram" })).await?;
    ann.acts("text", json!({ "text": "а зачем?" })).await?;
    ann.acts("contact", json!({ "own": true })).await?;
    ann.acts("text", json!({ "text": "Аня" })).await?;
    ann.acts("press", json!({ "text": "Баланс" })).await?;
    ann.acts("press", json!({ "text": "Заказать" })).await?;
    let coffee = ann.button("Кофе").await?;
    ann.acts("press", json!({ "data": coffee })).await?;
    ann.acts("text", json!({ "text": "два" })).await?;
    ann.acts("text", json!({ "text": "2" })).await?;
    let confirm = ann.button("Подтвердить").await?;
    ann.acts("press", json!({ "data": confirm })).await?;
    ann.acts("press", json!({ "text": "Вопрос менеджеру" })).await?;
    ann.acts("text", json!({ "text": "Вы работаете первого января?" })).await?;
    ann.acts("text", json!({ "text": "А второго?" })).await?;
    ann.acts("press", json!({ "text": "О нас" })).await?;
    bot.stop().await.context("the bot stops when it is asked to")?;

    ann.writes_in_vain("Ау?").await?;
    let bot = bonus::start(&stage, &customers).await?;
    ann.acts("start", json!({})).await?;
    ann.acts("press", json!({ "text": "Баланс" })).await?;
    bot.stop().await?;

    insta::assert_snapshot!("bonus_bot", ann.transcript);
    sandbox.stop().await;
    Ok(())
}
