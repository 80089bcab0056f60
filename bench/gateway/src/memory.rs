//! The memory of Tandem with one bot: when it has just started, with a backlog that nobody has fetched, and after it was
//! fetched.

use std::{
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
const BAR: Bar = Bar::AtMost(30.0);

pub(crate) async fn measure(extent: &Extent, report: &mut Report) -> anyhow::Result<()> {
    let stub = Stub::start().await?;
    let tandem = Tandem::start(&extent.directory, "memory", &stub).await?;
    // What starting took is given back, or not.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (started, _) = tandem.server.memory_mb()?;
    report.alone("memory with one bot, MB", &[started], BAR);

    fill(&tandem, extent.backlog).await?;
    let (filled, _) = tandem.server.memory_mb()?;
    report.alone(&format!("memory with a backlog of {}, MB", extent.backlog), &[filled], BAR);

    let fetched = drain(&tandem).await?;
    ensure!(fetched == extent.backlog, "{fetched} of {} were fetched", extent.backlog);
    let (drained, most) = tandem.server.memory_mb()?;
    report.alone("memory when it has been fetched, MB", &[drained], BAR);
    report.alone("the most memory at any time, MB", &[most], Bar::None);
    Ok(())
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
