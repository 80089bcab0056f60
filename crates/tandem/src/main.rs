//! The `tandem` program: reads the command line, runs one command, tells its caller how that went.
//!
//! A command ends when its work is done or when SIGINT or SIGTERM arrives; either way everything it started has
//! ended before the process does.

mod commands;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// One Telegram bot, your own code and your CRM at the same time.
#[derive(Debug, Parser)]
#[command(name = "tandem", version, propagate_version = true)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Sandbox(commands::sandbox::Arguments),
}

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let filter = EnvFilter::try_from_env("TANDEM_LOG").unwrap_or_else(|_unset| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    match run(command_line.command) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            writeln!(io::stderr(), "tandem: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let signals = commands::signals::watch(stop.clone())?;
        let code = match command {
            Command::Sandbox(arguments) => commands::sandbox::run(arguments, stop).await,
        };
        signals.abort();
        code
    })
}
