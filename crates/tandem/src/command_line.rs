//! The command line: what can be asked for, and how the program ends.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 asked for wrongly. What was asked for goes to standard output, everything
//! else to standard error.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, CommandFactory as _, Parser, Subcommand};

use crate::{Failure, commands, failure::chain, settings::Settings};

/// One Telegram bot, your own code and your CRM at the same time
#[derive(Debug, Parser)]
#[command(name = "tandem", version, propagate_version = true, after_help = EXAMPLES, max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    settings: SettingsArguments,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tandem serve                      Run the service
  tandem adopt                      Take over a bot; asks for its token
  tandem lanes                      See who has got what, and what waits
  tandem serve --set server.gateway=127.0.0.1:9000
                                    With one setting of its own

Settings come from tandem.toml, from TANDEM_SECTION__KEY in the environment, and from --set.
`tandem config show` prints those in force.";

/// Where settings come from.
#[derive(Debug, Args)]
struct SettingsArguments {
    /// Read settings from this file [default: tandem.toml, if it is there]
    #[arg(long, value_name = "FILE", global = true, env = "TANDEM_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// One setting, as section.key=value; wins over file and environment
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    set: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(commands::serve::Arguments),
    Config(commands::config::Arguments),
    Sandbox(commands::sandbox::Arguments),
}

/// The program from its arguments to its exit code.
pub fn main() -> ExitCode {
    let command_line = match CommandLine::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => {
            // Nobody is left to tell if the output is closed.
            error.print().ok();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(command_line) {
        Ok(code) => code,
        Err(failure) => {
            writeln!(io::stderr(), "{failure}").ok();
            failure.exit_code()
        }
    }
}

/// The commands with everything they take, for the reference.
pub fn definition() -> clap::Command {
    CommandLine::command()
}

fn run(command_line: CommandLine) -> Result<ExitCode, Failure> {
    let CommandLine { settings, command } = command_line;
    let load = || -> Result<Settings, Failure> {
        // A variable that is no text is none of ours.
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Settings::load(settings.config.as_deref(), environment, &settings.set).map_err(|error| {
            Failure::usage(
                chain(&error),
                "Correct it there; `tandem config example` shows every setting with its default.",
            )
        })
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::new(format!("cannot start threads: {error}"), "Raise the limit of this user's processes.")
    })?;
    let code = runtime.block_on(async {
        match command {
            Command::Serve(arguments) => commands::serve::run(arguments, load()?).await,
            Command::Config(arguments) => commands::config::run(&arguments, load).await,
            Command::Sandbox(arguments) => commands::sandbox::start(arguments).await,
        }
    });
    // Whatever still waits (a connection that was dropped at the hard stop) has no say any more.
    runtime.shutdown_background();
    code
}
