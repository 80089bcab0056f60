//! The bonus bot of `examples/`, and a customer who registers, orders and asks.

use std::{fmt::Write, path::Path};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::{process::Command, time::Instant};

use super::{
    LIMIT, Stage,
    chat::{from_bot, keyboard_below, message_in_words},
    control::Client,
    program::{Program, python},
};

/// How to start the bot, with its customers kept in this file.
pub(crate) fn command(stage: &Stage, customers: &Path) -> Command {
    let mut command = python("examples/aiogram-bonus-bot/bot.py");
    command
        .env("TELEGRAM_API_BASE", &stage.api_base)
        .env("BOT_TOKEN", &stage.token)
        .env("BONUS_DB", customers);
    command
}

/// Starts the bot and waits until it has dropped what was pending: only then are messages safe from it.
pub(crate) async fn start(stage: &Stage, customers: &Path) -> anyhow::Result<Program> {
    let before = commands_set(stage).await?;
    let program = Program::start(&mut command(stage, customers))?;
    let deadline = Instant::now() + LIMIT;
    while commands_set(stage).await? == before {
        if Instant::now() > deadline {
            bail!("the bonus bot does not start{}", program.complaints());
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Ok(program)
}

async fn commands_set(stage: &Stage) -> anyhow::Result<usize> {
    let called = stage.control.methods_called(stage.bot).await?;
    Ok(called.iter().filter(|method| *method == "setmycommands").count())
}

/// A customer and the transcript of his dialogues.
pub(crate) struct Customer {
    client: Client,
    answered: usize,
    keyboard: Option<String>,
    pub(crate) transcript: String,
}

impl Customer {
    pub(crate) async fn new(stage: &Stage) -> anyhow::Result<Self> {
        let profile = json!({ "first_name": "Анна", "phone": "+79990001122", "language_code": "ru" });
        let client = stage.control.client(stage.bot, &profile).await?;
        Ok(Self { client, answered: 0, keyboard: None, transcript: String::new() })
    }

    /// Acts, and waits for the bot's one answer: a new message, or the one with the pressed button edited.
    pub(crate) async fn acts(&mut self, act: &str, with: Value) -> anyhow::Result<()> {
        let edits = act == "press" && with["data"].is_string();
        writeln!(self.transcript, "client: {act} {with}")?;
        let before = edited(&self.client.chat().await?);
        self.client.acts(act, with).await?;
        if edits {
            let chat = self.client.waits("an edit", |chat| edited(chat) > before).await?;
            let last = from_bot(&chat).into_iter().rev().find(|message| message["edited"] == true);
            writeln!(self.transcript, "  {}", message_in_words(&chat, last.context("an edited message")?))?;
            return Ok(());
        }
        let all = self.answered + 1;
        let chat = self.client.waits("an answer", |chat| from_bot(chat).len() >= all).await?;
        for message in &from_bot(&chat)[self.answered..] {
            writeln!(self.transcript, "  {}", message_in_words(&chat, message))?;
        }
        self.answered = from_bot(&chat).len();
        let keyboard = keyboard_below(&chat);
        if keyboard != self.keyboard {
            writeln!(self.transcript, "  keyboard below: {}", keyboard.as_deref().unwrap_or("gone"))?;
            self.keyboard = keyboard;
        }
        Ok(())
    }

    /// Writes while nobody is there to answer.
    pub(crate) async fn writes_in_vain(&mut self, text: &str) -> anyhow::Result<()> {
        writeln!(self.transcript, "client, while the bot is down: {text}")?;
        self.client.acts("text", json!({ "text": text })).await.map(drop)
    }

    /// The `callback_data` of the button with this text, on the latest message that has it.
    pub(crate) async fn button(&self, text: &str) -> anyhow::Result<String> {
        let chat = self.client.chat().await?;
        let messages = from_bot(&chat);
        let keyboards = messages.iter().rev().map(|message| &message["keyboard"]);
        let rows =
            keyboards.flat_map(|keyboard| keyboard["inline_keyboard"].as_array().into_iter().flatten());
        let mut buttons = rows.flat_map(|row| row.as_array().into_iter().flatten());
        let button =
            buttons.find(|button| button["text"].as_str().is_some_and(|name| name.starts_with(text)));
        let data = button.and_then(|button| button["callback_data"].as_str());
        Ok(data.with_context(|| format!("no button {text} in {chat:#}"))?.to_owned())
    }
}

fn edited(chat: &Value) -> usize {
    from_bot(chat).iter().filter(|message| message["edited"] == true).count()
}
