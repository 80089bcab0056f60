//! How fast Tandem is beside what people would use in its place, in one run: nginx before a stub, and the relay that
//! they write by hand; what memory it takes; how it starts; and where its time goes.
//!
//! Every server is a process of its own: the stub that stands for Telegram, nginx and the relay before that stub, and
//! Tandem, with a database on disk. The load comes from this process, in one thread. All share the machine, so that
//! wall-clock figures include the load generator, which takes the same for all sides; they take their rounds in turn, and
//! ratios count.
//!
//! This program is also Tandem, its sandbox and the stub: it is what it is called (its argument zero), so that one build
//! makes all of them, with the same profile. `bench/run` starts it.

mod backlog;
mod comparison;
#[path = "../../sandbox/src/connection.rs"]
mod connection;
mod delivery;
mod flame;
mod idle;
mod intake;
mod load;
#[path = "../../journal/src/machine.rs"]
#[expect(dead_code, reason = "of the journal's comparison only what it says of the machine is used")]
mod machine;
mod nginx;
mod pass;
mod process;
mod profile;
mod relay;
mod report;
#[path = "../../sandbox/src/spread.rs"]
mod spread;
mod stub;
mod tandem_process;
mod transfer;
mod updates;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};

use report::Report;

/// What the load comes over, in turn.
const CONNECTIONS: [usize; 3] = [1, 64, 256];

/// Measures Tandem beside nginx and the relay that people write.
#[derive(Debug, Parser)]
struct Arguments {
    /// Fewer and shorter rounds, fewer bots and a short backlog: whether it works, not how fast it is.
    #[arg(long)]
    quick: bool,
    /// The figures as JSON.
    #[arg(long)]
    json: bool,
    /// Only these.
    #[arg(long, value_delimiter = ',')]
    only: Vec<What>,
    /// Rounds that count, of each side [default: 7, quick: 2].
    #[arg(long)]
    rounds: Option<usize>,
    /// Where the databases are. It should be a disk.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    directory: PathBuf,
    /// Also profile Tandem in each row (with perf), and draw flame graphs here.
    #[arg(long, value_name = "DIRECTORY")]
    profile: Option<PathBuf>,
    /// The nginx to measure.
    #[arg(long, default_value = "nginx")]
    nginx: PathBuf,
    /// A Python with aiogram.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Intake,
    Pass,
    Send,
    Delivery,
    Transfer,
    Backlog,
    Idle,
}

/// How much is measured, with what.
#[derive(Debug, Clone)]
struct Extent {
    rounds: usize,
    round: Duration,
    backlog: u64,
    bots: usize,
    directory: PathBuf,
    profile: Option<PathBuf>,
    nginx: PathBuf,
    python: PathBuf,
}

impl Extent {
    /// How long a load lasts that is profiled.
    fn profiled(&self) -> Duration {
        self.round * 2
    }
}

fn main() -> ExitCode {
    let called = std::env::args().next().unwrap_or_default();
    let done = match called.as_str() {
        tandem_process::NAME => return tandem::command_line::main(),
        stub::NAME => stub::serve(),
        _ => measure(Arguments::parse()),
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
async fn measure(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { quick, json, only, rounds, directory, profile, nginx, python } = arguments;
    let place = tempfile::tempdir_in(&directory).context("a directory for the databases")?;
    let extent = Extent {
        rounds: rounds.unwrap_or(if quick { 2 } else { 7 }),
        round: Duration::from_millis(if quick { 400 } else { 1500 }),
        backlog: if quick { 10_000 } else { 1_000_000 },
        bots: if quick { 1_000 } else { 10_000 },
        directory: place.path().to_owned(),
        profile,
        nginx,
        python,
    };
    ensure!(extent.rounds > 0, "at least one round");
    let mut report = Report::begin(&directory, &extent.nginx)?;
    let done = measure_all(&only, &extent, &mut report).await;
    // What was measured is shown, whatever happened then.
    report.print(json)?;
    done
}

async fn measure_all(only: &[What], extent: &Extent, report: &mut Report) -> anyhow::Result<()> {
    for what in What::value_variants() {
        if !only.is_empty() && !only.contains(what) {
            continue;
        }
        match what {
            What::Intake => intake::measure(extent, report).await?,
            What::Pass => pass::measure(pass::PASS, extent, report).await?,
            What::Send => pass::measure(pass::SEND, extent, report).await?,
            What::Delivery => delivery::measure(extent, report).await?,
            What::Transfer => transfer::measure(extent, report).await?,
            What::Backlog => backlog::measure(extent, report).await?,
            What::Idle => idle::measure(extent, report).await?,
        }
    }
    Ok(())
}
