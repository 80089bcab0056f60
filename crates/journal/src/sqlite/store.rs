//! Opening and closing the engine, and how a verb gets to its thread. The verbs themselves are in `verbs`.

mod verbs;

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, InterruptHandle};
use tandem_model::{BotId, Clock};
use tokio::sync::watch;

use super::{
    OpenError, beside, connection,
    counters::Counters,
    disk::Disk,
    fault::{Abort, Fault},
    job::Task,
    journals,
    lock::ProcessLock,
    log_scan, migrations,
    options::Options,
    queue::{Queue, Refusal, Weight},
    readers::Readers,
    upkeep,
    writer::{Shared, Writer},
    writing::Writing,
};
use crate::{Cause, Haste, Health, ReadError, Store, Urgency, WriteError, tail::Tail};

/// A store in one SQLite file.
///
/// Dropping it finishes the commit that is under way, refuses what waits, and lets go of the file before it
/// returns; [`close`](crate::Upkeep::close) finishes what waits too.
pub struct SqliteStore {
    options: Options,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    readers: Arc<Readers>,
    running: Arc<Mutex<Running>>,
}

/// What has to end before the file is let go.
#[derive(Default)]
struct Running {
    readers: Vec<JoinHandle<()>>,
    /// Gives its connection back when it ends.
    writer: Option<JoinHandle<Connection>>,
    check: Option<InterruptHandle>,
    lock: Option<ProcessLock>,
}

impl Running {
    fn end(&mut self) {
        if let Some(check) = self.check.take() {
            check.interrupt();
        }
        // A thread that panicked has said so.
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        // The last connection to close empties the log and deletes it, if it finds itself to be the last.
        if let Some(Ok(connection)) = self.writer.take().map(JoinHandle::join)
            && let Err((_, error)) = connection.close()
        {
            tracing::warn!(%error, "the database was not closed cleanly");
        }
        self.lock = None;
    }
}

impl SqliteStore {
    /// Opens the database, or makes one: takes the lock, brings the schema up to date, checks the file, and moves
    /// what is left in the write-ahead log into it.
    ///
    /// This is also the way back after the disk has failed ([`Health::Failed`]): close the store and open it again.
    /// What was acknowledged is there; what was answered with [`WriteError::Unavailable`] may be.
    pub async fn open(options: Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let path = options.path.clone();
        tokio::task::spawn_blocking(move || Self::open_blocking(options, clock))
            .await
            .map_err(|source| OpenError::Failed { path, source: Cause::new(source) })?
    }

    fn open_blocking(options: Options, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let failed = |fault: Fault| OpenError::of_fault(&options.path, fault);
        let lock = match options.vfs {
            None => Some(ProcessLock::take(&options.path)?),
            Some(_) => None,
        };
        if options.vfs.is_none() {
            let log = beside(&options.path, "-wal");
            match log_scan::find_damage(&log) {
                Ok(None) => {}
                Ok(Some(frame)) => {
                    return Err(failed(Fault::corrupt(format!("frame {frame} of its write-ahead log"))));
                }
                Err(error) => return Err(OpenError::of_io(&options.path, error)),
            }
        }
        let writer = connection::open_writer(&options).map_err(failed)?;
        migrations::migrate(&writer, &options.path)?;
        let small = upkeep::file_bytes(&writer).map_err(failed)? <= options.check_before_open_bytes;
        if small {
            upkeep::check_structure(&writer).map_err(failed)?;
        }
        upkeep::empty_log(&writer).map_err(failed)?;

        let disk = Disk::new(&options);
        disk.look();
        let shared = Arc::new(Shared {
            queue: Queue::new(options.waiting_per_bot),
            disk,
            health: watch::Sender::new(Health::Good),
            tail: Tail::new(options.tail_bytes),
            counters: Counters::default(),
        });
        let connections = (0..options.readers.max(1))
            .map(|_| connection::open_reader(&options))
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed)?;
        let check = if small { None } else { Some(connection::open_reader(&options).map_err(failed)?) };
        let readers = Arc::new(Readers::default());
        let mut running = Running { lock, ..Running::default() };
        // From here on the store's own `drop` ends what was begun.
        let store = Self {
            options,
            clock: Arc::clone(&clock),
            shared: Arc::clone(&shared),
            readers: Arc::clone(&readers),
            running: Arc::default(),
        };
        let path = &store.options.path;
        let begin = || -> io::Result<()> {
            for connection in connections {
                let readers = Arc::clone(&readers);
                running.readers.push(spawn("reader", move || readers.serve(connection))?);
            }
            if let Some(connection) = check {
                running.check = Some(connection.get_interrupt_handle());
                let shared = Arc::clone(&shared);
                running.readers.push(spawn("check", move || check_in_use(&connection, &shared))?);
            }
            let writer = Writer::new(writer, clock, shared);
            running.writer = Some(spawn("writer", move || writer.run())?);
            Ok(())
        };
        let spawned = begin();
        *store.running.lock().unwrap_or_else(PoisonError::into_inner) = running;
        spawned.map_err(|error| OpenError::of_io(path, error))?;
        Ok(store)
    }

    /// Hands a verb to the writer and waits for its commit.
    async fn write<T, E, F>(&self, weight: Weight, urgency: Urgency, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Writing<'_>) -> Result<T, Abort<E>> + Send + 'static,
        T: Send + 'static,
        E: From<WriteError> + Send + 'static,
    {
        let (job, answer) = Task::job(urgency, work);
        match self.shared.queue.push(weight, job) {
            Ok(()) => {}
            Err(Refusal::Crowded { waiting }) => return Err(WriteError::Crowded { waiting }.into()),
            Err(Refusal::Closed) => return Err(WriteError::Closed.into()),
        }
        answer.await.unwrap_or_else(|_dropped| {
            Err(WriteError::Unavailable(Cause::new("the writer has panicked")).into())
        })
    }

    /// A verb of a bot's owner, of which there are few at a time.
    async fn write_for<T, E, F>(&self, bot: BotId, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Writing<'_>) -> Result<T, Abort<E>> + Send + 'static,
        T: Send + 'static,
        E: From<WriteError> + Send + 'static,
    {
        self.write(Weight { bot: Some(bot), bytes: None, haste: Haste::AtOnce }, Urgency::MustKeep, work)
            .await
    }

    /// A verb that belongs to no bot.
    async fn write_for_all<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Writing<'_>) -> Result<T, Abort<E>> + Send + 'static,
        T: Send + 'static,
        E: From<WriteError> + Send + 'static,
    {
        self.write(Weight { bot: None, bytes: None, haste: Haste::AtOnce }, Urgency::MustKeep, work).await
    }

    async fn read<T, F>(&self, work: F) -> Result<T, ReadError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        self.readers.read(work).await
    }

    /// Reads something of a bot that has a journal; what there is of one that has none is `T::default()`.
    async fn read_of<T, F>(&self, bot: BotId, work: F) -> Result<T, ReadError>
    where
        F: FnOnce(&Connection, i64) -> Result<T, Fault> + Send + 'static,
        T: Default + Send + 'static,
    {
        self.read(move |connection| match journals::find_number(connection, bot)? {
            Some(journal) => work(connection, journal),
            None => Ok(T::default()),
        })
        .await
    }

    /// Takes nothing more and waits for the threads.
    fn end(&self) {
        self.readers.close();
        self.running.lock().unwrap_or_else(PoisonError::into_inner).end();
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(format!("journal-{name}")).spawn(work)
}

/// The check of a large file, while it is in use.
fn check_in_use(connection: &Connection, shared: &Shared) {
    match upkeep::check_structure(connection) {
        Ok(()) => tracing::debug!("the file is sound"),
        Err(Fault::Corrupt(what)) => {
            shared.set_health(Health::Failed { reason: format!("the database is damaged: {what}") });
        }
        Err(Fault::Other(error))
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => {}
        Err(fault) => tracing::warn!(error = %fault.to_read_error(), "the file could not be checked"),
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        for job in self.shared.queue.abandon() {
            job.refuse(WriteError::Closed);
        }
        self.end();
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.options.path).finish_non_exhaustive()
    }
}

impl Store for SqliteStore {}
