//! The HTTP/1.1 loop under every listener of the service: accepts, bounds, and ends connections.
//!
//! hyper's connections directly rather than `axum::serve`: that one sets neither a bound for headers, nor a time
//! limit, nor `TCP_NODELAY`, and cannot be told to end a connection after its answer.
//!
//! **Promises.** At most so many connections at a time; those beyond wait in the listener's backlog. A peer that is
//! slow with its headers is let go, and so is one that asks nothing more for as long. After the soft stop nothing is
//! accepted, open requests are answered and their connections closed.
//!
//! A request line over 64 KiB is answered with 414 and too long a head with 431, both without a body: no handler sees
//! them.

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Longest head of a request; somewhat beyond it the answer is 431, as from Telegram's own server
/// (reference/telegram.md 1.3).
const MAX_HEAD_BYTES: usize = 256 << 10;

/// What waits when the system has no more files for us.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What a listener's peers may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time.
    pub connections: usize,
    /// For a request's head, and for the quiet between two requests on a connection.
    pub head: Duration,
}

impl Limits {
    /// For apps: each may hold a long poll open. Quiet connections are kept as long as Telegram keeps them
    /// (reference/telegram.md 1.3), so that no library finds one closed that it would not find closed there.
    pub const APPS: Self = Self { connections: 20_000, head: Duration::from_secs(500) };
}

/// Where connections come from.
pub trait Accept: Send + Sync {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Waits for the next one.
    fn accept(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<TcpStream> {
        let (stream, _) = Self::accept(self).await?;
        // Answers are small and somebody waits for each of them.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Accept for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<UnixStream> {
        let (stream, _) = Self::accept(self).await?;
        Ok(stream)
    }
}

/// Serves until `soft` is cancelled, then until every open request is answered, or until `hard` is.
#[expect(clippy::missing_panics_doc, reason = "the semaphore is never closed")]
pub async fn serve(
    listener: impl Accept,
    router: Router,
    limits: Limits,
    soft: CancellationToken,
    hard: CancellationToken,
) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = soft.cancelled() => break,
            () = hard.cancelled() => break,
            next = next => next,
        };
        match accepted {
            Ok(stream) => {
                let connection = connection(stream, router.clone(), limits, soft.clone());
                let hard = hard.clone();
                connections.spawn(async move {
                    hard.run_until_cancelled(connection).await;
                    drop(place);
                });
            }
            // The peer has gone again: its own affair.
            Err(error) if is_of_peer(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections: {error}");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// One connection to its end.
async fn connection<S>(stream: S, router: Router, limits: Limits, soft: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = soft.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Peers hang up, time out and send nonsense all day: each got its answer where there was one to give.
        tracing::debug!(%error, "a connection ended early");
    }
}

fn is_of_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput | NotConnected
    )
}
