//! What keeps the store well while the bridge runs: leases are renewed, what has lived its time is deleted, and free
//! space is given back.

use std::time::Duration;

use tandem_journal::{LeaseError, WriteError};
use tandem_lanes::LeaseSource;
use tandem_model::{BotId, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::{Bridge, Ownership, bridge::Chain};

/// How many events one step deletes at most: a step holds the store's writer.
const SWEEP_EVENTS: usize = 2000;
/// How many bytes one step gives back at most.
const VACUUM_BYTES: u64 = 4 << 20;
/// Between two steps, so that appends come first.
const BETWEEN_STEPS: Duration = Duration::from_millis(50);
/// How many bots are read at a time.
const PAGE: usize = 500;

/// Runs until `soft` is cancelled.
pub(crate) async fn run(bridge: Bridge, soft: CancellationToken) {
    let sweeping = async {
        loop {
            bridge.sleep(bridge.parts().config.sweep_every).await;
            if let Err(error) = bridge.sweep_all().await {
                let reason = Chain(&error);
                tracing::warn!("what has lived its time could not be deleted: {reason}");
            }
        }
    };
    let renewing = async {
        loop {
            bridge.sleep(Ownership::RENEW_EVERY).await;
            bridge.renew().await;
        }
    };
    soft.run_until_cancelled(async { tokio::join!(sweeping, renewing) }).await;
}

impl Bridge {
    /// Deletes what has lived its time in all journals, those of bots that were given back included, and gives free
    /// space back.
    pub async fn sweep_all(&self) -> Result<(), WriteError> {
        let store = &self.parts().store;
        let mut after = None;
        loop {
            let page = store.list_bots(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.bot);
            for bot in page {
                self.sweep(bot.bot).await?;
            }
        }
        while store.vacuum(VACUUM_BYTES).await?.left_bytes > 0 {
            self.sleep(BETWEEN_STEPS).await;
        }
        Ok(())
    }

    async fn sweep(&self, bot: BotId) -> Result<(), WriteError> {
        let parts = self.parts();
        loop {
            let Some(lease) = parts.ownership.lease(bot) else { return Ok(()) };
            let swept = parts.store.sweep(lease, bot, parts.config.retention, SWEEP_EVENTS).await?;
            for (lane, lost) in &swept.lost {
                tracing::error!(
                    bot.id = %bot, lane.id = %lane, lost.count = lost.count,
                    "route lane {lane} of bot {bot} lost {} events ({} to {}): they were deleted before it could deliver them; \
                     see `tandem lanes`, or give it more time with retention.max_days and max_bytes",
                    lost.count, lost.from, lost.to
                );
            }
            if !swept.more {
                return Ok(());
            }
            self.sleep(BETWEEN_STEPS).await;
        }
    }

    async fn renew(&self) {
        let parts = self.parts();
        // Each loss takes one shard away: the others are renewed all the same.
        loop {
            match parts.ownership.renew(&*parts.store).await {
                Ok(()) => return,
                Err(LeaseError::Lost { shard }) => tracing::error!(
                    "another Tandem has taken shard {} of this database over: nothing more is done for its bots here",
                    shard.get()
                ),
                Err(error @ LeaseError::Write(_)) => {
                    let reason = Chain(&error);
                    tracing::warn!("the leases could not be renewed: {reason}");
                    return;
                }
            }
        }
    }

    async fn sleep(&self, wait: Duration) {
        let now: Timestamp = self.parts().clock.now();
        self.parts().clock.sleep_until(now.plus(wait)).await;
    }
}
