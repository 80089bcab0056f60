//! `tandem bots`: which bots there are, what is wrong with them, and what their guards do.

use std::{fmt::Write as _, process::ExitCode};

use clap::{Args, Subcommand, ValueEnum};
use tandem_bridge::{
    GuardPolicy, GuardState, HolderKind,
    operations::{BotRef, BotView, Request, Response},
};

use super::ask::ask;
use crate::{
    Failure,
    output::{Format, Table, words},
    settings::Settings,
};

/// The bots that Tandem has, what is wrong with them, and who else took their updates
///
/// A bot's guard notices when somebody else takes its updates (amoCRM connected again, another program that polls),
/// and does what its policy says. `docs/guard.md` tells the whole story.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem bots
  tandem bots --json | jq -r '.bots[] | select(.trouble) | .username'
  tandem bots guard alert @shop_bot
  tandem bots retake @shop_bot")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List them (what happens without a word)
    List,
    /// What to do when somebody else takes a bot's updates
    Guard {
        /// The policy
        policy: GuardWord,
        /// Which bot, by id or username; may be left out when there is only one
        bot: Option<String>,
    },
    /// Take a bot's updates back now, once, from whoever has them
    Retake {
        /// Which bot, by id or username; may be left out when there is only one
        bot: Option<String>,
    },
}

/// What to do when somebody else takes a bot's updates.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum GuardWord {
    /// Hand on to the CRM's new address and take them back, at most six times an hour; then stand down and say so
    Retake,
    /// Give way and say so once
    StandDown,
    /// Leave them, and say so every hour
    Alert,
}

impl From<GuardWord> for GuardPolicy {
    fn from(word: GuardWord) -> Self {
        match word {
            GuardWord::Retake => Self::Retake,
            GuardWord::StandDown => Self::StandDown,
            GuardWord::Alert => Self::Alert,
        }
    }
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let Arguments { command, format } = arguments;
    let request = match command.unwrap_or(Command::List) {
        Command::List => Request::Bots,
        Command::Guard { policy, bot } => Request::SetGuard { bot: bot.map(BotRef), policy: policy.into() },
        Command::Retake { bot } => Request::Retake { bot: bot.map(BotRef) },
    };
    let response = ask(&settings, format, request).await?;
    format.print(&response, || match &response {
        Response::Bots { bots } => in_words(bots),
        Response::Bot(bot) => in_words(std::slice::from_ref(bot)),
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// A table, and below it what a person should know.
pub(super) fn in_words(bots: &[BotView]) -> String {
    if bots.is_empty() {
        return "There are no bots yet. Take one over with `tandem adopt`.\n".to_owned();
    }
    let mut table =
        Table::new(["id", "bot", "state", "updates by", "guard", "last event", "size", "apps", "routes"]);
    for bot in bots {
        table.row([
            bot.bot.to_string(),
            title(bot),
            bot.state.clone(),
            words::word(&bot.upstream),
            guard(bot),
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
        for trouble in &bot.route_troubles {
            let _ = write!(text, "\n! {}: {trouble}\n", title(bot));
        }
        for sentence in guard_sentences(bot) {
            let _ = write!(text, "\n{}: {sentence}\n", title(bot));
        }
    }
    text
}

/// `retake`, or what is not as it should be.
fn guard(bot: &BotView) -> String {
    match &bot.guard.state {
        GuardState::Off => String::new(),
        GuardState::Watching => bot.guard.policy.as_str().to_owned(),
        GuardState::Taken { by, .. } => format!("taken by {}", by.name()),
        GuardState::StoodDown { .. } => "stood down".to_owned(),
    }
}

/// What a guard did and what went past, where there is anything to tell.
fn guard_sentences(bot: &BotView) -> Vec<String> {
    let guard = &bot.guard;
    let mut sentences = Vec::new();
    if let GuardState::StoodDown { since, by, next_try } = &guard.state {
        let who = by.as_ref().map_or_else(|| "somebody else".to_owned(), tandem_bridge::Taker::name);
        let next = match next_try {
            Some(at) => format!("it tries once by itself at {}", words::date(*at)),
            None => "it takes nothing back by itself".to_owned(),
        };
        sentences.push(format!(
            "the guard stood down at {} and leaves the updates to {who}; {next}. What goes past is counted when they \
             come here again.",
            words::date(*since)
        ));
    }
    if guard.retakes > 0 {
        sentences.push(format!(
            "its updates were taken back {} ({} within the last hour).",
            words::count(guard.retakes, "time"),
            guard.retakes_last_hour
        ));
    }
    for past in &guard.went_past {
        let whom = match past.to {
            HolderKind::Nobody => "nobody that was seen",
            HolderKind::Other => "another host's webhook",
            HolderKind::Amocrm | HolderKind::Kommo | HolderKind::Wahelp | HolderKind::Poller => {
                past.to.as_str()
            }
        };
        sentences.push(format!("{} went past your code to {whom}.", words::count(past.updates, "update")));
    }
    if guard.unexplained > 0 {
        sentences.push(format!(
            "{} never came: they outlived their time at Telegram, or another program took them unseen.",
            words::count(guard.unexplained, "update")
        ));
    }
    sentences
}

fn title(bot: &BotView) -> String {
    bot.username.as_ref().map_or_else(|| bot.name.clone(), |username| format!("@{username}"))
}
