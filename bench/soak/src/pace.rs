//! Doing something so many times at an even pace, whatever each takes.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use tokio::{
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::connection::Connection;

/// Does it `total` times, `per_second`, over a few connections to one address. `each` writes the request of a turn;
/// turns begin at 0. What is late is made up for.
pub(crate) async fn post(
    address: &str,
    total: u64,
    per_second: f64,
    each: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static,
    done: impl Fn(u64) + Send + Sync + 'static,
) -> anyhow::Result<()> {
    const CONNECTIONS: u32 = 8;
    let period = Duration::from_secs_f64(f64::from(CONNECTIONS) / per_second);
    let (each, done) = (Arc::new(each), Arc::new(done));
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for worker in 0..CONNECTIONS {
        let (each, done) = (Arc::clone(&each), Arc::clone(&done));
        let mut connection = Connection::open(address).await?;
        workers.spawn(async move {
            let mut ticks = interval_at(start + period * worker / CONNECTIONS, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut turn = u64::from(worker);
            while turn < total {
                ticks.tick().await;
                connection.call(&each(turn)).await.with_context(|| format!("turn {turn} was not taken"))?;
                done(turn);
                turn += u64::from(CONNECTIONS);
            }
            anyhow::Ok(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(())
}
