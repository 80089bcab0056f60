//! Appends per second by how many writers wait and over how many conversations they spread.

use std::{path::Path, time::Instant};

use anyhow::Result;

use crate::{
    Scale,
    bare::Bare,
    handover::Handover,
    load::Load,
    ours::Ours,
    report::{Bar, Report, Rounds, Row},
};

/// Of the bare loop, with the same tables and indexes.
const BAR: f64 = 0.6;
const MOST_WRITERS: usize = 64;
/// More than the 4,000 pages after which the log begins anew.
pub(crate) const WARM_UP: usize = 20_000;

pub(crate) async fn measure(directory: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    for conversations in [200, 200_000] {
        for writers in [1, 8, MOST_WRITERS] {
            measure_case(directory, scale, conversations, writers, report).await?;
        }
    }
    Ok(())
}

async fn measure_case(
    directory: &Path,
    scale: Scale,
    conversations: u64,
    writers: usize,
    report: &mut Report,
) -> Result<()> {
    let directory = tempfile::tempdir_in(directory)?;
    let mut bare = Bare::create(&directory.path().join("bare.db"))?;
    let handover = Handover::create(&directory.path().join("handover.db"))?;
    let ours = Ours::open(&directory.path().join("ours.db")).await?;
    let mut load = Load::new(conversations);
    // Until the log has been round once: a file that still grows costs more at each fsync than one that does not.
    let events = load.next_events(WARM_UP);
    bare.append(&events, MOST_WRITERS)?;
    handover.append(events.clone(), MOST_WRITERS).await?;
    ours.append(events, MOST_WRITERS).await?;
    let rows = scale.appends(writers);
    let (mut of_bare, mut of_handover, mut of_ours) =
        (Rounds::default(), Rounds::default(), Rounds::default());
    let mut groups = Rounds::default();
    let mut counted = ours.store.stats().await?;
    for _ in 0..scale.rounds() {
        let events = load.next_events(rows);
        let began = Instant::now();
        bare.append(&events, writers)?;
        let bare_took = began.elapsed();
        let again = events.clone();
        let began = Instant::now();
        handover.append(again, writers).await?;
        let handover_took = began.elapsed();
        let began = Instant::now();
        ours.append(events, writers).await?;
        let ours_took = began.elapsed();
        let stats = ours.store.stats().await?;
        let commits = stats.commits - counted.commits;
        counted = stats;
        groups.push(ratio(rows, commits));
        of_bare.push(per_second(rows, bare_took));
        of_handover.push(per_second(rows, handover_took));
        of_ours.push(per_second(rows, ours_took));
    }
    ours.store.close().await;
    let what = format!("append, {writers} waiting, {conversations} conversations");
    report.rows.push(Row {
        what: what.clone(),
        unit: "rows/s",
        ours: of_ours.clone(),
        against: Some(("bare loop", of_bare)),
        bar: Some(Bar::AtLeast(BAR)),
    });
    if writers > 1 {
        report.rows.push(Row {
            what: format!("{what}: rows in a commit"),
            unit: "rows",
            ours: groups,
            against: None,
            bar: None,
        });
    }
    report.rows.push(Row {
        what,
        unit: "rows/s",
        ours: of_ours,
        against: Some(("bare writer thread", of_handover)),
        bar: None,
    });
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(crate) fn per_second(count: usize, took: std::time::Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(rows: usize, commits: u64) -> f64 {
    rows as f64 / commits.max(1) as f64
}
