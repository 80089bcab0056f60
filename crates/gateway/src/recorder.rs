//! The one way events get into a journal: appended under this process's lease, and the bot's lanes told.

use std::{fmt, sync::Arc};

use tandem_journal::{Append, Appended, Health, Store, WriteError};
use tandem_lanes::{Lanes, LeaseSource};
use tandem_model::BotId;
use tokio::sync::watch;

/// Appends to bots' journals and wakes their lanes. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    store: Arc<dyn Store>,
    leases: Arc<dyn LeaseSource>,
    lanes: Lanes,
    health: watch::Receiver<Health>,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Another replica owns the bot.
    #[error("this process does not own bot {bot}")]
    NotOwned {
        /// Which bot.
        bot: BotId,
    },
    /// The store did not take it.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Recorder {
    /// A recorder for the bots that `leases` knows.
    pub fn new(store: Arc<dyn Store>, leases: Arc<dyn LeaseSource>, lanes: Lanes) -> Self {
        let health = store.health();
        Self { store, leases, lanes, health }
    }

    /// Commits, then wakes the bot's lanes. `Ok` means durable.
    pub async fn record(&self, bot: BotId, append: Append) -> Result<Vec<Appended>, RecordError> {
        let lease = self.leases.lease(bot).ok_or(RecordError::NotOwned { bot })?;
        let appended = self.store.append(lease, bot, append).await?;
        if appended.iter().any(|one| matches!(one, Appended::New { .. })) {
            self.lanes.wake(bot);
        }
        Ok(appended)
    }

    /// Whether what the company's side says could be kept if it were said now. Sends are refused before they are
    /// forwarded when it could not (invariant 1).
    pub fn keeps_promises(&self) -> bool {
        match &*self.health.borrow() {
            Health::Good | Health::LowDisk => true,
            Health::Full | Health::Failed { .. } => false,
        }
    }

    /// Follows the store's health.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("health", &self.health).finish_non_exhaustive()
    }
}
