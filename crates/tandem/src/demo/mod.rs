//! `tandem demo`: the whole thing in one process, as it happens.
//!
//! A sandbox plays Telegram, amoCRM and Wahelp, a small bonus bot plays the owner's program, and between them runs the real
//! service. What is printed is what the client's phone, amoCRM's chat and the way between them show; every line with
//! a mark was looked at outside Tandem.

mod bonus_bot;
mod channel;
mod entry;
mod http;
mod script;
mod stage;
mod tandem;
mod teller;
mod wahelp;
mod words;

use std::{
    ffi::OsString,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use serde_json::json;
use tandem_sandbox::story::Language;
use tokio_util::sync::CancellationToken;

use self::{
    entry::{Entry, Paint},
    teller::{Pace, Teller},
    words::{ENGLISH, RUSSIAN, Words},
};

/// Watch one bot serve its owner's code and amoCRM at once; needs nothing
///
/// Starts a Telegram and an amoCRM of its own, Tandem between them, and a small bonus bot, and plays a conversation
/// in which amoCRM fails, the bot is restarted, Tandem is killed and a manager takes over. Nothing leaves this machine
/// and nothing stays on it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem demo
  tandem demo --lang ru
  tandem demo --route channel    With a chat channel of your own instead of amoCRM's built-in integration
  tandem demo --route wahelp     With Wahelp between the bot and amoCRM
  tandem demo --script           At full speed; exit code 0 only if everything in it held
  tandem demo --script --json    One JSON object for each expectation")]
pub(crate) struct Arguments {
    /// Play it once at full speed and say by the exit code whether everything held
    #[arg(long)]
    script: bool,
    /// Print each expectation with its result as JSON
    #[arg(long, requires = "script")]
    json: bool,
    /// How amoCRM is connected
    #[arg(long, value_name = "ROUTE", default_value = "native")]
    route: Route,
    /// The language [default: by LANG]
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<Lang>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Lang {
    Ru,
    En,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Route {
    /// amoCRM's built-in integration, which stays as it is
    Native,
    /// A chat channel of the owner's own, by amoCRM's Chats API
    Channel,
    /// A bot channel of Wahelp that is linked to amoCRM
    Wahelp,
}

/// Plays it, unless `stop` comes first.
pub(crate) async fn run(arguments: Arguments, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let words = words(arguments.lang, std::env::var_os);
    let paint = paint(std::env::var_os);
    let pace = if arguments.script { Pace::AtOnce } else { Pace::Live };
    let json = arguments.json;
    let mut show = |entry: &Entry| {
        let mut out = io::stdout().lock();
        // A reader that has gone away does not change what is true.
        match (json, entry) {
            (false, _) => writeln!(out, "{}", entry.render(words, paint)).ok(),
            (true, Entry::Expectation { .. } | Entry::End { .. }) => writeln!(out, "{}", json!(entry)).ok(),
            (true, Entry::Scene { .. } | Entry::Line { .. } | Entry::Passing { .. }) => None,
        };
    };
    if !json {
        let overture = match arguments.route {
            Route::Native => words.scenes.overture,
            Route::Channel => words.channel.overture,
            Route::Wahelp => words.wahelp.overture,
        };
        writeln!(io::stdout(), "{overture}").ok();
    }
    let teller = Teller::new(words, pace, &mut show);
    let told = match arguments.route {
        Route::Native => stop.run_until_cancelled(script::tell(teller)).await,
        Route::Channel => stop.run_until_cancelled(channel::tell(teller)).await,
        Route::Wahelp => stop.run_until_cancelled(wahelp::tell(teller)).await,
    };
    match told {
        Some(Ok(true)) => Ok(ExitCode::SUCCESS),
        Some(Ok(false)) | None => Ok(ExitCode::FAILURE),
        Some(Err(error)) => Err(error.context("the demo cannot go on")),
    }
}

/// What was asked for, else what the locale says.
fn words(asked: Option<Lang>, environment: impl Fn(&'static str) -> Option<OsString>) -> &'static Words {
    let language = match asked {
        Some(Lang::Ru) => Language::Russian,
        Some(Lang::En) => Language::English,
        None => {
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(environment);
            Language::of_locale(&locale.unwrap_or_default().to_string_lossy())
        }
    };
    match language {
        Language::Russian => &RUSSIAN,
        Language::English => &ENGLISH,
    }
}

/// Colours are for terminals whose owner has nothing against them (no-color.org).
fn paint(environment: impl Fn(&'static str) -> Option<OsString>) -> Paint {
    let unwanted = environment("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stdout().is_terminal() && !unwanted { Paint::Coloured } else { Paint::Plain }
}
