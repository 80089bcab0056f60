//! `tandem lanes`: who has got what, and what waits.

use std::{fmt::Write as _, process::ExitCode};

use clap::{Args, Subcommand};
use tandem_bridge::operations::{
    BotRef, HeldCountsView, LaneRef, LaneStateView, LaneView, Request, Response,
};
use tandem_model::{Clock as _, Timestamp};

use super::ask::ask;
use crate::{
    Failure,
    clock::SystemClock,
    output::{Format, Table, words},
    settings::Settings,
};

/// Who has got what and what waits: list, pause, resume
///
/// A lane is one destination's progress through a bot's journal: each app and each route has one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem lanes
  tandem lanes pause amocrm --bot @shop_bot
  tandem lanes resume amocrm
  tandem lanes --json | jq '.lanes[] | {name, lag}'")]
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
    /// Have a lane stand still; its events wait
    Pause {
        /// The lane: the name of its app or route
        lane: String,
    },
    /// Have a lane go on
    Resume {
        /// The lane: the name of its app or route
        lane: String,
    },
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let Arguments { command, bot, format } = arguments;
    let bot = bot.map(BotRef);
    let request = match command.unwrap_or(Command::List) {
        Command::List => Request::Lanes { bot },
        Command::Pause { lane } => Request::PauseLane { lane: LaneRef { bot, lane } },
        Command::Resume { lane } => Request::ResumeLane { lane: LaneRef { bot, lane } },
    };
    let response = ask(&settings, format, request).await?;
    let now = SystemClock::new().now();
    format.print(&response, || match &response {
        Response::Lanes { lanes } => list(lanes, now),
        Response::Lane(lane) => list(std::slice::from_ref(lane), now),
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn list(lanes: &[LaneView], now: Timestamp) -> String {
    if lanes.is_empty() {
        return "There are no lanes yet: a bot has one for each app and route, from `tandem adopt` on.\n"
            .to_owned();
    }
    let mut table =
        Table::new(["bot", "lane", "serves", "by", "state", "has", "waiting", "oldest", "held", "lost"]);
    for lane in lanes {
        table.row([
            lane.bot.to_string(),
            lane.name.clone(),
            words::word(&lane.serves),
            lane.delivery.clone(),
            state(&lane.state, now),
            lane.acked.to_string(),
            format!("{}{}", if lane.lag.counted { "" } else { "≤ " }, lane.lag.events),
            lane.lag.oldest.map(|at| words::when(at, now)).unwrap_or_default(),
            held(lane),
            lane.lost.to_string(),
        ]);
    }
    let mut text = table.render();
    for lane in lanes {
        if let LaneStateView::Paused { detail, since, .. } = &lane.state {
            let since = words::span(now.since(*since));
            let _ = write!(text, "\n! {} has been standing still for {since}: {detail}\n", lane.name);
        } else if let Some(fault) = &lane.last_fault {
            let _ = write!(
                text,
                "\n{}: last failure {}: {}\n",
                lane.name,
                words::when(fault.at, now),
                fault.text
            );
        }
        let for_people = lane.held.unknown + lane.held.dead;
        if for_people > 0 {
            let needs = if for_people == 1 { "needs" } else { "need" };
            let events = words::count(for_people, "event");
            let _ = write!(
                text,
                "\n! {}: {events} {needs} a person's decision: see `tandem held list --lane {}`\n",
                lane.name, lane.name
            );
        }
    }
    text
}

fn state(state: &LaneStateView, now: Timestamp) -> String {
    match state {
        LaneStateView::Running => "running".to_owned(),
        LaneStateView::Paused { reason, until: None, .. } => format!("paused ({})", words::word(reason)),
        LaneStateView::Paused { reason, until: Some(until), .. } => {
            format!("paused ({}), tried again {}", words::word(reason), words::when(*until, now))
        }
    }
}

/// `3 retrying, 1 dead`, or nothing.
fn held(lane: &LaneView) -> String {
    let HeldCountsView { sending, retrying, unknown, dead } = lane.held;
    [(sending, "sending"), (retrying, "retrying"), (unknown, "unknown"), (dead, "dead")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, state)| format!("{number} {state}"))
        .collect::<Vec<_>>()
        .join(", ")
}
