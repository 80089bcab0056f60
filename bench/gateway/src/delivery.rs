//! From the first byte of an update at the public listener to its bytes in the hands of an app that waits in a long
//! poll: at 1,000 updates a second, and when nothing else happens.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, interval_at},
};

use crate::{
    Extent,
    connection::{Connection, post},
    load::{count, quantile_us},
    profile,
    report::{Bar, Report},
    stub::Stub,
    tandem_process::Tandem,
    updates::Updates,
};

/// Enough that an answer that takes its time holds nobody up.
const CONNECTIONS: u32 = 64;
const A_SECOND: u32 = 1_000;
/// How long an update may take before it counts as lost.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// The parts of an update that count here.
#[derive(Deserialize)]
struct Update {
    update_id: i64,
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    /// When it was sent, in microseconds from the start.
    text: String,
}

#[derive(Deserialize)]
struct Answer {
    result: Vec<Update>,
}

pub(crate) async fn measure(extent: &Extent, report: &mut Report) -> anyhow::Result<()> {
    let stub = Stub::start().await?;
    let place = tempfile::tempdir_in(&extent.directory)?;
    let tandem = Tandem::start(place.path(), &stub).await?;
    let updates = Arc::new(Updates::new(&tandem.secret));
    let begin = Instant::now();
    let (arrived, mut delays) = mpsc::unbounded_channel();
    let (address, token) = (tandem.gateway.clone(), tandem.app_token.clone());
    let poller = tokio::spawn(async move {
        if let Err(error) = poll(&address, &token, begin, &arrived).await {
            // Nobody waits any more if this is not taken.
            let _ = arrived.send(Err(error));
        }
    });

    // The first round only warms up.
    let (mut p50, mut p99, mut rates) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=extent.rounds {
        let (sent, took) = send(&tandem.public, &updates, begin, extent.round).await?;
        let mut times = receive(&mut delays, sent).await?;
        times.sort_unstable();
        if round > 0 {
            p50.push(quantile_us(&times, 50).context("nothing arrived")? / 1e3);
            p99.push(quantile_us(&times, 99).context("nothing arrived")? / 1e3);
            rates.push(count(sent) / took.as_secs_f64());
        }
    }
    report.alone("webhook to waiting poll at 1,000/s, p50 in ms", &p50, Some(Bar::AtMost(2.0)));
    report.alone("webhook to waiting poll at 1,000/s, p99 in ms", &p99, Some(Bar::AtMost(15.0)));
    report.alone("… updates/s that were sent", &rates, None);

    let work = async {
        let (sent, _) = send(&tandem.public, &updates, begin, extent.profiled()).await?;
        receive(&mut delays, sent).await
    };
    let title = "webhook to a waiting poll, 1,000/s";
    profile::during(extent, report, "delivery", title, &tandem.server, work).await?;

    let mut idle = Vec::new();
    let mut connection = Connection::open(&tandem.public).await?;
    for _ in 0..extent.rounds {
        let mut times = Vec::new();
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            post_one(&mut connection, &updates, begin, &mut Vec::new()).await?;
            times.extend(receive(&mut delays, 1).await?);
        }
        times.sort_unstable();
        idle.push(quantile_us(&times, 50).context("nothing arrived")? / 1e3);
    }
    report.alone("webhook to waiting poll, idle, median in ms", &idle, None);
    poller.abort();
    Ok(())
}

/// Polls as an app does, and tells how long each update was under way.
async fn poll(
    address: &str,
    token: &str,
    begin: Instant,
    arrived: &mpsc::UnboundedSender<anyhow::Result<Duration>>,
) -> anyhow::Result<()> {
    let mut connection = Connection::open(address).await?;
    let mut offset = 0;
    loop {
        let body = format!(r#"{{"offset":{offset},"timeout":50}}"#);
        let answer = connection.call(&post(&format!("/bot{token}/getUpdates"), &body)).await?;
        let now = begin.elapsed();
        let Answer { result } = serde_json::from_slice(answer)?;
        for update in result {
            // The numbers that apps see grow, but may leave some out.
            ensure!(update.update_id >= offset, "an update came again or out of order");
            offset = update.update_id + 1;
            let sent = Duration::from_micros(update.message.text.parse()?);
            arrived.send(Ok(now.saturating_sub(sent))).context("nobody waits")?;
        }
    }
}

/// Sends at an even pace whatever the answers take, and says how many were sent, and in what time.
async fn send(
    address: &str,
    updates: &Arc<Updates>,
    begin: Instant,
    length: Duration,
) -> anyhow::Result<(usize, Duration)> {
    let period = Duration::from_secs(1) * CONNECTIONS / A_SECOND;
    let mut connections = Vec::new();
    for number in 0..CONNECTIONS {
        connections.push((number, Connection::open(address).await?));
    }
    let mut senders = JoinSet::new();
    let start = tokio::time::Instant::now();
    for (number, mut connection) in connections {
        let updates = Arc::clone(updates);
        senders.spawn(async move {
            let mut ticks = interval_at(start + period * number / CONNECTIONS, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let (mut request, mut sent) = (Vec::new(), 0);
            while ticks.tick().await < start + length {
                post_one(&mut connection, &updates, begin, &mut request).await?;
                sent += 1;
            }
            anyhow::Ok(sent)
        });
    }
    let mut sent = 0;
    while let Some(done) = senders.join_next().await {
        sent += done??;
    }
    Ok((sent, start.elapsed()))
}

async fn post_one(
    connection: &mut Connection,
    updates: &Updates,
    begin: Instant,
    request: &mut Vec<u8>,
) -> anyhow::Result<()> {
    updates.write(u64::try_from(begin.elapsed().as_micros())?, request);
    connection.call(request).await?;
    Ok(())
}

async fn receive(
    delays: &mut mpsc::UnboundedReceiver<anyhow::Result<Duration>>,
    sent: usize,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(sent);
    while times.len() < sent {
        let delay = tokio::time::timeout(LOST_AFTER, delays.recv()).await;
        let delay = delay.with_context(|| format!("{} of {sent} arrived", times.len()))?;
        times.push(delay.context("the poll ended")??);
    }
    Ok(times)
}
