//! How fast Tandem is beside nginx: durable intake, pass-through, time to a waiting poll; and what memory it takes.
//!
//! Every server is a process of its own: the stub that stands for Telegram, nginx before that stub, and Tandem, with a
//! database on disk. The load comes from this process, in one thread. All share the machine, so that wall-clock figures
//! include the load generator, which takes the same for both sides; they take their rounds in turn, and ratios count.
//!
//! This program is also Tandem and the stub: it is what it is called (its argument zero), so that one build makes all of
//! them, with the same profile.

#[path = "../../sandbox/src/connection.rs"]
mod connection;
mod delivery;
mod intake;
mod load;
#[path = "../../journal/src/machine.rs"]
#[expect(dead_code, reason = "of the journal's comparison only what it says of the machine is used")]
mod machine;
mod memory;
mod nginx;
mod pass;
mod process;
mod report;
#[path = "../../sandbox/src/spread.rs"]
mod spread;
mod stub;
mod tandem_process;
mod updates;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};

use report::Report;

/// Measures Tandem beside nginx (on Debian: apt-get install nginx-light).
#[derive(Debug, Parser)]
struct Arguments {
    /// Fewer and shorter rounds: whether it works, not how fast it is.
    #[arg(long)]
    quick: bool,
    /// The figures as JSON.
    #[arg(long)]
    json: bool,
    /// Only these.
    #[arg(long, value_delimiter = ',')]
    only: Vec<What>,
    /// Rounds that count, of each side.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Where the databases are. It should be a disk.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    directory: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Intake,
    Pass,
    Delivery,
    Memory,
}

/// How much is measured.
struct Extent {
    rounds: usize,
    round: Duration,
    backlog: u64,
    directory: PathBuf,
}

fn main() -> ExitCode {
    let called = std::env::args().next().unwrap_or_default();
    let done = match called.as_str() {
        tandem_process::NAME => return tandem::command_line::main(),
        stub::NAME => stub::serve(),
        _ => measure(&Arguments::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "a command's complaint")]
            {
                eprintln!("{error:#}");
            }
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let wanted = |what| arguments.only.is_empty() || arguments.only.contains(&what);
    let directory = tempfile::tempdir_in(&arguments.directory).context("a directory for the databases")?;
    let extent = Extent {
        rounds: if arguments.quick { 2 } else { arguments.rounds },
        round: Duration::from_millis(if arguments.quick { 400 } else { 1500 }),
        backlog: if arguments.quick { 10_000 } else { 100_000 },
        directory: directory.path().to_owned(),
    };
    let mut report = Report::begin(&arguments.directory)?;
    if wanted(What::Intake) {
        intake::measure(&extent, &mut report).await?;
    }
    if wanted(What::Pass) {
        pass::measure(&extent, &mut report).await?;
    }
    if wanted(What::Delivery) {
        delivery::measure(&extent, &mut report).await?;
    }
    if wanted(What::Memory) {
        memory::measure(&extent, &mut report).await?;
    }
    report.print(arguments.json)
}
