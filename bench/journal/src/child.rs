//! What is measured in a process of its own, because memory and start are those of a process.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::{appends::per_second, lanes::Drain, load::bot, machine::memory_mb, ours::Ours};

/// The journal that a child opens in its directory.
pub(crate) const FILE: &str = "ours.db";

/// What a child does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    /// Opens the journal.
    Start,
    /// Opens it, and drains it through one lane.
    Drain,
}

/// What a child found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Until the journal was open and had been asked for its end.
    pub(crate) start_ms: f64,
    /// Then.
    pub(crate) memory_mb: f64,
    /// The most memory at any time.
    pub(crate) most_memory_mb: f64,
    /// Zero when nothing was drained.
    pub(crate) events_per_second: f64,
}

/// Runs one and reads what it found.
pub(crate) fn spawn(work: Work, directory: &Path) -> Result<Found> {
    let name = work.to_possible_value().context("every work has a name")?;
    let output = Command::new(std::env::current_exe()?)
        .args(["--child", name.get_name(), "--directory"])
        .arg(directory)
        .output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The child.
pub(crate) async fn run(work: Work, directory: &Path) -> Result<()> {
    let began = Instant::now();
    let ours = Ours::open(&directory.join(FILE)).await?;
    let head = ours.store.head(bot()).await?;
    let start_ms = began.elapsed().as_secs_f64() * 1e3;
    let (memory, _) = memory_mb()?;
    let mut events_per_second = 0.0;
    if work == Work::Drain {
        let began = Instant::now();
        let drain = Drain::begin(&ours, 1).await?;
        let count = usize::try_from(head.last.get())?;
        drain.wait_for(count, Duration::from_mins(10)).await?;
        events_per_second = per_second(count, began.elapsed());
        drain.end().await;
    }
    let (_, most) = memory_mb()?;
    ours.store.close().await;
    let found = Found { start_ms, memory_mb: memory, most_memory_mb: most, events_per_second };
    println!("{}", serde_json::to_string(&found)?);
    Ok(())
}
