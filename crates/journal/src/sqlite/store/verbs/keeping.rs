//! Verbs about leases, the inbox and upkeep.

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tandem_model::BotId;
use tokio::sync::watch;

use super::{SqliteStore, append::BODY_LIMIT, inbox, leases, sql_limit, sweep, upkeep};
use crate::{
    Haste, Health, Inbox, InboxEntry, InboxId, Lease, LeaseError, LeaseHolder, Leases, NewInboxEntry,
    ReadError, Retention, Shard, Stats, Swept, Upkeep, Urgency, Vacuumed, WriteError, sqlite::queue::Weight,
};

#[async_trait]
impl Leases for SqliteStore {
    async fn acquire(
        &self,
        shards: Vec<Shard>,
        holder: String,
        ttl: Duration,
    ) -> Result<Vec<Lease>, WriteError> {
        self.write_for_all(move |writing| leases::acquire(writing, &shards, &holder, ttl)).await
    }

    async fn renew(&self, leases: Vec<Lease>, ttl: Duration) -> Result<(), LeaseError> {
        self.write_for_all(move |writing| leases::renew(writing, &leases, ttl)).await
    }

    async fn release(&self, leases: Vec<Lease>) -> Result<(), WriteError> {
        self.write_for_all(move |writing| leases::release(writing, &leases)).await
    }

    async fn list_leases(&self) -> Result<Vec<LeaseHolder>, ReadError> {
        self.read(leases::list).await
    }
}

#[async_trait]
impl Inbox for SqliteStore {
    async fn put_inbox(&self, entries: Vec<NewInboxEntry>) -> Result<Vec<InboxId>, WriteError> {
        let Some(first) = entries.first() else { return Ok(Vec::new()) };
        // Entries come from outside one by one; those of several bots in one call count for the first.
        let bot = Some(first.bot);
        let mut bytes = 0;
        for entry in &entries {
            if entry.body.len() > BODY_LIMIT {
                return Err(WriteError::TooLarge { bytes: entry.body.len(), limit: BODY_LIMIT });
            }
            bytes += entry.body.len();
        }
        let weight = Weight { bot, bytes: Some(bytes), haste: Haste::AtOnce };
        self.write(weight, Urgency::MustKeep, move |writing| inbox::put(writing, &entries)).await
    }

    async fn list_inbox(
        &self,
        shard: Shard,
        after: Option<InboxId>,
        limit: usize,
    ) -> Result<Vec<InboxEntry>, ReadError> {
        self.read(move |connection| inbox::list(connection, shard, after, sql_limit(limit))).await
    }
}

#[async_trait]
impl Upkeep for SqliteStore {
    async fn sweep(
        &self,
        lease: Lease,
        bot: BotId,
        retention: Retention,
        limit: usize,
    ) -> Result<Swept, WriteError> {
        self.write_for(bot, move |writing| sweep::sweep(writing, lease, bot, retention, limit)).await
    }

    async fn vacuum(&self, max_bytes: u64) -> Result<Vacuumed, WriteError> {
        self.write_for_all(move |writing| Ok(upkeep::vacuum(writing.connection, max_bytes)?)).await
    }

    async fn backup(&self, to: PathBuf) -> Result<(), WriteError> {
        upkeep::backup(&self.options, to).await
    }

    async fn check(&self) -> Result<Vec<String>, ReadError> {
        upkeep::check(&self.options).await
    }

    fn health(&self) -> watch::Receiver<Health> {
        self.shared.health.subscribe()
    }

    async fn stats(&self) -> Result<Stats, ReadError> {
        let (bytes, free_bytes) = self.read(upkeep::sizes).await?;
        Ok(self.shared.counters.stats(&Stats {
            bytes,
            free_bytes,
            disk_free_bytes: self.shared.disk.free_bytes(),
            waiting: self.shared.queue.waiting() as u64,
            ..Stats::default()
        }))
    }

    async fn close(&self) {
        self.shared.queue.close();
        self.shared.tail.close();
        self.readers.close();
        let running = Arc::clone(&self.running);
        let ended = tokio::task::spawn_blocking(move || {
            running.lock().unwrap_or_else(PoisonError::into_inner).end();
        });
        if let Err(error) = ended.await {
            tracing::warn!(%error, "the store did not close cleanly");
        }
    }
}
