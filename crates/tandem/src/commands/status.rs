//! `tandem status`: how everything is.

use std::process::ExitCode;

use clap::Args;
use tandem_bridge::operations::{HealthView, Request, Response, Status, StoreView, Summary};

use super::{ask::ask, bots};
use crate::{
    Failure,
    output::{Format, words},
    settings::Settings,
};

/// How the service, its database and its bots are
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem status
  tandem status --json | jq -r .store.health.state
  tandem status --summary           However many bots there are")]
pub(crate) struct Arguments {
    /// Leave out what there is to say of each bot
    #[arg(long)]
    summary: bool,
    #[command(flatten)]
    format: Format,
}

/// Asks and prints.
pub(crate) async fn run(arguments: &Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let request = if arguments.summary { Request::Summary } else { Request::Status };
    let response = ask(&settings, arguments.format, request).await?;
    arguments.format.print(&response, || match &response {
        Response::Status(status) => in_words(status),
        Response::Summary(summary) => summary_in_words(summary),
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn in_words(status: &Status) -> String {
    let Status { version, store, bots } = status;
    format!("{}\n{}", head(version, store), bots::in_words(bots))
}

fn summary_in_words(summary: &Summary) -> String {
    let Summary { version, store, bots, tasks } = summary;
    format!("{}bots      {bots}\ntasks     {tasks}\n", head(version, store))
}

fn head(version: &str, store: &StoreView) -> String {
    let health = match &store.health {
        HealthView::Good => "good".to_owned(),
        HealthView::LowDisk => {
            "its disk is nearly full: nothing more is taken from Telegram, which keeps updates for 24 hours; free some space"
                .to_owned()
        }
        HealthView::Full => "its disk is full: nothing is taken or sent; free some space".to_owned(),
        HealthView::Failed { reason } => format!("failed: {reason}; restart tandem serve"),
    };
    let free = store.disk_free_bytes.map(|free| format!(", {} free on its disk", words::size(free)));
    format!(
        "tandem    {version}\ndatabase  {}{}\nhealth    {health}\n",
        words::size(store.bytes),
        free.unwrap_or_default(),
    )
}
