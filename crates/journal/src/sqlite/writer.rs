//! The one thread that writes: takes everything that waits, commits once, answers everybody.
//!
//! What goes wrong with a commit:
//! - one verb is refused: it has changed nothing, the others go on;
//! - the disk is full: the commit is rolled back, the reserve file is freed, and what must be kept is tried again;
//! - something is damaged or locked: the commit is rolled back and each verb is tried alone, so that one bot's
//!   damaged row does not fail the others;
//! - the disk fails (an fsync above all): the connection is not used again. Whoever was in the commit is told that
//!   it may or may not have happened, and everything after is refused until the store is opened anew: only that
//!   reads back what the disk really has, and moves it into the database file before anything else is said.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tandem_model::Clock;
use tokio::sync::watch;

use super::{
    counters::Counters,
    disk::{Disk, Level},
    fault::Fault,
    job::Job,
    queue::{Gather, Queue},
    writing::{Memory, Writing},
};
use crate::{
    Cause, Health, Urgency, WriteError,
    tail::{Change, Tail},
};

/// How often a disk that was not well is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The part of a commit's time for which the next one is held back for those who are about to come.
const GATHER_PART: u32 = 8;

/// What the writer shares with those who ask.
pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) disk: Disk,
    pub(super) health: watch::Sender<Health>,
    pub(super) tail: Tail,
    pub(super) counters: Counters,
}

impl Shared {
    /// Says how the store is; a failure stands until the store is opened again.
    pub(super) fn set_health(&self, health: Health) {
        self.health.send_if_modified(|now| {
            if *now == health || matches!(now, Health::Failed { .. }) {
                return false;
            }
            match &health {
                Health::Good => tracing::info!("the store takes everything again"),
                Health::LowDisk => tracing::warn!("the disk is nearly full: what can wait is refused"),
                Health::Full => tracing::error!("the disk is full: nothing can be stored"),
                Health::Failed { reason } => {
                    tracing::error!("the store has failed and must be opened again: {reason}");
                }
            }
            *now = health;
            true
        });
    }

    fn failure(&self) -> Option<String> {
        match &*self.health.borrow() {
            Health::Failed { reason } => Some(reason.clone()),
            _ => None,
        }
    }
}

/// The writer, on its own thread.
pub(super) struct Writer {
    connection: Connection,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    memory: Memory,
}

impl Writer {
    pub(super) fn new(connection: Connection, clock: Arc<dyn Clock>, shared: Arc<Shared>) -> Self {
        Self { connection, clock, shared, memory: Memory::default() }
    }

    /// Until the queue is closed and empty. Gives the connection back, which has to be closed after all others.
    pub(super) fn run(mut self) -> Connection {
        let _guard = StopsLoudly(Arc::clone(&self.shared));
        let mut gather = Gather::default();
        loop {
            let patience = (*self.shared.health.borrow() != Health::Good).then_some(LOOK_AGAIN);
            let Some(group) = self.shared.queue.take_group(patience, gather) else { break };
            let answered = group.appends;
            let begun = Instant::now();
            self.commit_group(group.jobs);
            gather = Gather { answered, patience: begun.elapsed() / GATHER_PART };
        }
        self.connection
    }

    fn commit_group(&mut self, mut group: Vec<Box<dyn Job>>) {
        if let Some(reason) = self.shared.failure() {
            for job in group {
                job.refuse(WriteError::Unavailable(Cause::new(reason.clone())));
            }
            return;
        }
        let level = self.shared.disk.look();
        if level == Level::Low {
            group = refuse_what_can_wait(group);
        }
        if group.is_empty() {
            self.look_well(level);
            return;
        }
        match self.attempt(&mut group) {
            Ok(()) => self.answer(group, level),
            Err(Fault::Full) if self.shared.disk.release_reserve() => {
                let mut group = refuse_what_can_wait(group);
                match self.attempt(&mut group) {
                    Ok(()) => self.answer(group, Level::Low),
                    Err(fault) => self.give_up(group, &fault),
                }
            }
            Err(Fault::Corrupt(_) | Fault::Other(_)) if group.len() > 1 => {
                for job in group {
                    let mut alone = vec![job];
                    match self.attempt(&mut alone) {
                        Ok(()) => self.answer(alone, level),
                        Err(fault) => self.give_up(alone, &fault),
                    }
                }
            }
            Err(fault) => self.give_up(group, &fault),
        }
    }

    /// One transaction. On a fault nothing of it has happened, as far as can be known.
    fn attempt(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), Fault> {
        if let Some(reason) = self.shared.failure() {
            return Err(Fault::Failed(reason));
        }
        let mut changes = Vec::with_capacity(group.len());
        let begun = Instant::now();
        let result = self.transaction(group, &mut changes);
        match &result {
            Ok(()) => {
                self.shared.counters.add_commit(&changes, begun.elapsed());
                // Before anybody is answered: who was told of a commit sees it in whatever he reads.
                self.shared.tail.absorb(changes);
            }
            Err(fault) => self.recover(fault),
        }
        result
    }

    /// After a transaction that has failed: what is in memory may not be what is stored.
    fn recover(&mut self, fault: &Fault) {
        self.memory.forget();
        if let Fault::Io(error) = fault {
            self.shared.set_health(Health::Failed { reason: error.to_string() });
            // From here on only the disk says what there is.
            self.shared.tail.forget_all();
        }
        // SQLite has rolled back by itself after most faults.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            self.shared.set_health(Health::Failed { reason: error.to_string() });
            self.shared.tail.forget_all();
        }
    }

    fn transaction(&mut self, group: &mut [Box<dyn Job>], changes: &mut Vec<Change>) -> Result<(), Fault> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut writing = Writing::new(&self.connection, &*self.clock, &mut self.memory, changes);
        for job in group {
            job.run(&mut writing)?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn answer(&self, group: Vec<Box<dyn Job>>, level: Level) {
        self.shared.counters.add_writes(group.len());
        self.look_well(level);
        for job in group {
            job.answer();
        }
    }

    fn look_well(&self, level: Level) {
        self.shared.set_health(match level {
            Level::Good => Health::Good,
            Level::Low => Health::LowDisk,
        });
    }

    fn give_up(&self, group: Vec<Box<dyn Job>>, fault: &Fault) {
        if matches!(fault, Fault::Full) {
            self.shared.set_health(Health::Full);
        }
        for job in group {
            job.refuse(fault.to_write_error());
        }
    }
}

fn refuse_what_can_wait(group: Vec<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
    let (refused, kept): (Vec<_>, Vec<_>) =
        group.into_iter().partition(|job| job.urgency() == Urgency::CanWait);
    for job in refused {
        job.refuse(WriteError::LowDisk);
    }
    kept
}

/// If the thread ends by a panic, nobody waits for it in vain.
struct StopsLoudly(Arc<Shared>);

impl Drop for StopsLoudly {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set_health(Health::Failed { reason: "the writer has panicked".to_owned() });
        }
        for job in self.0.queue.abandon() {
            job.refuse(WriteError::Closed);
        }
    }
}
