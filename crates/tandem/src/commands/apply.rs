//! `tandem apply`: bring connections, bots, apps and routes to what a file says.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::Args;
use tandem_bridge::{
    apply::{self, FileError},
    operations::{Applied, Apply, ApplyMode, Others, RefusedView, Request, Response, StepAction},
};

use super::ask::ask;
use crate::{
    Failure,
    failure::chain,
    output::{Format, write_out},
    settings::Settings,
};

/// Bring connections, bots, apps and routes to what a file says
///
/// Shows what would change, asks if a person sits there, and does it. Doing it twice changes nothing. Apps, routes and
/// connections that the file does not name stay, unless --prune is given; a bot is never removed: `tandem release` gives
/// it back.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem apply bots.toml
  tandem apply bots.toml --dry-run
  tandem apply bots.toml --prune --yes

A file:
  [[bot]]
  token_file = \"bot.token\"
    [[bot.app]]
    name = \"main\"
    drop_pending = \"ignore\"
    [[bot.route]]
    name = \"amocrm\"
    kind = \"amocrm\"
    mode = \"native\"

A file with an account at amoCRM (a file for each secret):
  [[connection]]
  name = \"shop\"
  vendor = \"amocrm\"                 # platform = \"kommo\" for the rest of the world
  account = \"shop.amocrm.ru\"
  token_file = \"amo.token\"          # or [connection.oauth] client_id, client_secret_file, redirect_url
    [connection.channel]
    id = \"...\"
    secret_file = \"amo.channel\"
    bot_id = \"...\"
  [[bot]]
  token_file = \"bot.token\"
    [[bot.route]]
    name = \"amocrm\"
    kind = \"amocrm\"
    mode = \"channel\"
    connection = \"shop\"             # pipeline, leads, start_first, rules and more: docs/amocrm.md

A file with a project at Wahelp:
  [[connection]]
  name = \"wa\"
  vendor = \"wahelp\"
  login = \"shop\"                    # or token_file: a token from the cabinet
  password_file = \"wahelp.password\"
  project = 4242                    # api_base, words, pace, time_offset, fetch_hosts
    [[connection.channels]]
    alias = \"clients_tg\"
    uuid = \"...\"
  [[bot]]
  token_file = \"bot.token\"
    [[bot.route]]
    name = \"wahelp\"
    kind = \"wahelp\"
    mode = \"api\"
    connection = \"wa\"
    channel = \"clients_tg\"          # destination, encoding, files, personal_account, rules")]
pub(crate) struct Arguments {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only show what would change
    #[arg(long)]
    dry_run: bool,
    /// Remove apps and routes of the file's bots that the file does not name, and connections that no route uses
    #[arg(long)]
    prune: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    format: Format,
}

/// Shows the plan, then carries it out.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let Arguments { file, dry_run, prune, yes, format } = arguments;
    let desired = apply::load(&file).map_err(|error| {
        let what_to_do = match error {
            FileError::Unreadable { .. } => "Name a file that is there and that this user can read.",
            FileError::Wrong(_) => "Correct it there; nothing was changed.",
        };
        Failure::usage(chain(&error), what_to_do)
    })?;
    let others = if prune { Others::Prune } else { Others::Keep };
    let request = |mode| Request::Apply(Apply { desired: desired.clone(), mode, others });

    let a_person_decides = !dry_run && !yes && io::stdin().is_terminal();
    if dry_run || a_person_decides {
        let planned = ask(&settings, format, request(ApplyMode::Plan)).await?;
        let Response::Applied(plan) = &planned else { return write_unexpected(&planned) };
        if dry_run || plan.steps.is_empty() {
            format.print(&planned, || in_words(plan))?;
            return Ok(exit_code(plan));
        }
        // The plan is for the person: standard output gets what was done.
        write!(io::stderr(), "{}\nDo this? [y/N] ", in_words(plan)).ok();
        if !said_yes() {
            return Err(Failure::new("nothing was changed", "Answer y, or give --yes, to have it done."));
        }
    }
    let applied = ask(&settings, format, request(ApplyMode::Execute)).await?;
    let Response::Applied(done) = &applied else { return write_unexpected(&applied) };
    format.print(&applied, || in_words(done))?;
    Ok(exit_code(done))
}

/// Not everything is as the file says when a bot was refused.
fn exit_code(applied: &Applied) -> ExitCode {
    if applied.refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn write_unexpected(response: &Response) -> Result<ExitCode, Failure> {
    write_out(&super::unexpected(response))?;
    Ok(ExitCode::FAILURE)
}

fn said_yes() -> bool {
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

fn in_words(applied: &Applied) -> String {
    if applied.steps.is_empty() && applied.refused.is_empty() {
        return "Everything is as the file says.\n".to_owned();
    }
    let mut text = if applied.executed { "Done:\n" } else { "To be done:\n" }.to_owned();
    for step in &applied.steps {
        let mark = match step.action {
            StepAction::Adopt => "adopt",
            StepAction::Add => "add",
            StepAction::Change => "change",
            StepAction::Remove => "remove",
        };
        let _ = writeln!(text, "  {mark:<7} {}: {}", step.what, step.sentence);
        if let Some(token) = &step.app_token {
            let _ = writeln!(text, "          its token, shown this once: {}", token.expose());
        }
        for note in &step.notes {
            let _ = writeln!(text, "          - {note}");
        }
    }
    if !applied.refused.is_empty() {
        let _ = writeln!(text, "Not done, {} in all:", applied.refused.len());
    }
    for RefusedView { bot, refusal } in &applied.refused {
        let _ = writeln!(text, "  {bot}: {} {}", refusal.sentence, refusal.what_to_do);
    }
    text
}
