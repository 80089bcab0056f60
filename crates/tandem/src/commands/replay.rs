//! `tandem replay`: deliver again what a lane has had.

use std::{fmt::Write as _, process::ExitCode};

use clap::Args;
use tandem_bridge::operations::{BotRef, LaneRef, Replay, ReplayMode, Replayed, Request, Response};
use tandem_model::Clock as _;

use super::{ask::ask, quantities::Place};
use crate::{
    Failure,
    clock::SystemClock,
    output::{Format, words},
    settings::Settings,
};

/// Deliver again what a lane has had, for a destination that lost it
///
/// A place is an event's number, a time ago such as 2h, or a moment such as 2026-11-24T10:00:00Z.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem replay amocrm --from 2h --dry-run
  tandem replay amocrm --from 2026-11-24T10:00:00Z --to 2026-11-24T11:00:00Z
  tandem replay amocrm --from 1042 --to 1050")]
pub(crate) struct Arguments {
    /// The lane: the name of its app or route
    lane: String,
    /// From here on
    #[arg(long, value_name = "PLACE", value_parser = Place::parse)]
    from: Place,
    /// Up to and including here [default: everything the lane has had]
    #[arg(long, value_name = "PLACE", value_parser = Place::parse)]
    to: Option<Place>,
    /// Only count
    #[arg(long)]
    dry_run: bool,
    /// Which bot, by id or username; may be left out when there is only one
    #[arg(long, value_name = "BOT")]
    bot: Option<String>,
    #[command(flatten)]
    format: Format,
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let Arguments { lane, from, to, dry_run, bot, format } = arguments;
    let now = SystemClock::new().now();
    let mode = if dry_run { ReplayMode::DryRun } else { ReplayMode::Deliver };
    let replay = Replay {
        lane: LaneRef { bot: bot.map(BotRef), lane },
        from: from.point(now),
        to: to.map(|to| to.point(now)),
        mode,
    };
    let response = ask(&settings, format, Request::Replay(replay)).await?;
    format.print(&response, || match &response {
        Response::Replayed(replayed) => in_words(replayed, mode),
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn in_words(replayed: &Replayed, mode: ReplayMode) -> String {
    let Replayed { from, to, events, delivered, failed, to_come } = *replayed;
    let found = words::count(events, "event");
    if mode == ReplayMode::DryRun {
        return format!("{found} from {from} to {to} would be delivered again.\n");
    }
    let mut text = format!("{found} from {from} to {to}: {delivered} delivered again");
    if failed > 0 {
        let _ = write!(text, ", {failed} failed (see `tandem held list`)");
    }
    if to_come > 0 {
        let _ = write!(text, ", {to_come} come when what is held before them is through");
    }
    text.push_str(".\n");
    text
}
