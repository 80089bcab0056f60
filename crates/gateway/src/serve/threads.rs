//! Threads that share the connections of a listener.
//!
//! Each has a runtime of its own, and a connection stays where it was put, with its requests and with the connections
//! to Telegram that these use ([`upstream::Thread`]): nobody has to be woken on another core for a call that is only
//! passed on. Whoever is woken from elsewhere all the same (a commit answers many at once) waits through
//! [`gathered`](super::gathered). What is not about one connection (lanes, polls of Telegram, upkeep) is not here.

use std::{
    fmt, io,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tandem_telegram::upstream;
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::gathered::Door;

/// Running threads, which end when this is dropped, and with them whatever is still on them.
pub struct Threads {
    runtimes: Vec<Handle>,
    next: AtomicUsize,
    _stop: DropGuard,
}

impl Threads {
    /// How many there are best: one for each core.
    pub fn best_count() -> usize {
        thread::available_parallelism().map_or(1, NonZero::get)
    }

    /// Starts so many.
    pub fn start(count: usize) -> io::Result<Self> {
        let stop = CancellationToken::new();
        let mut runtimes = Vec::new();
        for number in 0..count.max(1) {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtimes.push(runtime.handle().clone());
            let stopped = stop.clone().cancelled_owned();
            let door = Arc::new(Door::default());
            let run = move || {
                door.open();
                runtime.spawn(async move { door.let_in().await });
                runtime.block_on(stopped);
                // A lookup of a name that still runs has no say any more.
                runtime.shutdown_background();
            };
            thread::Builder::new().name(format!("connections-{number}")).spawn(run)?;
        }
        Ok(Self { runtimes, next: AtomicUsize::new(0), _stop: stop.drop_guard() })
    }

    /// Where the next connection goes.
    pub(super) fn next(&self) -> (upstream::Thread, &Handle) {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % self.runtimes.len();
        (upstream::Thread(number), &self.runtimes[number])
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").field("count", &self.runtimes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use axum::{Extension, Router, routing::get};
    use tandem_telegram::upstream::Thread;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::{Limits, serve_on};

    async fn asks(connection: &mut TcpStream) -> String {
        connection.write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n").await.unwrap();
        let mut answer = vec![0; 4096];
        let length = connection.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer.rsplit("\r\n").next().unwrap().to_owned()
    }

    #[tokio::test]
    async fn connections_are_shared_out_and_each_stays_on_its_thread() {
        let where_am_i = async |Extension(Thread(number)): Extension<Thread>| {
            format!("{number} {}", thread::current().name().unwrap_or_default())
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let threads = Some(Arc::new(Threads::start(2).unwrap()));
        let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
        let router = Router::new().route("/", get(where_am_i));
        let serving = serve_on(threads, listener, router, Limits::APPS, soft.clone(), hard);
        let serving = tokio::task::JoinSet::from_iter([serving]);

        let mut one = TcpStream::connect(address).await.unwrap();
        assert_eq!(asks(&mut one).await, "0 connections-0");
        let mut other = TcpStream::connect(address).await.unwrap();
        assert_eq!(asks(&mut other).await, "1 connections-1");
        assert_eq!(asks(&mut one).await, "0 connections-0");
        soft.cancel();
        serving.join_all().await;
    }
}
