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

pub(crate) async fn measure(directory: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    for conversations in [200, 200_000] {
        for writers in [1, 8, 64] {
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
    let rows = scale.appends(writers);
    let (mut of_bare, mut of_handover, mut of_ours) =
        (Rounds::default(), Rounds::default(), Rounds::default());
    // The first round fills caches and counts for nothing.
    for round in 0..=scale.rounds() {
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
        if round > 0 {
            for (rounds, took) in
                [(&mut of_bare, bare_took), (&mut of_handover, handover_took), (&mut of_ours, ours_took)]
            {
                rounds.push(per_second(rows, took));
            }
        }
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
