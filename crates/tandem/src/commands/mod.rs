//! One module a command: its arguments with their help, what it asks for, and what a person reads of the answer.
//!
//! None of them decides anything: they ask the bridge, in the process that has the database open ([`ask`]).

pub(crate) mod adopt;
pub(crate) mod amocrm;
pub(crate) mod apply;
pub(crate) mod apps;
mod ask;
pub(crate) mod backup;
pub(crate) mod bots;
pub(crate) mod config;
pub(crate) mod connections;
pub(crate) mod doctor;
pub(crate) mod held;
pub(crate) mod lanes;
mod quantities;
pub(crate) mod release;
pub(crate) mod replay;
pub(crate) mod rules;
pub(crate) mod sandbox;
mod secret_input;
pub(crate) mod serve;
pub(crate) mod signals;
pub(crate) mod status;

use std::{fmt::Write as _, path::Path, process::ExitCode};

use tandem_bridge::operations::{LibraryLine, Response};
use tokio_util::sync::CancellationToken;

use crate::{
    Failure, Stop, logging,
    settings::{Log, LogFormat},
};

/// Runs something that needs no settings until it is done or a signal comes.
pub(crate) async fn until_signal(
    run: impl AsyncFnOnce(CancellationToken) -> anyhow::Result<ExitCode>,
) -> Result<ExitCode, Failure> {
    logging::init(&Log { filter: Log::QUIET_FILTER.to_owned(), format: LogFormat::Text })?;
    let stop = Stop::new();
    let signals = signals::watch(stop.clone()).map_err(|error| Failure::of(&error))?;
    let ended = run(stop.soft).await;
    signals.abort();
    Ok(ended?)
}

/// An answer to something else: a `serve` of another version. It is shown as it came.
fn unexpected(response: &Response) -> String {
    let mut text = serde_json::to_string_pretty(response).unwrap_or_default();
    text.push('\n');
    text
}

/// The line to change in a bot's program, for each library.
fn library_lines(libraries: &[LibraryLine]) -> String {
    let mut text = "The line to change in your program:\n\n".to_owned();
    for LibraryLine { library, language, line } in libraries {
        let _ = writeln!(text, "  {library} ({language})");
        for line in line.lines() {
            let _ = writeln!(text, "      {line}");
        }
    }
    text
}

/// What a person should know, at the end of an answer.
fn notes(notes: &[String]) -> String {
    let mut text = String::new();
    for (index, note) in notes.iter().enumerate() {
        let _ = writeln!(text, "{}- {note}", if index == 0 { "\n" } else { "" });
    }
    text
}

/// A certificate as it stands in a file.
fn read_certificate(path: Option<&Path>) -> Result<Option<String>, Failure> {
    let Some(path) = path else { return Ok(None) };
    match std::fs::read_to_string(path) {
        Ok(text) if text.contains("-----BEGIN CERTIFICATE-----") => Ok(Some(text)),
        Ok(_) => Err(Failure::usage(
            format!("{} is no certificate", path.display()),
            "Name a file in PEM form, which begins with -----BEGIN CERTIFICATE-----.",
        )),
        Err(error) => Err(Failure::new(
            format!("cannot read {}: {error}", path.display()),
            "Name a file that this user can read.",
        )),
    }
}
