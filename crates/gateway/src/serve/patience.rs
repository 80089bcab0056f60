//! How long one waits for somebody to bring or to take bytes.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

/// Waiting uses it up and bytes win it back, up to what there was at first. So a peer may pause, and may be slow, but
/// not send a byte now and then for ever.
#[derive(Debug)]
pub(super) struct Patience {
    most: Duration,
    bytes_per_sec: u32,
    left: Duration,
    waiting_since: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub(super) const fn new(most: Duration, bytes_per_sec: u32) -> Self {
        Self { most, bytes_per_sec, left: most, waiting_since: None, timer: None }
    }

    /// Bytes have moved.
    pub(super) fn moved(&mut self, bytes: usize) {
        let waited = self.waiting_since.take().map_or(Duration::ZERO, |since| since.elapsed());
        let won = (bytes as u64).saturating_mul(1000) / u64::from(self.bytes_per_sec.max(1));
        self.left =
            self.left.saturating_sub(waited).saturating_add(Duration::from_millis(won)).min(self.most);
    }

    /// Nothing moves: ready when that has lasted too long.
    pub(super) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        let until = since + self.left;
        // Made when there is first something to wait for: most bodies are here at once.
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        timer.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn waits(patience: &mut Patience, secs: u64) -> bool {
        let lost = std::future::poll_fn(|cx| patience.poll_lost(cx));
        tokio::time::timeout(Duration::from_secs(secs), lost).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_forgiven_and_silence_is_not() {
        let mut patience = Patience::new(Duration::from_mins(1), 256);
        assert!(waits(&mut patience, 59).await);
        patience.moved(64 << 10);
        assert!(waits(&mut patience, 59).await, "what came won it back");
        patience.moved(64 << 10);
        assert!(!waits(&mut patience, 61).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_is_not_enough() {
        let mut patience = Patience::new(Duration::from_mins(1), 256);
        let mut bytes = 0;
        while waits(&mut patience, 10).await {
            patience.moved(1);
            bytes += 1;
        }
        assert_eq!(bytes, 6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_line_gets_fifty_megabytes_through() {
        let mut patience = Patience::new(Duration::from_mins(1), 256);
        for _ in 0..(50 << 20) / 14_000 {
            assert!(waits(&mut patience, 50).await, "14,000 bytes every fifty seconds are 280 a second");
            patience.moved(14_000);
        }
    }
}
