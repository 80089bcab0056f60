//! A soak: many bots of which few are active, a long backlog, and for an hour whether anything grows that should not.
//!
//! `tandem serve` and `tandem sandbox` are processes of their own, so that the memory that is measured is Tandem's
//! alone; this program is the clients, the owner's apps and the receivers of routes. What happens is fixed by amounts,
//! which a pace spreads over the time: a run of seconds does the same as one of an hour. It ends with a verdict on what
//! was lost and what grew, never on how long anything took. `scripts/soak` starts it.
//!
//! This program is also Tandem: it is what it is called (its argument zero), so that one build makes all of it.

mod apps;
mod backlog;
mod bots;
mod clients;
#[path = "../../sandbox/src/connection.rs"]
mod connection;
mod history;
mod judge;
#[path = "../../journal/src/machine.rs"]
#[expect(dead_code, reason = "of the journal's comparison only what it says of the machine is used")]
mod machine;
mod measure;
mod outcome;
mod pace;
mod plan;
mod plot;
mod process;
mod report;
mod scene;
mod soak;
mod tally;

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use history::History;
use plan::Plan;

/// Runs Tandem with many bots and a long backlog, and sees whether anything is lost or grows.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    with: Option<With>,
    #[command(flatten)]
    plan: Plan,
    /// The verdict and what was measured as JSON.
    #[arg(long)]
    json: bool,
    /// Write everything that was measured here, for `judge` and `plot`.
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Draw it here.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// What can be done with a run that is over.
#[derive(Debug, Subcommand)]
enum With {
    /// Judge what a run has written.
    Judge {
        /// Written by --history.
        history: PathBuf,
        /// The verdict and what was measured as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Draw what a run has written.
    Plot {
        /// Written by --history.
        history: PathBuf,
        /// The drawing.
        svg: PathBuf,
    },
}

fn main() -> ExitCode {
    if std::env::args().next().as_deref() == Some(process::TANDEM) {
        return tandem::command_line::main();
    }
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a command's complaint")]
            {
                eprintln!("{error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { with, plan, json, history, svg } = arguments;
    match with {
        Some(With::Judge { history, json }) => {
            let measured = read(&history)?;
            report::print(&measured, &judge::judge(&measured), json)
        }
        Some(With::Plot { history, svg }) => {
            fs::write(&svg, plot::draw(&read(&history)?))?;
            Ok(ExitCode::SUCCESS)
        }
        None => {
            let measured = soak::run(plan)?;
            if let Some(file) = history {
                fs::write(&file, serde_json::to_vec(&measured)?)
                    .with_context(|| file.display().to_string())?;
            }
            if let Some(file) = svg {
                fs::write(&file, plot::draw(&measured)).with_context(|| file.display().to_string())?;
            }
            report::print(&measured, &judge::judge(&measured), json)
        }
    }
}

fn read(file: &PathBuf) -> anyhow::Result<History> {
    let text = fs::read(file).with_context(|| file.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no history of a soak", file.display()))
}
