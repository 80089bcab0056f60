//! The conversation of `clients/README.md`: plays the client, and writes down what the program printed and what the
//! client saw. The transcript must not depend on the library.

use std::{fmt::Write, net::TcpListener};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{
    Stage,
    chat::{self, from_bot, message_in_words},
    control::Client,
    program::{Program, installed, python, source},
};

/// The libraries that `clients/` has a program for.
#[derive(Clone, Copy)]
pub(crate) enum Library {
    Aiogram,
    PythonTelegramBot,
    PyTelegramBotApi,
    AsyncPyTelegramBotApi,
    Grammy,
    Telegraf,
    NodeTelegramBotApi,
    NodeTelegramBotApi2,
    GramIo,
    Teloxide,
    Frankenstein,
}

/// How the program gets its updates.
#[derive(Clone, Copy)]
pub(crate) enum Mode {
    Polling,
    Webhook,
}

impl Library {
    fn command(self) -> Command {
        match self {
            Self::Aiogram => python("clients/aiogram/bot.py"),
            Self::PythonTelegramBot => python("clients/python-telegram-bot/bot.py"),
            Self::PyTelegramBotApi => python("clients/pytelegrambotapi/bot.py"),
            Self::AsyncPyTelegramBotApi => python("clients/pytelegrambotapi/async_bot.py"),
            Self::Grammy => node("grammy"),
            Self::Telegraf => node("telegraf"),
            Self::NodeTelegramBotApi => node("node-telegram-bot-api"),
            Self::NodeTelegramBotApi2 => node("node-telegram-bot-api-2"),
            Self::GramIo => node("gramio"),
            Self::Teloxide => rust("teloxide"),
            Self::Frankenstein => rust("frankenstein"),
        }
    }
}

fn node(client: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(source(&format!("clients/{client}/bot.js")));
    command.env("NODE_PATH", installed(&format!("node/{client}/node_modules")));
    command
}

fn rust(client: &str) -> Command {
    Command::new(installed(&format!("rust/debug/tandem-client-{client}")))
}

/// How to start the library's program.
pub(crate) fn command(stage: &Stage, library: Library, mode: Mode) -> anyhow::Result<Command> {
    let mut command = library.command();
    command.env("TELEGRAM_API_BASE", &stage.api_base).env("BOT_TOKEN", &stage.token);
    if let Mode::Webhook = mode {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        command
            .env("MODE", "webhook")
            .env("WEBHOOK_URL", format!("http://127.0.0.1:{port}/telegram"))
            .env("WEBHOOK_PORT", port.to_string())
            .env("WEBHOOK_SECRET", "a-secret_of-the-webhook");
    }
    Ok(command)
}

/// Plays the whole conversation with one library, and gives its transcript.
pub(crate) async fn play(stage: &Stage, library: Library, mode: Mode) -> anyhow::Result<String> {
    let mut command = command(stage, library, mode)?;
    let profile = json!({ "first_name": "Ann", "username": "ann", "phone": "+79990001122" });
    let client = stage.control.client(stage.bot, &profile).await?;
    let program = Program::start(&mut command)?;
    let mut scene = Scene { program, client, answered: 0, keyboard: None, transcript: String::new() };
    scene.menu_and_buttons().await?;
    scene.texts().await?;
    scene.media().await?;
    let (client, mut transcript) = scene.leave().await?;

    for text in ["one", "two", "three", "four", "five"] {
        client.acts("text", json!({ "text": text })).await?;
    }
    writeln!(transcript, "client writes five texts while the program is down")?;
    let program = Program::start(&mut command)?;
    let answered = from_bot(&client.chat().await?).len();
    let mut scene = Scene { program, client, answered, keyboard: None, transcript };
    scene.catches_up().await?;
    let (client, mut transcript) = scene.leave().await?;
    writeln!(transcript, "\nthe chat in the end, without the answers to the five:")?;
    let mut chat = client.chat().await?;
    drop_answers_to_backlog(&mut chat);
    transcript += &chat::in_words(&chat);
    Ok(transcript)
}

/// A running program, its client, and what was written down so far.
struct Scene {
    program: Program,
    client: Client,
    /// How many messages of the bot the client has seen.
    answered: usize,
    /// The reply keyboard that he has seen last.
    keyboard: Option<String>,
    transcript: String,
}

impl Scene {
    async fn menu_and_buttons(&mut self) -> anyhow::Result<()> {
        self.program_reports("ready").await?;

        self.client_acts("start", json!({ "payload": "promo" })).await?;
        self.program_reports("start").await?;
        self.bot_answers(1).await?;

        self.client_acts("press", json!({ "text": "Balance" })).await?;
        self.program_reports("button").await?;
        self.bot_answers(1).await?;

        self.client_acts("press", json!({ "text": "Order" })).await?;
        self.program_reports("button").await?;
        self.bot_answers(1).await?;

        let answer = self.client_acts("press", json!({ "data": "order:yes" })).await?;
        writeln!(self.transcript, "  the press is answered: {}", pressed_answer(&answer))?;
        self.program_reports("callback").await?;
        let confirmed =
            |chat: &Value| from_bot(chat).last().is_some_and(|last| last["text"] == "Order confirmed");
        let chat = self.client.waits("the edited question", confirmed).await?;
        let last = message_in_words(&chat, from_bot(&chat).last().context("a message")?);
        writeln!(self.transcript, "  {last}")?;

        self.client_acts("contact", json!({ "own": true })).await?;
        self.program_reports("contact").await?;
        self.bot_answers(1).await
    }

    async fn texts(&mut self) -> anyhow::Result<()> {
        let text = "Привет! <b>&</b> 👋 \"quoted\"\nsecond line";
        let sent = self.client_acts("text", json!({ "text": text })).await?;
        self.program_reports("text").await?;
        self.bot_answers(1).await?;

        let message = sent["message_id"].as_i64().context("a text has a message_id")?;
        self.client_acts("edit", json!({ "message_id": message, "text": "Hello" })).await?;
        self.program_reports("edited").await?;

        let chat = self.client.chat().await?;
        let echo = from_bot(&chat).last().context("an echo")?["message_id"].clone();
        self.client_acts("text", json!({ "text": "/forward", "reply_to": echo })).await?;
        self.bot_answers(1).await?;
        self.program_reports("forwarded").await?;

        self.client_acts("text", json!({ "text": "/lost" })).await?;
        self.program_reports("refused").await
    }

    async fn media(&mut self) -> anyhow::Result<()> {
        self.client_acts("photo", json!({ "caption": "my cat" })).await?;
        let chat = self.client.chat().await?;
        let sent = chat::messages(&chat).last().context("the photo")?["media"].clone();
        let seen = self.program.reports("photo").await?;
        ensure!(
            seen["size"] == sent["size"] && seen["sha256"] == sent["sha256"],
            "downloaded {seen}, sent {sent}"
        );
        writeln!(self.transcript, "  program: photo {} (the very bytes)", seen["caption"])?;
        ensure!(seen["width"].as_i64() > Some(0) && seen["height"].as_i64() > Some(0), "{seen}");
        self.bot_answers(1).await?;
        let chat = self.client.chat().await?;
        let back = from_bot(&chat).last().context("a photo")?["media"].clone();
        ensure!(back["sha256"] == sent["sha256"], "sent {sent}, came back {back}");

        let photo = from_bot(&chat).last().context("a photo")?["message_id"].clone();
        self.client_acts("text", json!({ "text": "/copy", "reply_to": photo })).await?;
        self.program_reports("copied").await?;
        self.bot_answers(1).await?;
        let chat = self.client.chat().await?;
        let copy = &from_bot(&chat).last().context("a copy")?["media"];
        ensure!(copy["sha256"] == sent["sha256"], "sent {sent}, copied {copy}");

        self.client_acts("album", json!({ "count": 3, "caption": "trip" })).await?;
        self.program_reports("album").await?;
        self.bot_answers(3).await?;
        let chat = self.client.chat().await?;
        let (bot, client): (Vec<&Value>, Vec<&Value>) =
            chat::messages(&chat).iter().rev().take(6).partition(|message| message["from"] == "bot");
        let digests = |album: Vec<&Value>| -> Vec<String> {
            album.into_iter().map(|item| item["media"]["sha256"].to_string()).collect()
        };
        let (back, sent) = (digests(bot), digests(client));
        ensure!(back == sent, "album of {sent:?}, came back {back:?}");
        Ok(())
    }

    /// After a restart: what was written meanwhile is taken in order. The answers may overtake each other, where a
    /// library handles updates at once.
    async fn catches_up(&mut self) -> anyhow::Result<()> {
        self.program_reports("ready").await?;
        for _ in 0..5 {
            self.program_reports("text").await?;
        }
        let all = self.answered + 5;
        let chat = self.client.waits("five answers", |chat| from_bot(chat).len() >= all).await?;
        let mut answers: Vec<String> = from_bot(&chat)[self.answered..]
            .iter()
            .filter_map(|message| Some(message["text"].as_str()?.to_owned()))
            .collect();
        answers.sort();
        writeln!(self.transcript, "  bot, in any order: {}", answers.join(", "))?;
        Ok(())
    }

    async fn leave(self) -> anyhow::Result<(Client, String)> {
        let mut transcript = self.transcript;
        writeln!(transcript, "the program is asked to stop")?;
        for line in self.program.stop().await? {
            writeln!(transcript, "  program: {}", in_words(&serde_json::from_str(&line)?))?;
        }
        Ok((self.client, transcript))
    }

    async fn client_acts(&mut self, act: &str, with: Value) -> anyhow::Result<Value> {
        let mut shown = with.clone();
        for id in ["message_id", "reply_to"] {
            if let Some(id) = shown.get_mut(id) {
                *id = Value::from("…");
            }
        }
        writeln!(self.transcript, "client: {act} {shown}")?;
        self.client.acts(act, with).await
    }

    async fn program_reports(&mut self, event: &str) -> anyhow::Result<()> {
        let report = self.program.reports(event).await?;
        writeln!(self.transcript, "  program: {}", in_words(&report))?;
        Ok(())
    }

    /// Waits for so many new messages of the bot and writes them down.
    async fn bot_answers(&mut self, count: usize) -> anyhow::Result<()> {
        let all = self.answered + count;
        let chat = self.client.waits("an answer", |chat| from_bot(chat).len() >= all).await?;
        for message in &from_bot(&chat)[self.answered..] {
            writeln!(self.transcript, "  {}", message_in_words(&chat, message))?;
        }
        self.answered = from_bot(&chat).len();
        let keyboard = chat::keyboard_below(&chat);
        if keyboard != self.keyboard {
            let shown = keyboard.as_deref().unwrap_or("gone");
            writeln!(self.transcript, "  keyboard below: {shown}")?;
            self.keyboard = keyboard;
        }
        Ok(())
    }
}

/// `start {"payload":"promo"}`: keys in alphabetical order, whatever the program's was.
fn in_words(report: &Value) -> String {
    let mut fields = report.clone();
    let event = fields.as_object_mut().and_then(|fields| fields.remove("event"));
    let event = event.as_ref().and_then(Value::as_str).unwrap_or("?");
    if fields.as_object().is_none_or(serde_json::Map::is_empty) {
        event.to_owned()
    } else {
        format!("{event} {fields}")
    }
}

fn pressed_answer(answer: &Value) -> &str {
    answer["answer"]["text"].as_str().unwrap_or("(nothing)")
}

fn drop_answers_to_backlog(chat: &mut Value) {
    if let Some(messages) = chat["messages"].as_array_mut() {
        messages.truncate(messages.len().saturating_sub(5));
    }
}
