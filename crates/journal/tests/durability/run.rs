//! The store on a disk, and the verbs of the workload on it, with what they acknowledged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use tandem_crashfs::Disk;
use tandem_journal::{
    Append, Appended, Lease, Shard, Store,
    sqlite::{Options, SqliteStore, Synchronous},
};
use tandem_model::{BotId, Clock, Event, Seq, Timestamp, VirtualId, Wait};

use crate::workload::{Op, START, bots};

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub(crate) struct FrozenClock(AtomicI64);

impl FrozenClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START.as_millis())))
    }

    fn advance(&self, by: Duration) {
        self.0.store(self.now().plus(by).as_millis(), Ordering::Relaxed);
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, _when: Timestamp) -> Wait {
        Box::pin(std::future::pending())
    }
}

/// A store on a disk.
pub(crate) struct Run<'a> {
    disk: &'a Disk,
    synchronous: Synchronous,
    clock: Arc<FrozenClock>,
    store: Arc<dyn Store>,
    leases: Vec<Lease>,
    /// Every event whose append was acknowledged.
    pub(crate) acknowledged: Vec<Event>,
}

impl<'a> Run<'a> {
    pub(crate) async fn open(disk: &'a Disk, synchronous: Synchronous) -> Result<Self> {
        let clock = FrozenClock::new();
        let store = open(disk, synchronous, &clock).await?;
        Ok(Self { disk, synchronous, clock, store, leases: Vec::new(), acknowledged: Vec::new() })
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(crate) fn shared(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    pub(crate) async fn close(&self) {
        self.store.close().await;
    }

    /// Acquires the shards of both bots.
    pub(crate) async fn acquire(&mut self) -> Result<()> {
        let shards = bots().map(Shard::of).to_vec();
        self.leases = self.store.acquire(shards, "test".to_owned(), Duration::from_secs(15)).await?;
        ensure!(self.leases.len() == bots().len(), "a shard is missing");
        Ok(())
    }

    pub(crate) fn lease(&self, bot: BotId) -> Result<Lease> {
        let shard = Shard::of(bot);
        self.leases.iter().find(|lease| lease.shard == shard).copied().context("no lease")
    }

    /// One verb. `Ok` is what the caller was promised.
    pub(crate) async fn apply(&mut self, op: &Op) -> Result<()> {
        let store = Arc::clone(&self.store);
        match op.clone() {
            Op::Acquire => self.acquire().await?,
            Op::Renew => store.renew(self.leases.clone(), Duration::from_secs(30)).await?,
            Op::Settings(changes) => drop(store.change_settings(None, changes).await?),
            Op::CreateLane(bot, new) => drop(store.create_lane(self.lease(bot)?, bot, new).await?),
            Op::SetFilter(bot, lane, filter) => {
                store.set_filter(self.lease(bot)?, bot, lane, filter).await?;
            }
            Op::MoveCursor(bot, lane, to) => store.move_cursor(self.lease(bot)?, bot, lane, to).await?,
            Op::RemoveLane(bot, lane) => store.remove_lane(self.lease(bot)?, bot, lane).await?,
            Op::Append(bot, append) => drop(self.append(bot, append).await?),
            Op::Settle(bot, lane, settlement) => {
                store.settle(self.lease(bot)?, bot, lane, settlement).await?;
            }
            Op::PutInbox(entry) => drop(store.put_inbox(vec![entry]).await?),
            Op::PutSecret(owner, secret) => store.put_secret(owner, "token".to_owned(), secret).await?,
            Op::Sweep(bot, retention) => drop(store.sweep(self.lease(bot)?, bot, retention, 1000).await?),
            Op::Vacuum => drop(store.vacuum(1 << 20).await?),
            Op::Wait(time) => self.clock.advance(time),
            Op::Reopen => {
                self.close().await;
                self.store = open(self.disk, self.synchronous, &self.clock).await?;
            }
        }
        Ok(())
    }

    /// Appends, and remembers what was acknowledged.
    pub(crate) async fn append(
        &mut self,
        bot: BotId,
        append: Append,
    ) -> Result<Vec<(Seq, Option<VirtualId>)>> {
        let events = append.events.clone();
        let appended = self.store.append(self.lease(bot)?, bot, append).await?;
        let mut new_ones = Vec::new();
        for (appended, new) in appended.into_iter().zip(events) {
            if let Appended::New { seq, virtual_id } = appended {
                let appended_at = self.clock.now();
                self.acknowledged.push(Event { bot, seq, virtual_id, appended_at, new });
                new_ones.push((seq, virtual_id));
            }
        }
        Ok(new_ones)
    }
}

async fn open(disk: &Disk, synchronous: Synchronous, clock: &Arc<FrozenClock>) -> Result<Arc<dyn Store>> {
    let options =
        Options { vfs: Some(disk.vfs().to_owned()), synchronous, ..Options::new("/data/tandem.db") };
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    Ok(Arc::new(SqliteStore::open(options, clock).await?))
}
