//! `tandem bots`: which bots there are, and what is wrong with them.

use std::{fmt::Write as _, process::ExitCode};

use clap::Args;
use tandem_bridge::operations::{BotView, Request, Response};

use super::ask::ask;
use crate::{
    Failure,
    output::{Format, Table, words},
    settings::Settings,
};

/// The bots that Tandem has, and what is wrong with them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem bots
  tandem bots --json | jq -r '.bots[] | select(.trouble) | .username'")]
pub(crate) struct Arguments {
    #[command(flatten)]
    format: Format,
}

/// Asks and prints.
pub(crate) async fn run(arguments: &Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let response = ask(&settings, arguments.format, Request::Bots).await?;
    arguments.format.print(&response, || match &response {
        Response::Bots { bots } => in_words(bots),
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A table, and below it what a person should know.
pub(super) fn in_words(bots: &[BotView]) -> String {
    if bots.is_empty() {
        return "There are no bots yet. Take one over with `tandem adopt`.\n".to_owned();
    }
    let mut table = Table::new(["id", "bot", "state", "updates by", "last event", "size", "apps", "routes"]);
    for bot in bots {
        table.row([
            bot.bot.to_string(),
            title(bot),
            bot.state.clone(),
            words::word(&bot.upstream),
            bot.last_seq.to_string(),
            words::size(bot.bytes),
            bot.apps.join(","),
            bot.routes.join(","),
        ]);
    }
    let mut text = table.render();
    for bot in bots {
        if let Some(trouble) = &bot.trouble {
            let _ = write!(text, "\n! {}: {}\n  {}\n", title(bot), trouble.sentence, trouble.what_to_do);
        }
    }
    text
}

fn title(bot: &BotView) -> String {
    bot.username.as_ref().map_or_else(|| bot.name.clone(), |username| format!("@{username}"))
}
