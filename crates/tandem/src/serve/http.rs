//! The HTTP/1.1 loop under every listener: accepts, bounds, and ends connections.
//!
//! hyper's connections directly rather than `axum::serve`: that one sets neither a bound for headers, nor a time
//! limit, nor `TCP_NODELAY`, and cannot be told to end a connection after its answer.
//!
//! **Promises.** At most so many connections at a time; those beyond wait in the listener's backlog. A peer that is
//! slow with its headers is let go, and so is one that asks nothing more for as long. After the soft stop nothing is
//! accepted, open requests are answered and their connections closed.

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
use tokio_util::task::TaskTracker;

use super::Stop;

/// Longest head of a request; beyond it the answer is 431, as from Telegram's own server.
const MAX_HEAD_BYTES: usize = 256 << 10;

/// What waits when the system has no more files for us.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What a listener's peers may do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections at a time.
    pub(crate) connections: usize,
    /// For a request's head, and for the quiet between two requests on a connection.
    pub(crate) head: Duration,
}

/// Where connections come from.
pub(crate) trait Accept: Send + Sync {
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

/// Serves until the soft stop, then until every open request is answered, or until the hard stop.
pub(crate) async fn serve(listener: impl Accept, router: Router, limits: Limits, stop: Stop) {
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(limits.connections));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await.expect("the semaphore is never closed");
            (place, listener.accept().await)
        };
        let Some((place, accepted)) = stop.soft.run_until_cancelled(next).await else { break };
        match accepted {
            Ok(stream) => {
                let connection = connection(stream, router.clone(), limits, stop.clone());
                connections.spawn(async move {
                    connection.await;
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
async fn connection<S>(stream: S, router: Router, limits: Limits, stop: Stop)
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
        () = stop.soft.cancelled() => {
            connection.as_mut().graceful_shutdown();
            match stop.hard.run_until_cancelled(connection).await {
                Some(ended) => ended,
                None => return,
            }
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
