//! `tandem backup`: a copy of the database while it is in use.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use tandem_bridge::operations::{Request, Response};

use super::ask::ask;
use crate::{Failure, output::Format, settings::Settings};

/// Copy the database to a new file, while it is in use
///
/// The key file is not in the copy: without it the tokens in the copy cannot be opened. Keep one of both, apart.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem backup /backup/tandem-$(date +%F).db
  cp tandem.key /somewhere/else/            The key that opens its secrets

To restore, stop tandem serve and put both files back under their names.")]
pub(crate) struct Arguments {
    /// The new file
    #[arg(value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    format: Format,
}

/// Asks and prints.
pub(crate) async fn run(arguments: Arguments, settings: Settings) -> Result<ExitCode, Failure> {
    let Arguments { to, format } = arguments;
    // The process that copies may have been started somewhere else.
    let to = std::path::absolute(&to)
        .ok()
        .and_then(|path| path.into_os_string().into_string().ok())
        .ok_or_else(|| Failure::usage("the file's name is no text", "Give it a name in plain letters."))?;
    let response = ask(&settings, format, Request::Backup { to }).await?;
    let key = settings.security.key_file.display().to_string();
    format.print(&response, || match &response {
        Response::BackedUp { to } => {
            format!("Copied to {to}. Keep {key} too, apart from it: it opens the secrets in it.\n")
        }
        other => super::unexpected(other),
    })?;
    Ok(ExitCode::SUCCESS)
}
