//! `tandem apps`: programs that speak to the gateway, each with a token of its own.

use std::{process::ExitCode, time::Duration};

use clap::{Args, Subcommand, ValueEnum};
use tandem_bridge::operations::{AppSettings, AppToken, AppView, BotRef, Request, Response};
use tandem_gateway::{DropPending, WebhookPolicy, WhileManagerTalks};

use super::{ask::ask, quantities};
use crate::{
    Failure,
    output::{Format, Table, words},
    settings::Settings,
};

/// Programs of yours that share a bot: list, add, change, revoke
///
/// Each has a token of its own, a stream of updates of its own, and settings of its own.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem apps
  tandem apps add orders --bot @shop_bot
  tandem apps set main --drop-pending ignore --backlog 3d
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
    },
    /// Change an app's settings; what is not named stays
    Set {
        /// Its name
        name: String,
        #[command(flatten)]
        settings: Changes,
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

#[derive(Debug, Args)]
struct Changes {
    /// When it asks to drop what is pending: obey as Telegram would, or ignore it and keep the backlog
    #[arg(long, value_name = "HOW")]
    drop_pending: Option<DropPendingWord>,
    /// How long an update waits for it, such as 24h or 3d
    #[arg(long, value_name = "TIME", value_parser = quantities::duration)]
    backlog: Option<Duration>,
    /// Whether it is shown a client's free words while a manager is talking
    #[arg(long, value_name = "HOW")]
    while_manager_talks: Option<WhileManagerTalksWord>,
    /// Which webhook addresses it may set; auto is any on a loopback gateway, else public-https
    #[arg(long, value_name = "WHICH")]
    webhooks: Option<WebhooksWord>,
}

/// What happens when an app asks to drop what is pending.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum DropPendingWord {
    /// Drop it, for this app alone
    Obey,
    /// Answer yes and keep it
    Ignore,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum WhileManagerTalksWord {
    Deliver,
    Skip,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum WebhooksWord {
    Auto,
    Any,
    PublicHttps,
}

impl From<DropPendingWord> for DropPending {
    fn from(word: DropPendingWord) -> Self {
        match word {
            DropPendingWord::Obey => Self::Obey,
            DropPendingWord::Ignore => Self::Ignore,
        }
    }
}

impl Changes {
    fn settings(&self) -> AppSettings {
        AppSettings {
            drop_pending: self.drop_pending.map(Into::into),
            backlog_secs: self.backlog.map(|backlog| backlog.as_secs()),
            while_manager_talks: self.while_manager_talks.map(|word| match word {
                WhileManagerTalksWord::Deliver => WhileManagerTalks::Deliver,
                WhileManagerTalksWord::Skip => WhileManagerTalks::Skip,
            }),
            webhooks: self.webhooks.map(|word| match word {
                WebhooksWord::Auto => WebhookPolicy::Auto,
                WebhooksWord::Any => WebhookPolicy::Any,
                WebhooksWord::PublicHttps => WebhookPolicy::PublicHttps,
            }),
        }
    }
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let Arguments { command, bot, format } = arguments;
    let bot = bot.map(BotRef);
    let request = match command.unwrap_or(Command::List) {
        Command::List => Request::Apps { bot },
        Command::Add { name, settings } => Request::AddApp { bot, name, settings: settings.settings() },
        Command::Set { name, settings } => {
            let settings = settings.settings();
            if settings == AppSettings::default() {
                return Err(Failure::usage(
                    "nothing to change was named",
                    "Name a setting, such as --drop-pending ignore; `tandem apps set --help` lists them.",
                ));
            }
            Request::SetApp { bot, name, settings }
        }
        Command::Rotate { name } => Request::RotateApp { bot, name },
        Command::Revoke { name } => Request::RevokeApp { bot, name },
    };
    let response = ask(&settings, format, request).await?;
    format.print(&response, || match &response {
        Response::Apps { apps } => list(apps),
        Response::App(app) => list(std::slice::from_ref(app)),
        Response::AppToken(new) => token(new),
        Response::AppRevoked { name, .. } => {
            format!("App {name} is gone: its token works no longer, its backlog is deleted.\n")
        }
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn list(apps: &[AppView]) -> String {
    if apps.is_empty() {
        return "There are no apps. `tandem adopt` makes the first, `tandem apps add NAME` another.\n"
            .to_owned();
    }
    let heading =
        ["bot", "app", "gets updates by", "token", "drop pending", "backlog", "while manager talks", "kinds"];
    let mut table = Table::new(heading);
    for app in apps {
        let delivery = match &app.webhook_host {
            Some(host) => format!("{} ({host})", app.delivery),
            None => app.delivery.clone(),
        };
        table.row([
            app.bot.to_string(),
            app.name.clone(),
            delivery,
            if app.has_token { "its own" } else { "the bot's" }.to_owned(),
            words::word(&app.drop_pending),
            words::span(Duration::from_secs(app.backlog_secs)),
            words::word(&app.while_manager_talks),
            app.kinds.as_ref().map_or_else(|| "default".to_owned(), |kinds| kinds.join(",")),
        ]);
    }
    table.render()
}

fn token(new: &AppToken) -> String {
    let AppToken { app, token, libraries } = new;
    format!(
        "App {} has this token, shown this once:\n\n  {}\n\n{}",
        app.name,
        token.expose(),
        super::library_lines(libraries)
    )
}
