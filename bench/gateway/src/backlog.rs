//! Tandem with one bot: its memory when it has just started, with a backlog that nobody has fetched, and after it was
//! fetched; and how long it takes to start, with nothing and with that backlog.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    Extent,
    connection::{Connection, post},
    report::{Bar, Report},
    stub::Stub,
    tandem_process::Tandem,
    updates::Updates,
};

/// Of one bot at most, in MB (DESIGN section 9).
const MEMORY: Option<Bar> = Some(Bar::AtMost(30.0));
/// With the backlog, in ms.
const START: Option<Bar> = Some(Bar::AtMost(200.0));

pub(crate) async fn measure(extent: &Extent, report: &mut Report) -> anyhow::Result<()> {
    let place = tempfile::tempdir_in(&extent.directory)?;
    // A copy that nobody runs, so that the kernel can forget it.
    let copy = place.path().join("program");
    std::fs::copy(std::env::current_exe()?, &copy)?;
    let stub = Stub::start().await?;
    let mut tandem = Tandem::start(&place.path().join("backlog"), &stub).await?;
    starts(extent, report, "without a backlog", &mut tandem, &copy, None).await?;
    // What starting took is given back, or not.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (started, _) = tandem.server.memory_mb()?;
    report.alone("memory with one bot, MB", &[started], MEMORY);

    fill(&tandem, extent.backlog).await?;
    let backlog = format!("with a backlog of {}", extent.backlog);
    let (filled, _) = tandem.server.memory_mb()?;
    report.alone(&format!("memory {backlog}, MB"), &[filled], MEMORY);
    starts(extent, report, &backlog, &mut tandem, &copy, START).await?;

    let fetched = drain(&tandem).await?;
    ensure!(fetched == extent.backlog, "{fetched} of {} were fetched", extent.backlog);
    let (drained, most) = tandem.server.memory_mb()?;
    report.alone("memory when it has been fetched, MB", &[drained], MEMORY);
    report.alone("the most memory while it was fetched, MB", &[most], None);
    Ok(())
}

/// Starts it again and again: as it is, and with neither program nor database in the kernel's cache.
async fn starts(
    extent: &Extent,
    report: &mut Report,
    with: &str,
    tandem: &mut Tandem,
    copy: &Path,
    bar: Option<Bar>,
) -> anyhow::Result<()> {
    let (mut warm, mut cold) = (Vec::new(), Vec::new());
    for _ in 0..extent.rounds {
        tandem.end()?;
        for file in files(tandem.directory())?.iter().map(PathBuf::as_path).chain([copy]) {
            forget(file)?;
        }
        tandem.start_again(Some(copy)).await?;
        cold.push(tandem.server.started_in.as_secs_f64() * 1e3);
        tandem.start_again(None).await?;
        warm.push(tandem.server.started_in.as_secs_f64() * 1e3);
    }
    report.alone(&format!("start {with}, ms"), &warm, bar);
    report.alone(&format!("cold start {with}, nothing in the page cache, ms"), &cold, None);
    Ok(())
}

fn files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Has the kernel drop what it holds of a file.
fn forget(file: &Path) -> anyhow::Result<()> {
    let file = std::fs::File::open(file)?;
    // What is not on disk yet stays.
    file.sync_all()?;
    Ok(rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?)
}

/// Posts so many updates over 64 connections.
async fn fill(tandem: &Tandem, count: u64) -> anyhow::Result<()> {
    let (updates, left) = (Arc::new(Updates::new(&tandem.secret)), Arc::new(AtomicU64::new(count)));
    let mut senders = JoinSet::new();
    for _ in 0..64 {
        let mut connection = Connection::open(&tandem.public).await?;
        let (updates, left) = (Arc::clone(&updates), Arc::clone(&left));
        senders.spawn(async move {
            let mut request = Vec::new();
            while left.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                updates.write(0, &mut request);
                connection.call(&request).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = senders.join_next().await {
        done??;
    }
    Ok(())
}

/// Fetches everything as an app does, and says how much that was.
async fn drain(tandem: &Tandem) -> anyhow::Result<u64> {
    let mut connection = Connection::open(&tandem.gateway).await?;
    let path = format!("/bot{}/getUpdates", tandem.app_token);
    let (mut offset, mut fetched) = (0, 0);
    loop {
        let request = post(&path, &format!(r#"{{"offset":{offset},"timeout":0}}"#));
        let answer: Value = serde_json::from_slice(connection.call(&request).await?)?;
        let result = answer["result"].as_array().map_or(&[][..], Vec::as_slice);
        let Some(last) = result.last() else { return Ok(fetched) };
        offset = last["update_id"].as_i64().unwrap_or_default() + 1;
        fetched += u64::try_from(result.len())?;
    }
}
