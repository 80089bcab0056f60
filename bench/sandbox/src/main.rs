//! How fast the sandbox is: calls a second beside the npm package telegram-test-api, and a thousand bots at once.
//!
//! The servers run as processes of their own, the load comes from this one; all share the machine. Wall-clock figures
//! therefore include the load generator, which takes the same for both; the CPU time of each server is given beside them.

mod bots;
mod calls;
mod connection;
mod peer;
mod serve;
mod spread;
mod tally;
mod webhooks;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measures the sandbox")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// getMe and sendMessage a second: the sandbox and telegram-test-api in turn.
    Calls(calls::Options),
    /// Many bots at once: updates pushed at a steady rate, polled or taken by webhooks.
    Bots(bots::Options),
    /// The sandbox alone, as the other commands start it: prints its addresses, ends with its standard input.
    #[command(hide = true)]
    Serve,
}

fn main() -> ExitCode {
    let done = match Arguments::parse().what {
        What::Calls(options) => calls::measure(&options),
        What::Bots(options) => bots::measure(&options),
        What::Serve => serve::serve(),
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
