//! What has arrived so far, however it came: nothing may be missing, and each bot's updates must come in order.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use serde::Deserialize;

/// The parts of an update that count here.
#[derive(Deserialize)]
pub(crate) struct Update {
    update_id: i64,
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    /// When the update was pushed, in microseconds from the start.
    text: String,
}

/// Counts the updates of all bots.
pub(crate) struct Tally {
    begin: Instant,
    expected: u64,
    received: AtomicU64,
    arrived: Mutex<Arrived>,
}

struct Arrived {
    /// By bot: the id that must come next.
    next: Vec<Option<i64>>,
    delays_us: Vec<u64>,
}

impl Tally {
    pub(crate) fn new(bots: usize, expected: u64) -> Self {
        let arrived = Arrived { next: vec![None; bots], delays_us: Vec::new() };
        Self { begin: Instant::now(), expected, received: AtomicU64::new(0), arrived: Mutex::new(arrived) }
    }

    /// Microseconds from the start, as the text of an update that is pushed now.
    pub(crate) fn now_us(&self) -> u128 {
        self.begin.elapsed().as_micros()
    }

    /// Counts an update; an error if it is not the one after the last.
    pub(crate) fn take(&self, bot: usize, update: &Update) -> anyhow::Result<i64> {
        let now_us = u64::try_from(self.now_us())?;
        let pushed_us: u64 = update.message.text.parse()?;
        let mut arrived = self.arrived.lock().unwrap_or_else(PoisonError::into_inner);
        let next = arrived.next.get_mut(bot).context("an update of no bot")?;
        let id = update.update_id;
        ensure!(next.is_none_or(|next| next == id), "bot {bot} got {id}, not {next:?}");
        *next = Some(id + 1);
        arrived.delays_us.push(now_us.saturating_sub(pushed_us));
        self.received.fetch_add(1, Ordering::Relaxed);
        Ok(id)
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.received.load(Ordering::Relaxed) == self.expected
    }

    /// Waits until everything has arrived.
    pub(crate) async fn complete(&self) -> anyhow::Result<()> {
        let limit = Instant::now() + Duration::from_secs(20);
        while !self.is_complete() {
            let received = self.received.load(Ordering::Relaxed);
            ensure!(Instant::now() < limit, "received {received} of {}", self.expected);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// From push to arrival, shortest first.
    pub(crate) fn delays_us(&self) -> Vec<u64> {
        let mut delays = self.arrived.lock().unwrap_or_else(PoisonError::into_inner).delays_us.clone();
        delays.sort_unstable();
        delays
    }
}
