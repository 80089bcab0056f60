//! The `tandem` program as a library: the very functions that `main` calls, for tests and the demo to call too.
//!
//! [`run`] is the service; it takes its listeners, time and randomness from outside and returns when it is told to
//! stop. [`command_line`] reads arguments and runs one command. Everything the product does is in the crates below:
//! here are settings, wiring, the control socket, and what people read in a terminal.

pub mod clock;
pub mod command_line;
mod commands;
mod console;
pub mod control;
mod demo;
mod failure;
mod logging;
mod open_files;
mod output;
pub mod reference;
mod serve;
pub mod settings;

pub use failure::Failure;
pub use serve::{Listeners, RunError, Service, Stop, run};
