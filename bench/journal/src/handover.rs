//! The second thing the journal is measured against: rusqlite on a writer thread that takes what waits and commits
//! once, and writers that wait for it. What lies between this and the bare loop is the price of having more than
//! one thread; what lies between the journal and this is the price of the journal.

use std::{path::Path, sync::mpsc, thread};

use anyhow::{Context, Result};
use tandem_model::NewEvent;
use tokio::{sync::oneshot, task::JoinSet};

use crate::bare::Bare;

type Waiting = (NewEvent, oneshot::Sender<()>);

/// A writer thread.
pub(crate) struct Handover(mpsc::Sender<Waiting>);

impl Handover {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let mut bare = Bare::create(path)?;
        let (sender, receiver) = mpsc::channel::<Waiting>();
        // It ends with the last sender.
        thread::spawn(move || {
            while let Ok(first) = receiver.recv() {
                let group: Vec<Waiting> = std::iter::once(first).chain(receiver.try_iter()).collect();
                // A failed commit answers nobody, which fails the measurement.
                if bare.commit(group.iter().map(|(event, _)| event)).is_ok() {
                    for (_, answer) in group {
                        let _ = answer.send(());
                    }
                }
            }
        });
        Ok(Self(sender))
    }

    /// Appends them by so many writers, each of which waits for its answer.
    pub(crate) async fn append(&self, events: Vec<NewEvent>, writers: usize) -> Result<()> {
        let mut tasks = JoinSet::new();
        let share = events.len().div_ceil(writers);
        let mut events = events.into_iter();
        for _ in 0..writers {
            let (mine, sender) = (events.by_ref().take(share).collect::<Vec<_>>(), self.0.clone());
            tasks.spawn(async move {
                for event in mine {
                    let (answer, answered) = oneshot::channel();
                    sender.send((event, answer)).ok().context("the writer thread is gone")?;
                    answered.await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(())
    }
}
