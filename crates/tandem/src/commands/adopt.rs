//! `tandem adopt`: take over a bot's stream and keep whoever held it.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use tandem_bridge::{
    UpstreamMode,
    operations::{Adopt, Adopted, AnotherPoller, Confidential, KeepHolder, Request, Response},
};

use super::{apps::DropPendingWord, ask::ask, bots::GuardWord, secret_input};
use crate::{
    Failure,
    output::{Format, words},
    settings::Settings,
};

/// Take over a bot, and keep whoever has its updates now
///
/// Finds out who gets the bot's updates (amoCRM, Kommo, Wahelp, another webhook, another program), notes it, takes the
/// updates without losing those that wait, and hands everything on to the former holder as before. Prints the token
/// and the one line to change in your own program.
///
/// The bot's token is asked for, or read from standard input, --token-file or `TANDEM_BOT_TOKEN`. Repeating the command
/// finishes what was interrupted, and otherwise changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem adopt
  tandem adopt --token-file bot.token --drop-pending ignore
  pass show shop-bot | tandem adopt --json")]
pub(crate) struct Arguments {
    /// Read the bot's token from this file; - is standard input
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// The bot's token, from the environment only
    #[arg(
        long,
        hide = true,
        env = "TANDEM_BOT_TOKEN",
        hide_env_values = true,
        conflicts_with = "token_file"
    )]
    token_from_environment: Option<String>,
    /// When your program asks to drop what is pending: obey as Telegram would, or ignore it and keep the backlog (for
    /// programs that drop on every start)
    #[arg(long, value_name = "HOW")]
    drop_pending: Option<DropPendingWord>,
    /// The secret that the present holder's webhook checks, from this file: Telegram does not give it out
    #[arg(long, value_name = "FILE")]
    holder_secret_file: Option<PathBuf>,
    /// The certificate (PEM) of the present holder's webhook, if it is self-signed
    #[arg(long, value_name = "FILE")]
    holder_certificate: Option<PathBuf>,
    /// Hand nothing on to the present holder
    #[arg(long)]
    leave_holder: bool,
    /// Take it over although another program polls it; that program has to be stopped afterwards
    #[arg(long)]
    accept_poller: bool,
    /// How updates come from Telegram [default: as the setting telegram.upstream says]
    #[arg(long, value_name = "HOW")]
    upstream: Option<UpstreamWord>,
    /// What to do when somebody else takes its updates [default: as before, or retake]
    #[arg(long, value_name = "POLICY")]
    guard: Option<GuardWord>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum UpstreamWord {
    /// Tandem asks for them; needs no public address
    Polling,
    /// Telegram posts them to `server.public_url`
    Webhook,
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let token = match (&arguments.token_file, &arguments.token_from_environment) {
        (Some(path), _) => secret_input::from_file(path)?,
        (None, Some(token)) => Confidential::new(token.trim()),
        (None, None) => {
            secret_input::from_terminal_or_stdin("The bot's token, from @BotFather (it is not shown): ")?
        }
    };
    let format = arguments.format;
    let adopt = Adopt {
        token,
        drop_pending: arguments.drop_pending.map(Into::into),
        holder_secret: arguments.holder_secret_file.as_deref().map(secret_input::from_file).transpose()?,
        holder_certificate: super::read_certificate(arguments.holder_certificate.as_deref())?,
        holder: if arguments.leave_holder { KeepHolder::Leave } else { KeepHolder::AsRoute },
        another_poller: if arguments.accept_poller { AnotherPoller::Accept } else { AnotherPoller::Refuse },
        guard: arguments.guard.map(Into::into),
        upstream: arguments.upstream.map(|word| match word {
            UpstreamWord::Polling => UpstreamMode::Polling,
            UpstreamWord::Webhook => UpstreamMode::Webhook,
        }),
    };
    let response = ask(&settings, format, Request::Adopt(adopt)).await?;
    format.print(&response, || match &response {
        Response::Adopted(adopted) => in_words(adopted),
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}

fn in_words(adopted: &Adopted) -> String {
    let Adopted { bot, username, name, holder, kept, upstream, pending, drop_pending, .. } = adopted;
    let title = username.as_ref().map_or_else(|| name.clone(), |username| format!("@{username} ({name})"));
    let mut text = format!("{title}, bot {bot}, is with Tandem.\n\n");
    let mut line = |what: &str, value: &str| {
        let _ = writeln!(text, "  {what:<14}{value}");
    };
    line("held before", &holder.name);
    match kept {
        Some(kept) => line("kept as", &format!("route {} ({}): {}", kept.route, kept.kind, kept.sentence)),
        None => line("kept as", "nothing: nobody else gets its updates"),
    }
    line("updates by", &words::word(upstream));
    line("waiting", &format!("{} at Telegram, which come to Tandem", words::count(*pending, "update")));
    line("drop pending", &words::word(drop_pending));
    match &adopted.app_token {
        Some(token) => {
            let _ = write!(text, "\nYour program, the app main, has this token, shown this once:\n\n  {}\n", token.expose());
        }
        None => text.push_str(
            "\nThe token of your program, the app main, was shown before; `tandem apps rotate main` makes a new one.\n",
        ),
    }
    let _ = write!(text, "\n{}", super::library_lines(&adopted.libraries));
    if !adopted.reach.is_empty() {
        text.push_str("\nWhat needs an address on the internet:\n\n");
        for reach in &adopted.reach {
            let needs = if reach.needs_public_url { "yes" } else { "no" };
            let _ = writeln!(text, "  {needs:<4}{}: {}", reach.what, reach.why);
        }
    }
    text.push_str(&super::notes(&adopted.notes));
    text
}
