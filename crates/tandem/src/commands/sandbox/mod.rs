//! `tandem sandbox`: a Telegram, an amoCRM and a Wahelp on this machine, or a story told in one.

mod story;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde_json::json;
use tandem_sandbox::story::Language;
use tandem_sandbox::telegram::NewBot;
use tandem_sandbox::{Config, Sandbox};
use tokio_util::sync::CancellationToken;

/// A Telegram, an amoCRM and a Wahelp of your own, to try a bot without any of them
///
/// Prints the addresses, creates bots, and runs until it is stopped. Everything is in memory.
/// With --story it tells a story instead, and its exit code says whether everything in it was seen.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where the Bot API listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9081")]
    telegram: SocketAddr,
    /// Where amoCRM listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9082")]
    amocrm: SocketAddr,
    /// Where Wahelp listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9083")]
    wahelp: SocketAddr,
    /// Where the control API listens
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9080")]
    control: SocketAddr,
    /// The same seed gives the same tokens, ids and cards
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// How many bots to create
    #[arg(long, value_name = "N", default_value_t = 1)]
    bots: usize,
    /// Print JSON: one object with the addresses and bots, or one object for each line of a story
    #[arg(long)]
    json: bool,
    /// The language of what is printed [default: by LANG]
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<Lang>,
    /// Tell a story instead of running: `bug` shows amoCRM and a bot taking the stream from each other
    #[arg(long, value_name = "STORY")]
    story: Option<Story>,
    /// The folder of the story's bot [default: examples/aiogram-bonus-bot of the source tree]
    #[arg(long, value_name = "FOLDER", requires = "story")]
    bot: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Lang {
    Ru,
    En,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Story {
    Bug,
}

/// Runs the command until `stop`.
pub(crate) async fn run(arguments: Arguments, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let language = language(arguments.lang, std::env::var_os);
    match arguments.story {
        Some(Story::Bug) => story::tell_bug(&arguments, language, stop).await,
        None => serve(&arguments, language, stop).await,
    }
}

async fn serve(
    arguments: &Arguments,
    language: Language,
    stop: CancellationToken,
) -> anyhow::Result<ExitCode> {
    let Arguments { telegram, amocrm, wahelp, control, seed, .. } = *arguments;
    let sandbox =
        Sandbox::start(Config { telegram, amocrm, wahelp, control, seed, ..Config::default() }).await.context(
            "the sandbox does not start; other addresses are given with --telegram, --amocrm, --wahelp, --control",
        )?;
    let mut bots = Vec::new();
    for _ in 0..arguments.bots {
        let bot = sandbox.telegram().create_bot(NewBot::default())?;
        bots.push(json!({"id": bot.id(), "token": bot.token(), "username": bot.username()}));
    }
    let text = if arguments.json {
        let addresses = json!({
            "telegram": sandbox.telegram_url(),
            "amocrm": sandbox.amocrm_url(),
            "wahelp": sandbox.wahelp_url(),
            "control": sandbox.control_url(),
            "bots": bots,
        });
        format!("{addresses}\n")
    } else {
        quick_start(&sandbox, &bots, language)
    };
    write_out(&text)?;
    stop.cancelled().await;
    sandbox.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The addresses, and lines to paste into a shell.
fn quick_start(sandbox: &Sandbox, bots: &[serde_json::Value], language: Language) -> String {
    let template = match language {
        Language::Russian => include_str!("quick_start.ru.txt"),
        Language::English => include_str!("quick_start.en.txt"),
    };
    let listed: Vec<String> =
        bots.iter().map(|bot| format!("  {}  @{}\n", text(&bot["token"]), text(&bot["username"]))).collect();
    let (id, token) = match bots.first() {
        Some(bot) => (bot["id"].to_string(), text(&bot["token"]).to_owned()),
        None => ("$BOT".to_owned(), "$TOKEN".to_owned()),
    };
    template
        .replace("{telegram}", &sandbox.telegram_url())
        .replace("{amocrm}", &sandbox.amocrm_url())
        .replace("{wahelp}", &sandbox.wahelp_url())
        .replace("{control}", &sandbox.control_url())
        .replace("{bots}", &listed.concat())
        .replace("{bot}", &id)
        .replace("{token}", &token)
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What was asked for, else what the locale says.
fn language(asked: Option<Lang>, environment: impl Fn(&'static str) -> Option<OsString>) -> Language {
    match asked {
        Some(Lang::Ru) => Language::Russian,
        Some(Lang::En) => Language::English,
        None => {
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(environment);
            Language::of_locale(&locale.unwrap_or_default().to_string_lossy())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_asked_for_or_the_locales() {
        let russian = |name: &str| (name == "LANG").then(|| OsString::from("ru_RU.UTF-8"));
        assert_eq!(language(None, russian), Language::Russian);
        assert_eq!(language(Some(Lang::En), russian), Language::English);
        assert_eq!(language(None, |_| None), Language::English);
    }
}
