//! How fast the journal and its lanes are, beside rusqlite alone in the same run (issue 3).
//!
//! `cargo run --release -p bench-journal -- [--quick] [--json] [--directory <where>]`
//!
//! Both sides take their rounds in turn, so that what else the machine does hits both; what is judged is the median
//! of the rounds' ratios. Absolute figures are those of one disk and one machine and say little by themselves.

#![expect(clippy::print_stdout, reason = "a program whose output is its purpose")]

mod appends;
mod backlog;
mod bare;
mod child;
mod handover;
mod lanes;
mod load;
mod machine;
mod ours;
mod report;
mod retention;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, ValueEnum};

use crate::report::Report;

/// Measures the journal beside rusqlite alone.
#[derive(Debug, Parser)]
struct Arguments {
    /// Fewer rows and rounds: for trying things out, not for figures that are written down.
    #[arg(long)]
    quick: bool,
    /// Print everything, every round included, as JSON.
    #[arg(long)]
    json: bool,
    /// Where the databases are made; the disk they are on is part of the result.
    #[arg(long)]
    directory: Option<PathBuf>,
    /// Only these parts.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Part>,
    /// What a process of its own measures for this program.
    #[arg(long, hide = true)]
    child: Option<child::Work>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Appends,
    Lanes,
    Backlog,
    Retention,
}

/// How much of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Quick,
    Full,
}

impl Scale {
    fn rounds(self) -> usize {
        match self {
            Self::Quick => 5,
            Self::Full => 15,
        }
    }

    /// Rows of one round.
    fn appends(self, writers: usize) -> usize {
        let full = match writers {
            1 => 400,
            2..=8 => 3_200,
            _ => 16_000,
        };
        match self {
            Self::Quick => full / 4,
            Self::Full => full,
        }
    }

    fn backlog(self) -> usize {
        match self {
            Self::Quick => 100_000,
            Self::Full => 1_000_000,
        }
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let directory = arguments.directory.unwrap_or_else(std::env::temp_dir);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if let Some(work) = arguments.child {
        return runtime.block_on(child::run(work, &directory));
    }
    let scale = if arguments.quick { Scale::Quick } else { Scale::Full };
    let wanted = |part| arguments.only.is_empty() || arguments.only.contains(&part);
    let mut report = Report { machine: machine::describe(&directory)?, ..Report::default() };
    runtime.block_on(async {
        if wanted(Part::Appends) {
            appends::measure(&directory, scale, &mut report).await?;
        }
        if wanted(Part::Lanes) {
            lanes::measure(&directory, scale, &mut report).await?;
        }
        if wanted(Part::Backlog) {
            backlog::measure(&directory, scale, &mut report).await?;
        }
        if wanted(Part::Retention) {
            retention::measure(&directory, scale, &mut report).await?;
        }
        anyhow::Ok(())
    })?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        println!("{}", report.table());
    }
    Ok(())
}
