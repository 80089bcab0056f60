//! The program as people, scripts and service managers meet it: the real binary as a child process, against the
//! sandbox as another.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected has failed")]

mod adopting;
mod applying;
mod apps;
mod asking;
mod documents;
mod hostile;
mod serving;
mod settings;
mod world;
