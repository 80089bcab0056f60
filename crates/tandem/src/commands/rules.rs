//! `tandem rules`: which rules routes have, and what a list would have done with what has happened.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use clap::{Args, Subcommand};
use tandem_bridge::{
    operations::{BotRef, Request, Response, RouteRulesView, TriedRules, TryRules},
    rules::{self, Audience, RuleDocument},
};
use tandem_model::{Clock as _, Timestamp};

use super::{ask::ask, quantities::Place};
use crate::{
    Failure,
    clock::SystemClock,
    failure::chain,
    output::{Format, Table, words},
    settings::Settings,
};

/// What routes are told of conversations: show the rules, try others on the past
///
/// Rules stand at a route in bots.toml and come into force with `tandem apply`. docs/rules.md explains them.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem rules
  tandem rules try amocrm --file rules.toml --since 24h
  tandem rules try amocrm --file rules.toml --since 7d --changed
  tandem rules try amocrm --json | jq '.listed[] | {seq, decision, by}'")]
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
    /// Show them (what happens without a word)
    Show {
        /// The route; every route of the bot when left out
        route: Option<String>,
    },
    /// Ask rules about what has happened, without changing or telling anything
    Try {
        /// The route
        route: String,
        /// Rules to try: rules = [ … ], as at a route of bots.toml [default: those in force]
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// From here on: an event's number, a time ago such as 2h, or a moment such as 2026-11-24T10:00:00Z
        #[arg(long, value_name = "PLACE", value_parser = Place::parse, default_value = "24h")]
        since: Place,
        /// List only what is decided otherwise than it was
        #[arg(long, requires = "file")]
        changed: bool,
        /// List the last so many
        #[arg(long, value_name = "NUMBER", default_value_t = 50)]
        limit: usize,
    },
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let Arguments { command, bot, format } = arguments;
    let bot = bot.map(BotRef);
    let now = SystemClock::new().now();
    let request = match command.unwrap_or(Command::Show { route: None }) {
        Command::Show { route } => Request::Rules { bot, route },
        Command::Try { route, file, since, changed, limit } => {
            let rules = file.map(|file| rules::load(&file)).transpose().map_err(|error| {
                Failure::usage(chain(&error), "Correct the file; docs/rules.md shows how rules are written.")
            })?;
            let (since, limit) = (since.point(now), Some(limit));
            Request::TryRules(TryRules { bot, route, rules, since, only_changed: changed, limit })
        }
    };
    let response = ask(&settings, format, request).await?;
    format.print(&response, || match &response {
        Response::Rules { routes } => list(routes),
        Response::RulesTried(tried) => in_words(tried, now),
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn list(routes: &[RouteRulesView]) -> String {
    if routes.is_empty() {
        return "The bot has no routes.\n".to_owned();
    }
    let mut text = String::new();
    for (place, route) in routes.iter().enumerate() {
        let defaults = match route.defaults {
            Audience::Everything => "everything is passed on",
            Audience::Conversation => "what people say to each other is shown, commands and buttons are not",
        };
        let separator = if place == 0 { "" } else { "\n" };
        let _ = writeln!(text, "{separator}{}: by default {defaults}.", route.route);
        let latest = route.versions.len();
        for (number, version) in route.versions.iter().enumerate() {
            let from = if number + 1 == latest { "in force" } else { "before that" };
            let _ = writeln!(text, "  from event {} on ({from}):", version.from);
            if version.rules.is_empty() {
                let _ = writeln!(text, "    no rules");
            }
            for (number, rule) in version.rules.iter().enumerate() {
                let _ = writeln!(text, "    {}. {}", number + 1, written(rule));
            }
        }
    }
    text
}

/// A rule as it stands in a file.
fn written(rule: &RuleDocument) -> String {
    match toml::Value::try_from(rule) {
        Ok(rule) => rule.to_string(),
        Err(error) => format!("cannot be shown: {error}"),
    }
}

fn in_words(tried: &TriedRules, now: Timestamp) -> String {
    let TriedRules { from, to, more, events, shown, skipped, changed, .. } = tried;
    let found = words::count(*events, "event");
    let mut text = format!(
        "{found} from {from} to {to}: {} would be told {shown}, and not {skipped}; {changed} otherwise than it was.\n",
        tried.route
    );
    if *more {
        text.push_str("There is more behind them, which was not looked at.\n");
    }
    let mut counts = Table::new(["decided by", "events"]);
    for count in &tried.counts {
        counts.row([count.by.clone(), count.events.to_string()]);
    }
    if !tried.counts.is_empty() {
        let _ = write!(text, "\n{}", counts.render());
    }
    let mut table = Table::new(["event", "when", "chat", "what", "by", "says", "decision", "decided by"]);
    for event in &tried.listed {
        let decision = match (&event.line, &event.then) {
            (Some(line), None) => format!("show_as {line:?}"),
            (Some(line), Some(then)) => format!("show_as {line:?} (was {then})"),
            (None, None) => event.decision.clone(),
            (None, Some(then)) => format!("{} (was {then})", event.decision),
        };
        table.row([
            event.seq.to_string(),
            words::when(event.at, now),
            event.conversation.clone(),
            event.kind.clone(),
            event.author.clone(),
            event.text.lines().next().unwrap_or_default().to_owned(),
            decision,
            event.by.clone(),
        ]);
    }
    if !tried.listed.is_empty() {
        let _ = write!(text, "\n{}", table.render());
    }
    text
}
