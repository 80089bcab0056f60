//! What people and programs read on standard output.

mod table;
pub(crate) mod words;

use std::io::{self, Write as _};

use clap::Args;
use serde::Serialize;
use serde_json::json;
use tandem_bridge::operations::{Refusal, Response};

use crate::Failure;
pub(crate) use table::Table;

/// Whether a person or a program reads.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Format {
    /// Print JSON; times are milliseconds since 1970
    #[arg(long, global = true)]
    json: bool,
}

impl Format {
    /// Prints an answer as JSON or in words.
    pub(crate) fn print(self, response: &Response, in_words: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { print_json(response) } else { write_out(&in_words()) }
    }

    /// Prints what is no answer of an operation.
    pub(crate) fn print_value(
        self,
        value: &impl Serialize,
        in_words: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json { print_json(value) } else { write_out(&in_words()) }
    }

    /// For the program that reads: what was refused.
    pub(crate) fn print_refusal(self, refusal: &Refusal) {
        if self.json {
            // The refusal stands on standard error too.
            print_json(&json!({ "refused": refusal })).ok();
        }
    }
}

fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(|error| Failure::of(&error))?;
    text.push('\n');
    write_out(&text)
}

/// Writes to standard output. A reader that has gone away wants no more.
pub(crate) fn write_out(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write the output: {error}"), "See where standard output goes."))
        }
        _ => Ok(()),
    }
}
