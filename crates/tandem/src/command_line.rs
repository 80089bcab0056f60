//! The command line: what can be asked for, and how the program ends.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 asked for wrongly. What was asked for goes to standard output, everything
//! else to standard error.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::{
    Failure, commands, demo,
    failure::chain,
    output::write_out,
    reference,
    settings::{Settings, SettingsError},
};

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
#[command(next_help_heading = "Settings")]
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
    Adopt(commands::adopt::Arguments),
    Release(commands::release::Arguments),
    Apply(commands::apply::Arguments),
    Status(commands::status::Arguments),
    Bots(commands::bots::Arguments),
    Apps(commands::apps::Arguments),
    Connections(commands::connections::Arguments),
    Lanes(commands::lanes::Arguments),
    Held(commands::held::Arguments),
    Replay(commands::replay::Arguments),
    Rules(commands::rules::Arguments),
    Doctor(commands::doctor::Arguments),
    Amocrm(commands::amocrm::Arguments),
    Config(commands::config::Arguments),
    Backup(commands::backup::Arguments),
    Sandbox(commands::sandbox::Arguments),
    Demo(demo::Arguments),
    /// Print a page of the documentation
    #[command(hide = true)]
    Reference {
        /// Which page
        page: Page,
    },
}

/// The pages that are generated.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Page {
    Commands,
    Settings,
    Metrics,
}

/// The program from its arguments to its exit code.
pub fn main() -> ExitCode {
    // What clients write stands in the database and its copies: they are for this user alone.
    rustix::process::umask(rustix::fs::Mode::RWXG | rustix::fs::Mode::RWXO);
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
            let what_to_do = match error {
                SettingsError::Unreadable { .. } => "Name a file that is there and that this user can read.",
                SettingsError::Wrong { .. } | SettingsError::Conflict { .. } => {
                    "Correct it there; `tandem config example` shows every setting with its default."
                }
            };
            Failure::usage(chain(&error), what_to_do)
        })
    };
    crate::open_files::allow_all();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::new(format!("cannot start threads: {error}"), "Raise the limit of this user's processes.")
    })?;
    let code = runtime.block_on(async {
        match command {
            Command::Serve(arguments) => commands::serve::run(arguments, load()?).await,
            Command::Adopt(arguments) => commands::adopt::run(arguments, load()?).await,
            Command::Release(arguments) => commands::release::run(arguments, load()?).await,
            Command::Apply(arguments) => commands::apply::run(arguments, load()?).await,
            Command::Status(arguments) => commands::status::run(&arguments, load()?).await,
            Command::Bots(arguments) => commands::bots::run(arguments, load()?).await,
            Command::Apps(arguments) => commands::apps::run(arguments, load()?).await,
            Command::Connections(arguments) => commands::connections::run(arguments, load()?).await,
            Command::Lanes(arguments) => commands::lanes::run(arguments, load()?).await,
            Command::Held(arguments) => commands::held::run(arguments, load()?).await,
            Command::Replay(arguments) => commands::replay::run(arguments, load()?).await,
            Command::Rules(arguments) => commands::rules::run(arguments, load()?).await,
            Command::Doctor(arguments) => commands::doctor::run(arguments, load()?).await,
            Command::Amocrm(arguments) => commands::amocrm::run(arguments, load),
            Command::Config(arguments) => commands::config::run(&arguments, load),
            Command::Backup(arguments) => commands::backup::run(arguments, load()?).await,
            Command::Sandbox(arguments) => {
                commands::until_signal(async |stop| commands::sandbox::run(arguments, stop).await).await
            }
            Command::Demo(arguments) => {
                commands::until_signal(async |stop| demo::run(arguments, stop).await).await
            }
            Command::Reference { page } => {
                write_out(&match page {
                    Page::Commands => reference::commands(),
                    Page::Settings => reference::settings(),
                    Page::Metrics => reference::metrics(),
                })?;
                Ok(ExitCode::SUCCESS)
            }
        }
    });
    // Whatever still waits (a connection that was dropped at the hard stop) has no say any more.
    runtime.shutdown_background();
    code
}
