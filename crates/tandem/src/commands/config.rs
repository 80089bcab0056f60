//! `tandem config`: the settings in force, and whether they can work.

use std::{fs, io, path::Path, process::ExitCode};

use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    Failure,
    output::{Format, write_out},
    settings::{self, Settings},
};

/// The settings: show those in force, check them, print an example
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tandem config show
  tandem config check --config /etc/tandem.toml
  tandem config example > tandem.toml")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Command {
    /// Print every setting with the value in force; secrets are left out
    Show,
    /// Say whether the settings can be used
    Check,
    /// Print a tandem.toml with every setting, its default, and what it is for
    Example,
}

/// Prints. The example needs no settings, so a broken file does not keep anybody from reading it.
pub(crate) fn run(
    arguments: &Arguments,
    load: impl FnOnce() -> Result<Settings, Failure>,
) -> Result<ExitCode, Failure> {
    match arguments.command {
        Command::Show => {
            let shown = settings::show(&load()?);
            let value: toml::Table = toml::from_str(&shown).map_err(|error| Failure::of(&error))?;
            arguments.format.print_value(&value, || shown)?;
        }
        Command::Check => {
            let settings = load()?;
            check(&settings)?;
            let said = format!(
                "The settings can be used: gateway on {}, database {}.\n",
                settings.server.gateway, settings.store.url
            );
            arguments.format.print_value(&json!({ "ok": true }), || said)?;
        }
        Command::Example => write_out(settings::EXAMPLE)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What can be seen without opening or making anything.
fn check(settings: &Settings) -> Result<(), Failure> {
    crate::serve::check(settings).map_err(|error| error.failure())?;
    for (key, path) in
        [("store.url", settings.store.url.path()), ("security.key_file", &settings.security.key_file)]
    {
        let directory =
            path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match fs::metadata(directory) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(no_directory(key, directory, "it is a file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(no_directory(key, directory, "it does not exist"));
            }
            Err(error) => return Err(no_directory(key, directory, &error.to_string())),
        }
    }
    Ok(())
}

fn no_directory(key: &str, directory: &Path, why: &str) -> Failure {
    Failure::new(
        format!("the directory {} of {key} cannot be used: {why}", directory.display()),
        format!("Make it, or name another file with {key}."),
    )
}
