//! The journal itself, opened as production opens it.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use tandem_journal::{
    Append, Lease, Shard, Store,
    sqlite::{Options, SqliteStore},
};
use tandem_model::{NewEvent, Seq};
use tokio::task::JoinSet;

use crate::load::{SystemClock, bot};

/// An open journal and the right to write to it.
#[derive(Clone)]
pub(crate) struct Ours {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) lease: Lease,
}

impl Ours {
    pub(crate) async fn open(path: &Path) -> Result<Self> {
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(Options::new(path), Arc::new(SystemClock)).await?);
        let leases =
            store.acquire(vec![Shard::of(bot())], "bench".to_owned(), Duration::from_hours(1)).await?;
        Ok(Self { store, lease: *leases.first().context("no lease")? })
    }

    /// Appends them by so many writers, each of which waits for its answer.
    pub(crate) async fn append(&self, events: Vec<NewEvent>, writers: usize) -> Result<()> {
        self.append_and(events, writers, |_last| ()).await
    }

    /// The same, and something to do after each append.
    pub(crate) async fn append_and(
        &self,
        events: Vec<NewEvent>,
        writers: usize,
        then: impl Fn(Seq) + Clone + Send + Sync + 'static,
    ) -> Result<()> {
        let mut tasks = JoinSet::new();
        let share = events.len().div_ceil(writers);
        let mut events = events.into_iter();
        for _ in 0..writers {
            let (mine, ours, then) =
                (events.by_ref().take(share).collect::<Vec<_>>(), self.clone(), then.clone());
            tasks.spawn(async move {
                for event in mine {
                    then(ours.append_at_once(vec![event]).await?);
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    }

    /// Appends them in one verb. Returns where the last one stands.
    pub(crate) async fn append_at_once(&self, events: Vec<NewEvent>) -> Result<Seq> {
        let appended = self.store.append(self.lease, bot(), Append { events, ..Append::default() }).await?;
        Ok(appended.last().context("nothing was to be appended")?.seq())
    }
}
