//! `tandem release`: give a bot's stream back.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use tandem_bridge::operations::{
    BotRef, GiveBack, Release, Released, Request, Response, Undelivered, UndeliveredView,
};
use tandem_model::{Clock as _, Timestamp};

use super::{ask::ask, quantities, secret_input};
use crate::{
    Failure,
    clock::SystemClock,
    output::{Format, words},
    settings::Settings,
};

/// Give a bot back to whoever held it before
///
/// Takes no more updates, waits until every route has what there is, puts the former webhook back as it was, and says
/// what could not be restored. Your program uses the bot's own token and Telegram's own address again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem release
  tandem release @shop_bot --wait 1m
  tandem release @shop_bot --leave-undelivered")]
pub(crate) struct Arguments {
    /// Which bot, by id or username; may be left out when there is only one
    bot: Option<String>,
    /// How long to wait until every route has everything, such as 30s or 5m
    #[arg(long, value_name = "TIME", value_parser = quantities::duration, default_value = "10s")]
    wait: Duration,
    /// Go on, and list it, when something is undelivered then
    #[arg(long)]
    leave_undelivered: bool,
    /// The secret that the former holder's webhook checks, from this file, if it was not given to adopt
    #[arg(long, value_name = "FILE")]
    holder_secret_file: Option<PathBuf>,
    /// The certificate (PEM) of the former holder's webhook, if it was not given to adopt
    #[arg(long, value_name = "FILE")]
    holder_certificate: Option<PathBuf>,
    /// Leave the bot without a webhook
    #[arg(long)]
    no_webhook: bool,
    #[command(flatten)]
    format: Format,
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let format = arguments.format;
    let release = Release {
        bot: arguments.bot.map(BotRef),
        wait_secs: arguments.wait.as_secs(),
        undelivered: if arguments.leave_undelivered { Undelivered::Leave } else { Undelivered::Refuse },
        holder_secret: arguments.holder_secret_file.as_deref().map(secret_input::from_file).transpose()?,
        holder_certificate: super::read_certificate(arguments.holder_certificate.as_deref())?,
        webhook: if arguments.no_webhook { GiveBack::Nothing } else { GiveBack::Webhook },
    };
    let response = ask(&settings, format, Request::Release(release)).await?;
    let now = SystemClock::new().now();
    format.print(&response, || match &response {
        Response::Released(released) => in_words(released, now),
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn in_words(released: &Released, now: Timestamp) -> String {
    let Released { bot, username, holder, restored, undelivered, notes } = released;
    let title = username.as_ref().map_or_else(|| format!("Bot {bot}"), |username| format!("@{username}"));
    let mut text = if *restored {
        format!("{title} is back with {}: its webhook is as it was.\n", holder.name)
    } else {
        format!("{title} is not with Tandem any more, and has no webhook.\n")
    };
    if !undelivered.is_empty() {
        text.push_str("\nThis was not delivered, and will not be:\n\n");
        for UndeliveredView { lane, waiting, retrying, for_people, oldest, reason } in undelivered {
            let since = oldest.map(|at| format!(", the oldest {}", words::when(at, now))).unwrap_or_default();
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let _ = writeln!(
                text,
                "  {lane}: {waiting} waiting, {retrying} to be tried again, {for_people} for a person to decide{since}{reason}"
            );
        }
    }
    text.push_str(&super::notes(notes));
    text
}
