//! A few threads that read, each with a connection of its own and a snapshot per verb.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::fault::Fault;
use crate::{Cause, ReadError};

type Read = Box<dyn FnOnce(&Connection) + Send>;

#[derive(Default)]
struct State {
    waiting: VecDeque<Read>,
    closed: bool,
}

/// What waits for a reader. Everybody who reads waits for the answer, so there is no more of it than callers.
#[derive(Default)]
pub(super) struct Readers {
    state: Mutex<State>,
    ready: Condvar,
}

impl Readers {
    /// Serves until [`Readers::close`], on its own thread.
    pub(super) fn serve(&self, connection: Connection) {
        while let Some(read) = self.next() {
            read(&connection);
        }
        if let Err((_, error)) = connection.close() {
            tracing::warn!(%error, "a reader of the database was not closed cleanly");
        }
    }

    fn next(&self) -> Option<Read> {
        let mut state = self.lock();
        loop {
            if let Some(read) = state.waiting.pop_front() {
                return Some(read);
            }
            if state.closed {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    /// Runs a verb on one snapshot.
    pub(super) async fn read<T, F>(self: &Arc<Self>, work: F) -> Result<T, ReadError>
    where
        F: FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.lock();
            if state.closed {
                return Err(ReadError::Closed);
            }
            state.waiting.push_back(Box::new(move |connection| {
                // Nobody waits any more when the caller was cancelled.
                if !reply.is_closed() {
                    let _ = reply.send(on_snapshot(connection, work));
                }
            }));
        }
        self.ready.notify_one();
        match answer.await {
            Ok(result) => result.map_err(|fault| fault.to_read_error()),
            Err(_dropped) => Err(ReadError::Unavailable(Cause::new("the reader has panicked"))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn on_snapshot<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let result = work(connection);
    // A snapshot that stayed open would keep the log from ever being emptied.
    let ended = connection.prepare_cached("ROLLBACK").and_then(|mut statement| statement.execute([]));
    let value = result?;
    ended?;
    Ok(value)
}
