//! A backlog of a million events: how fast a lane drains it, and what it costs in memory and at the start.

use std::{path::Path, time::Instant};

use anyhow::Result;

use crate::{
    Scale,
    appends::per_second,
    bare::Bare,
    child::{self, Work},
    load::Load,
    ours::Ours,
    report::{Bar, Report, Rounds, Row},
};

const BATCH: usize = 1000;
/// What a lane reads at a time, at most.
const PAGE: i64 = 256;
/// With a million events (DESIGN section 9).
const START_MS: f64 = 200.0;

pub(crate) async fn measure(directory: &Path, scale: Scale, report: &mut Report) -> Result<()> {
    let (empty, full) = (tempfile::tempdir_in(directory)?, tempfile::tempdir_in(directory)?);
    Ours::open(&empty.path().join(child::FILE)).await?.store.close().await;
    let ours = Ours::open(&full.path().join(child::FILE)).await?;
    let mut bare = Bare::create(&full.path().join("bare.db"))?;
    let mut load = Load::new(200_000);
    let count = scale.backlog();
    for _ in 0..count / BATCH {
        let events = load.next_events(BATCH);
        bare.append(&events, BATCH)?;
        ours.append_at_once(events).await?;
    }
    ours.store.close().await;

    let (mut start, mut start_empty) = (Rounds::default(), Rounds::default());
    let (mut memory, mut memory_empty) = (Rounds::default(), Rounds::default());
    for _ in 0..scale.rounds() {
        let found = child::spawn(Work::Start, empty.path())?;
        start_empty.push(found.start_ms);
        memory_empty.push(found.memory_mb);
        let found = child::spawn(Work::Start, full.path())?;
        start.push(found.start_ms);
        memory.push(found.memory_mb);
    }
    let (mut drained, mut most, mut drained_bare) = (Rounds::default(), Rounds::default(), Rounds::default());
    for _ in 0..3 {
        let began = Instant::now();
        let read = bare.drain(PAGE)?;
        drained_bare.push(per_second(read, began.elapsed()));
        let found = child::spawn(Work::Drain, full.path())?;
        drained.push(found.events_per_second);
        most.push(found.most_memory_mb);
    }
    let with = format!("with a backlog of {count}");
    report.rows.extend([
        Row {
            what: format!("drain of a backlog of {count} through one lane"),
            unit: "events/s",
            ours: drained,
            against: Some(("bare pages and cursor", drained_bare)),
            bar: None,
        },
        Row {
            what: format!("start {with}"),
            unit: "ms",
            ours: start,
            against: None,
            bar: Some(Bar::AtMost(START_MS)),
        },
        Row { what: "start, empty".to_owned(), unit: "ms", ours: start_empty, against: None, bar: None },
        Row {
            what: format!("memory after start {with}"),
            unit: "MB",
            ours: memory,
            against: Some(("empty", memory_empty.clone())),
            bar: None,
        },
        Row {
            what: "memory at most while draining it".to_owned(),
            unit: "MB",
            ours: most,
            against: Some(("empty, after start", memory_empty)),
            bar: None,
        },
    ]);
    Ok(())
}
