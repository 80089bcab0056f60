//! `tandem held`: what lanes have set aside, and what becomes of it.

use std::{fmt::Write as _, process::ExitCode};

use clap::{Args, Subcommand, ValueEnum};
use tandem_bridge::operations::{BotRef, HeldAnswer, HeldQuery, HeldView, LaneRef, Request, Response};
use tandem_model::{Clock as _, HeldState, Seq, Timestamp};

use super::ask::ask;
use crate::{
    Failure,
    clock::SystemClock,
    output::{Format, Table, words},
    settings::Settings,
};

/// Events that a lane has set aside: list, retry, skip
///
/// An event is held while it is tried again (sending, retrying), and when a person has to decide: nobody can say
/// whether it arrived (unknown), or its destination will not have it (dead).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem held list
  tandem held list --lane amocrm --state dead --attempts
  tandem held retry amocrm 1042
  tandem held skip amocrm 1042")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Which bot, by id or username; may be left out when there is only one
    #[arg(long, value_name = "BOT", global = true)]
    bot: Option<String>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List them
    List {
        /// Of this lane only
        #[arg(long, value_name = "LANE")]
        lane: Option<String>,
        /// In this state only; may be repeated
        #[arg(long, value_name = "STATE")]
        state: Vec<State>,
        /// After this event
        #[arg(long, value_name = "SEQ", requires = "lane", value_parser = seq)]
        after: Option<Seq>,
        /// So many of each lane
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// With the attempts that were made
        #[arg(long)]
        attempts: bool,
    },
    /// Deliver an event now
    Retry {
        /// The lane: the name of its app or route
        lane: String,
        /// The event's number
        #[arg(value_parser = seq)]
        seq: Seq,
    },
    /// Let go of an event without delivering it
    Skip {
        /// The lane: the name of its app or route
        lane: String,
        /// The event's number
        #[arg(value_parser = seq)]
        seq: Seq,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Sending,
    Retrying,
    Unknown,
    Dead,
}

impl From<State> for HeldState {
    fn from(state: State) -> Self {
        match state {
            State::Sending => Self::Sending,
            State::Retrying => Self::Retrying,
            State::Unknown => Self::Unknown,
            State::Dead => Self::Dead,
        }
    }
}

fn seq(text: &str) -> Result<Seq, String> {
    let number: i64 = text.parse().map_err(|_not_a_number| "expected an event's number".to_owned())?;
    Seq::new(number).map_err(|error| error.to_string())
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let Arguments { command, bot, format } = arguments;
    let bot = bot.map(BotRef);
    let mut with_attempts = false;
    let request = match command {
        Command::List { lane, state, after, limit, attempts } => {
            with_attempts = attempts;
            let states = state.into_iter().map(Into::into).collect();
            Request::Held(HeldQuery { bot, lane, states, after, limit: Some(limit) })
        }
        Command::Retry { lane, seq } => Request::RetryHeld { lane: LaneRef { bot, lane }, seq },
        Command::Skip { lane, seq } => Request::SkipHeld { lane: LaneRef { bot, lane }, seq },
    };
    let response = ask(&settings, format, request).await?;
    let now = SystemClock::new().now();
    format.print(&response, || match &response {
        Response::Held { held, more } => list(held, *more, with_attempts, now),
        Response::HeldAnswer(answer) => in_words(answer),
        other => super::unexpected(other),
    })?;
    Ok(match response {
        // What was asked for was not achieved.
        Response::HeldAnswer(HeldAnswer::Failed { .. } | HeldAnswer::Busy | HeldAnswer::Gone) => {
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    })
}

fn list(held: &[HeldView], more: bool, with_attempts: bool, now: Timestamp) -> String {
    if held.is_empty() {
        return "Nothing is held.\n".to_owned();
    }
    let mut table =
        Table::new(["bot", "lane", "event", "kind", "conversation", "state", "tries", "next try", "reason"]);
    for event in held {
        table.row([
            event.bot.to_string(),
            event.lane.clone(),
            event.seq.to_string(),
            event.kind.map_or("deleted", |kind| kind.as_str()).to_owned(),
            event.conversation.clone(),
            event.state.as_str().to_owned(),
            event.tries.to_string(),
            event.next_at.map(|at| words::when(at, now)).unwrap_or_default(),
            event.reason.clone(),
        ]);
    }
    let mut text = table.render();
    if with_attempts {
        for event in held {
            let _ = write!(text, "\n{} event {}:\n", event.lane, event.seq);
            for attempt in &event.attempts {
                let _ = writeln!(
                    text,
                    "  {}  {} ms  {}",
                    words::date(attempt.at),
                    attempt.took_ms,
                    attempt.outcome
                );
            }
        }
    }
    if more {
        text.push_str(
            "\nThere are more: raise --limit, or go on in one lane with --lane LANE --after SEQ.\n",
        );
    }
    text
}

fn in_words(answer: &HeldAnswer) -> String {
    match answer {
        HeldAnswer::Delivered => "Delivered.\n".to_owned(),
        HeldAnswer::Scheduled => "It is tried next.\n".to_owned(),
        HeldAnswer::Skipped => "Skipped: what waited behind it goes on.\n".to_owned(),
        HeldAnswer::Failed { reason } => format!("Tried and held as before: {reason}\n"),
        HeldAnswer::Busy => "An attempt is under way: ask again in a minute.\n".to_owned(),
        HeldAnswer::Gone => {
            "Its event has been deleted, so it cannot be delivered; `tandem held skip` lets go of it.\n"
                .to_owned()
        }
    }
}
