//! A load: so many kept connections that each send the next request as soon as the last is answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::task::JoinSet;

use crate::connection::Connection;

/// Writes the next request into an empty or used buffer.
pub(crate) type Requests = Arc<dyn Fn(&mut Vec<u8>) + Send + Sync>;

/// The same request each time.
pub(crate) fn always(request: Vec<u8>) -> Requests {
    Arc::new(move |buffer| request.clone_into(buffer))
}

/// What one round showed.
pub(crate) struct Round {
    pub(crate) answered: usize,
    pub(crate) per_second: f64,
    pub(crate) p50_us: f64,
}

/// Loads a server for so long.
pub(crate) async fn round(
    address: &str,
    connections: usize,
    length: Duration,
    requests: &Requests,
) -> anyhow::Result<Round> {
    let over = Arc::new(AtomicBool::new(false));
    let mut opened = Vec::new();
    for _ in 0..connections {
        opened.push(Connection::open(address).await?);
    }
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for mut connection in opened {
        let (requests, over) = (Arc::clone(requests), Arc::clone(&over));
        running.spawn(async move {
            let (mut request, mut times) = (Vec::new(), Vec::new());
            while !over.load(Ordering::Relaxed) {
                requests(&mut request);
                let sent = Instant::now();
                connection.call(&request).await?;
                times.push(sent.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    tokio::time::sleep(length).await;
    over.store(true, Ordering::Relaxed);
    let mut times = Vec::new();
    while let Some(done) = running.join_next().await {
        times.extend(done??);
    }
    let took = begun.elapsed();
    times.sort_unstable();
    Ok(Round {
        answered: times.len(),
        per_second: count(times.len()) / took.as_secs_f64(),
        p50_us: quantile_us(&times, 50).context("nothing was answered")?,
    })
}

/// A quantile in hundredths of durations that are in order, in microseconds.
pub(crate) fn quantile_us(times: &[Duration], hundredths: usize) -> Option<f64> {
    let at = (times.len() * hundredths / 100).min(times.len().checked_sub(1)?);
    Some(times[at].as_secs_f64() * 1e6)
}

/// A number of things as a figure.
#[expect(clippy::cast_precision_loss, reason = "nothing here is counted to 2^52")]
pub(crate) const fn count(things: usize) -> f64 {
    things as f64
}
