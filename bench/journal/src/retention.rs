//! How fast events that have lived their time go.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;
use tandem_journal::Retention;

use crate::{
    Scale,
    appends::per_second,
    bare::Bare,
    load::{Load, bot},
    ours::Ours,
    report::{Report, Rounds, Row},
};

/// Events that go in one commit.
const STEP: usize = 1000;
/// Events that are appended at once to have something to delete.
const BATCH: usize = 1000;

pub(crate) async fn measure(directory: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    let directory = tempfile::tempdir_in(directory)?;
    let mut bare = Bare::create(&directory.path().join("bare.db"))?;
    let ours = Ours::open(&directory.path().join("ours.db")).await?;
    let mut load = Load::new(200_000);
    let rows = scale.backlog() / 10;
    for _ in 0..(rows * scale.rounds()).div_ceil(BATCH) {
        let events = load.next_events(BATCH);
        bare.append(&events, BATCH)?;
        ours.append_at_once(events).await?;
    }
    let all = Retention { keep: Duration::ZERO, at_most: Duration::ZERO, max_bytes: None };
    let (mut of_bare, mut of_ours) = (Rounds::default(), Rounds::default());
    for round in 0..scale.rounds() {
        let began = Instant::now();
        bare.delete(round * rows, rows, STEP)?;
        of_bare.push(per_second(rows, began.elapsed()));
        let began = Instant::now();
        let mut deleted = 0;
        while deleted < rows {
            let swept = ours.store.sweep(ours.lease, bot(), all, STEP.min(rows - deleted)).await?;
            deleted += usize::try_from(swept.deleted)?;
            anyhow::ensure!(swept.deleted > 0 || swept.more, "nothing is left to delete");
        }
        of_ours.push(per_second(deleted, began.elapsed()));
    }
    ours.store.close().await;
    report.rows.push(Row {
        what: format!("retention, {STEP} events a commit"),
        unit: "events/s",
        ours: of_ours,
        against: Some(("bare deletes", of_bare)),
        bar: None,
    });
    Ok(())
}
