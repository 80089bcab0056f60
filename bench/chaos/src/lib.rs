//! Tandem under everything that can go wrong at once, and an independent judge of what came of it.
//!
//! The real `tandem serve` runs as a child process, with a disk and a clock that can fail, between a network that
//! fails, a Telegram and a CRM of the sandbox's, a relay's receiver and two apps; it is killed at random moments and
//! started again. One seed makes the plan of all of it ([`plan`]); [`checker`] judges by what was seen from outside.
//!
//! `docs/RELIABILITY.md` tells what is promised and what was seen.

mod apps;
pub mod checker;
mod clients;
mod disk;
mod faults;
pub mod history;
mod http;
pub mod plan;
mod receiver;
mod run;
pub mod seen;
mod shim;
mod supervisor;
mod tandem;
mod verdict;
mod wire;
mod world;

use std::process::ExitCode;

pub use run::run;
pub use verdict::Verdict;

/// To be called first thing in `main`: this program is also Tandem (by its argument zero), and begins itself again
/// where it may mount a disk of its own.
pub fn begin() -> Option<ExitCode> {
    if std::env::args().next().as_deref() == Some(tandem::NAME) {
        return Some(::tandem::command_line::main());
    }
    disk::enter();
    None
}
