//! Hooks that waited in the inbox because their bot had no owner in the process that heard them: the owner makes events
//! of them, each in one commit with its leaving the inbox.

use std::time::Duration;

use tandem_journal::{Append, InboxEntry, Shard, Urgency};
use tandem_lanes::LeaseSource as _;
use tokio_util::sync::CancellationToken;

use super::arrival::Arrival;
use crate::{Bridge, bridge::Chain};

/// What entries of the inbox are called that were heard at a vendor.
pub(super) const SOURCE: &str = "heard";
/// How often it is looked at.
const EVERY: Duration = Duration::from_mins(5);
/// How many entries are read at a time.
const PAGE: usize = 100;

/// Runs until `soft` is cancelled.
pub(crate) async fn run(bridge: Bridge, soft: CancellationToken) {
    let draining = async {
        loop {
            for shard in Shard::all() {
                if let Err(error) = bridge.empty_inbox(shard).await {
                    let reason = Chain(&error);
                    tracing::error!(
                        "the inbox could not be emptied: {reason}; it is tried again in five minutes"
                    );
                    break;
                }
            }
            let clock = &bridge.parts().clock;
            clock.sleep_until(clock.now().plus(EVERY)).await;
        }
    };
    soft.run_until_cancelled(draining).await;
}

/// Why an entry stays where it is.
#[derive(Debug, thiserror::Error)]
enum DrainError {
    #[error("it could not be read")]
    Read(#[from] tandem_journal::ReadError),
    #[error("it could not be committed")]
    Record(#[from] tandem_gateway::RecordError),
}

impl Bridge {
    async fn empty_inbox(&self, shard: Shard) -> Result<(), DrainError> {
        let mut after = None;
        loop {
            let page = self.parts().store.list_inbox(shard, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.id);
            for entry in page.into_iter().filter(|entry| entry.entry.source == SOURCE) {
                self.take_out(entry).await?;
            }
        }
    }

    async fn take_out(&self, entry: InboxEntry) -> Result<(), DrainError> {
        let InboxEntry { id, entry, .. } = entry;
        if self.parts().ownership.lease(entry.bot).is_none() {
            return Ok(());
        }
        let arrival: Arrival = match serde_json::from_slice(&entry.body) {
            Ok(arrival) => arrival,
            Err(error) => {
                // A newer version put it there, which may come back.
                tracing::error!(%error, "an entry of the inbox cannot be read by this version: {error}");
                return Ok(());
            }
        };
        if self.is_known(&arrival).await? {
            let only_out = Append { inbox: vec![id], urgency: Urgency::MustKeep, ..Append::default() };
            self.parts().recorder.record(entry.bot, only_out).await?;
            return Ok(());
        }
        Ok(self.commit(&arrival, vec![id]).await?)
    }
}
