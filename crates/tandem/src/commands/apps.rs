//! `tandem apps`: programs that speak to the gateway, each with a token of its own.

mod flags;
mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use tandem_bridge::operations::{AppSettings, BotRef, Request, Response};
use tandem_model::Clock as _;

pub(super) use self::flags::DropPendingWord;
use self::flags::{Changes, LimitFlags, QuestionWord};
use super::ask::ask;
use crate::{Failure, clock::SystemClock, output::Format, settings::Settings};

/// Programs of yours that share a bot: list, add, change, limit, revoke
///
/// Each has a token of its own, a stream of updates of its own, and settings of its own. A press of a button goes to
/// the app that claims its data, else to the app whose message carries it, else to all, and the first answer wins.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem apps
  tandem apps add orders --bot @shop_bot
  tandem apps set main --drop-pending ignore --backlog 3d
  tandem apps set orders --claim order: --claim cart: --sees sent
  tandem apps limit orders --methods send,answer,getFile --chats any
  tandem apps own pre_checkout orders
  tandem apps rotate orders
  tandem apps revoke orders")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Which bot, by id or username; may be left out when there is only one
    #[arg(long, value_name = "BOT", global = true)]
    bot: Option<String>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List them (what happens without a word)
    List,
    /// A new app; prints its token, once
    Add {
        /// Its name
        name: String,
        #[command(flatten)]
        settings: Changes,
        #[command(flatten)]
        limits: LimitFlags,
    },
    /// Change an app's settings; what is not named stays
    Set {
        /// Its name
        name: String,
        #[command(flatten)]
        settings: Changes,
    },
    /// Say which methods an app may call and which chats it may use; what is not named stays
    ///
    /// What it may not do is answered with an error before anything reaches Telegram. getMe, getUpdates and the methods
    /// about its own webhook are always allowed. The list of chats concerns calls that name a chat, or else a user.
    #[command(after_help = "\
Examples:
  tandem apps limit orders --methods send,edit,answer
  tandem apps limit orders --methods sendMessage,getFile --chats 123456789,@shop_news
  tandem apps limit orders --methods any --chats any

Groups of methods: get, send, edit, delete, answer, react, pin.")]
    Limit {
        /// Its name
        name: String,
        #[command(flatten)]
        limits: LimitFlags,
    },
    /// Choose the app that answers what only one can answer
    ///
    /// Without a choice it is main, unless main asks for no such updates and exactly one other app does.
    #[command(after_help = "\
Examples:
  tandem apps own inline finder
  tandem apps own inline --unset")]
    Own {
        /// What
        question: QuestionWord,
        /// The app's name
        #[arg(required_unless_present = "unset")]
        app: Option<String>,
        /// As if no app had been chosen
        #[arg(long, conflicts_with = "app")]
        unset: bool,
    },
    /// A new token for an app; the old one stops working at once
    Rotate {
        /// Its name
        name: String,
    },
    /// Remove an app with its token and its backlog
    Revoke {
        /// Its name
        name: String,
    },
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let Arguments { command, bot, format } = arguments;
    let bot = bot.map(BotRef);
    let request = match command.unwrap_or(Command::List) {
        Command::List => Request::Apps { bot },
        Command::Add { name, settings, limits } => {
            Request::AddApp { bot, name, settings: limits.put_into(settings.settings())? }
        }
        Command::Set { name, settings } => {
            let settings = something(settings.settings(), "set", "--drop-pending ignore")?;
            Request::SetApp { bot, name, settings }
        }
        Command::Limit { name, limits } => {
            let settings = limits.put_into(AppSettings::default())?;
            Request::SetApp { bot, name, settings: something(settings, "limit", "--methods send,answer")? }
        }
        Command::Own { question, app, unset: _ } => {
            Request::ChooseOwner { bot, question: question.into(), app }
        }
        Command::Rotate { name } => Request::RotateApp { bot, name },
        Command::Revoke { name } => Request::RevokeApp { bot, name },
    };
    let response = ask(&settings, format, request).await?;
    let now = SystemClock::new().now();
    format.print(&response, || match &response {
        Response::Apps { apps } => show::list(apps, now),
        Response::App(app) => show::list(std::slice::from_ref(app), now),
        Response::AppToken(new) => show::token(new),
        Response::AppRevoked { name, .. } => {
            format!("App {name} is gone: its token works no longer, its backlog is deleted.\n")
        }
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Settings of which at least one was named.
fn something(settings: AppSettings, command: &str, example: &str) -> Result<AppSettings, Failure> {
    if settings != AppSettings::default() {
        return Ok(settings);
    }
    Err(Failure::usage(
        "nothing to change was named",
        format!("Name a setting, such as {example}; `tandem apps {command} --help` lists them."),
    ))
}
