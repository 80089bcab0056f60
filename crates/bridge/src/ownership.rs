//! The right to write for bots, kept for as long as the process lives.
//!
//! One process owns all shards: with SQLite there is no other. It takes them at the start, renews them while it runs
//! and gives them up when it ends, so that the next one need not wait.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tandem_journal::{Lease, LeaseError, Shard, Store, WriteError};
use tandem_lanes::LeaseSource;
use tandem_model::BotId;

/// How long a lease lasts without being renewed.
const TTL: Duration = Duration::from_secs(30);

/// The leases of this process.
#[derive(Debug)]
pub struct Ownership {
    leases: RwLock<BTreeMap<Shard, Lease>>,
}

/// Why the leases are not ours.
#[derive(Debug, thiserror::Error)]
pub enum OwnershipError {
    /// Another process has some of the shards.
    #[error("another Tandem is using this database: it owns {missing} of {} shards; stop it, or wait {} s", Shard::COUNT, TTL.as_secs())]
    Taken {
        /// How many it has.
        missing: usize,
    },
    /// The store did not take it.
    #[error("the database could not be taken into use")]
    Write(#[source] WriteError),
}

impl Ownership {
    /// How often the leases are to be renewed.
    pub const RENEW_EVERY: Duration = Duration::from_secs(10);

    /// Takes all shards in the name of `holder`: of a name that is the same after a restart.
    pub async fn take(store: &dyn Store, holder: &str) -> Result<Arc<Self>, OwnershipError> {
        let shards: Vec<Shard> = Shard::all().collect();
        let leases = store.acquire(shards, holder.to_owned(), TTL).await.map_err(OwnershipError::Write)?;
        let missing = Shard::COUNT - leases.len().min(Shard::COUNT);
        if missing > 0 {
            store.release(leases).await.map_err(OwnershipError::Write)?;
            return Err(OwnershipError::Taken { missing });
        }
        let leases = leases.into_iter().map(|lease| (lease.shard, lease)).collect();
        Ok(Arc::new(Self { leases: RwLock::new(leases) }))
    }

    /// Lengthens the leases. One that is lost is forgotten, so that nothing more is done in its name.
    pub(crate) async fn renew(&self, store: &dyn Store) -> Result<(), LeaseError> {
        let renewed = store.renew(self.all(), TTL).await;
        if let Err(LeaseError::Lost { shard }) = &renewed {
            self.leases.write().unwrap_or_else(PoisonError::into_inner).remove(shard);
        }
        renewed
    }

    /// Gives the leases up. Nothing can be written in their name afterwards.
    pub async fn release(&self, store: &dyn Store) -> Result<(), WriteError> {
        let leases = std::mem::take(&mut *self.leases.write().unwrap_or_else(PoisonError::into_inner));
        store.release(leases.into_values().collect()).await
    }

    fn all(&self) -> Vec<Lease> {
        self.leases.read().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }
}

impl LeaseSource for Ownership {
    fn lease(&self, bot: BotId) -> Option<Lease> {
        self.leases.read().unwrap_or_else(PoisonError::into_inner).get(&Shard::of(bot)).copied()
    }
}
