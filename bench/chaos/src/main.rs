//! `chaos`: one run, and its verdict.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use bench_chaos::plan::Extent;
use clap::Parser;

/// Lets everything go wrong around a Tandem, and says whether it kept its promises.
///
/// Ends with 0 if it did, with 1 if not, with 2 if the run itself failed.
#[derive(Debug, Parser)]
#[command(name = "chaos")]
struct Arguments {
    /// What makes the plan. The same seed makes the same plan.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often the service is killed.
    #[arg(long)]
    kills: Option<usize>,
    /// Fewer clients and shorter faults: every kind of fault once, in less than a minute.
    #[arg(long)]
    small: bool,
    /// The verdict as JSON.
    #[arg(long)]
    json: bool,
    /// Leave the service's log in this directory.
    #[arg(long)]
    keep: Option<PathBuf>,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command's answer and its complaint")]
fn main() -> ExitCode {
    if let Some(code) = bench_chaos::begin() {
        return code;
    }
    let arguments = Arguments::parse();
    let mut extent = if arguments.small { Extent::small() } else { Extent::full(100) };
    if let Some(kills) = arguments.kills {
        extent.kills = kills;
    }
    eprintln!("seed {}", arguments.seed);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let judged = runtime.block_on(bench_chaos::run(arguments.seed, extent, arguments.keep));
    runtime.shutdown_timeout(Duration::from_secs(1));
    match judged {
        Ok(verdict) => {
            if arguments.json {
                println!("{}", serde_json::to_string_pretty(&verdict).unwrap_or_default());
            } else {
                println!("{verdict}");
            }
            if verdict.clean { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}
