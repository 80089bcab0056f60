//! One module a command: its arguments with their help, what it asks for, and what a person reads of the answer.
//!
//! None of them decides anything: they ask the bridge, in the process that has the database open ([`ask`]).

pub(crate) mod config;
pub(crate) mod sandbox;
pub(crate) mod serve;
pub(crate) mod signals;
