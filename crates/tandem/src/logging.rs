//! The log: on standard error, for people or as JSON, by a filter in the language of `RUST_LOG`.
//!
//! No code of ours logs a secret. But libraries below may be asked for their own traces by the filter, so what
//! looks like a bot's token is masked on its way out, whoever wrote it.

use std::io::{self, Write};

use tandem_telegram::token::redact;
use tracing_subscriber::EnvFilter;

use crate::{
    failure::Failure,
    settings::{Log, LogFormat},
};

/// Begins logging. Only the first call in a process does anything, so that tests may call it again.
pub(crate) fn init(log: &Log) -> Result<(), Failure> {
    let filter = EnvFilter::builder().parse(&log.filter).map_err(|error| {
        Failure::usage(
            format!("log.filter is not a filter: {error}"),
            "Write a level, or levels by part, such as info or info,tandem_lanes=debug.",
        )
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| Masked(io::stderr()));
    // Somebody who logs already goes on.
    let _ = match log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// Masks what looks like a token in each line that goes through.
struct Masked<W>(W);

impl<W: Write> Write for Masked<W> {
    /// The formatter hands over each line whole, so no token is cut in two.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(redact(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_masked_and_nothing_else() {
        let token = "42:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0";
        let mut written = Vec::new();
        let line = format!("12:30:01 a {token} b /bot{token}/getMe\n");
        Masked(&mut written).write_all(line.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "12:30:01 a 42:.. b /bot42:../getMe\n");
    }

    #[test]
    fn a_filter_that_is_none_is_named() {
        let log = Log { format: LogFormat::Text, filter: "tandem=loud".to_owned() };
        let failure = init(&log).unwrap_err().to_string();
        assert!(failure.contains("log.filter") && failure.contains("info"), "{failure}");
    }
}
