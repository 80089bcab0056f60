//! The whole service in a test: a sandbox, the real `tandem serve` beside it, and the network between them.
//!
//! Tandem runs as a process of its own, so that a kill is a kill. Nothing here knows more of it than its owner does:
//! its address, its control socket, its log, its database file.

#![allow(dead_code, reason = "each test program uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

pub(crate) mod channel;
/// What drives the programs of `clients/` and `examples/`, with or without a Tandem between.
#[path = "../../../sandbox/tests/support/mod.rs"]
pub(crate) mod driver;
pub(crate) mod poller;
pub(crate) mod shop;
pub(crate) mod tandem;
pub(crate) mod wire;

use std::time::Duration;

use tokio::time::Instant;

/// How long a condition may take to come true on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(45);

/// Looks until what is seen is as expected; fails with what was seen last.
pub(crate) async fn until<T: std::fmt::Debug>(
    what: &str,
    mut look: impl AsyncFnMut() -> anyhow::Result<T>,
    expected: impl Fn(&T) -> bool,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let seen = look().await?;
        if expected(&seen) {
            return Ok(seen);
        }
        anyhow::ensure!(Instant::now() < deadline, "in vain for {what}; seen last: {seen:#?}");
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
}
