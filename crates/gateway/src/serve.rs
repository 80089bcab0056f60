//! The HTTP/1.1 loop under every listener of the service: accepts, bounds, and ends connections.
//!
//! hyper's connections directly rather than `axum::serve`: that one sets neither a bound for headers, nor a time
//! limit, nor `TCP_NODELAY`, and cannot be told to end a connection after its answer.
//!
//! **Promises.** What [`Limits`] say: how many connections, how long a head may be and may take, how long a peer may
//! bring nothing and take nothing, how large a body may be, how often a peer may be refused. Whoever has proven
//! nothing has to go first when there is no more room, so that strangers, however many and however slow, do not keep
//! out those who belong here ([`Proof`]). After the soft stop nothing is accepted, open requests are answered and their
//! connections closed.
//!
//! A request line over 64 KiB is answered with 414 and too long a head with 431, both without a body: no handler sees
//! them. Nor does it see a request that names its length in two ways, which is answered with 400.
//!
//! docs/hostile-input.md says all of it for the operator.

mod body;
mod connection;
mod gathered;
mod head;
mod limits;
mod patience;
mod peer;
mod places;
mod refusals;
mod stream;
mod threads;
mod visits;
mod watchdog;

use std::{io, pin::pin, sync::Arc, task::Poll, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::gathered::gathered;
pub use self::{
    body::BodyError,
    limits::Limits,
    peer::{BadNetwork, Network, Peer},
    threads::Threads,
    visits::Proof,
};
use self::{
    places::{Place, Places},
    refusals::Refusals,
    stream::Watched,
    visits::Visits,
    watchdog::Watchdog,
};

/// What waits when the system has no more files for us.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What can be moved to another runtime.
pub trait Here: Sized {
    /// The same, woken by the runtime that this is called on.
    fn here(self) -> io::Result<Self>;
}

impl Here for TcpStream {
    fn here(self) -> io::Result<Self> {
        Self::from_std(self.into_std()?)
    }
}

impl Here for UnixStream {
    fn here(self) -> io::Result<Self> {
        Self::from_std(self.into_std()?)
    }
}

/// Bytes in memory belong to no runtime.
impl Here for DuplexStream {
    fn here(self) -> io::Result<Self> {
        Ok(self)
    }
}

/// Where connections come from.
pub trait Accept: Send + Sync {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + Here + 'static;

    /// Waits for the next one, and says whose it is.
    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, Peer)>> + Send;
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, Peer)> {
        let (stream, address) = Self::accept(self).await?;
        // Answers are small and somebody waits for each of them.
        stream.set_nodelay(true)?;
        Ok((stream, Peer::at(address)))
    }
}

impl Accept for UnixListener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        let (stream, _) = Self::accept(self).await?;
        Ok((stream, Peer::Own))
    }
}

/// Serves until `soft` is cancelled, then until every open request is answered, or until `hard` is.
pub async fn serve(
    listener: impl Accept,
    router: Router,
    limits: Limits,
    soft: CancellationToken,
    hard: CancellationToken,
) {
    serve_on(None, listener, router, limits, soft, hard).await;
}

/// The same, with the connections on these threads if there are any.
pub async fn serve_on(
    threads: Option<Arc<Threads>>,
    listener: impl Accept,
    router: Router,
    limits: Limits,
    soft: CancellationToken,
    hard: CancellationToken,
) {
    let connections = TaskTracker::new();
    let limits = Arc::new(limits);
    let places = Arc::new(Places::new(Arc::clone(&limits)));
    let refusals = Arc::new(Refusals::new(limits.refused_per_minute));
    loop {
        let next = async {
            let (stream, peer) = listener.accept().await?;
            Ok((stream, places.enter(peer).await))
        };
        let next: io::Result<_> = tokio::select! {
            () = soft.cancelled() => break,
            () = hard.cancelled() => break,
            next = next => next,
        };
        match next {
            Ok((stream, Some(place))) => {
                let mut visits =
                    Visits::new(router.clone(), &place, Arc::clone(&limits), Arc::clone(&refusals));
                let (limits, soft, hard) = (Arc::clone(&limits), soft.clone(), hard.clone());
                let Some((thread, runtime)) = threads.as_ref().map(|threads| threads.next()) else {
                    connections.spawn(async move {
                        let connection = connection(stream, place, visits, limits, soft);
                        hard.run_until_cancelled(connection).await;
                    });
                    continue;
                };
                visits.stay_on(thread);
                let moved = async move {
                    match stream.here() {
                        Ok(stream) => {
                            let connection = connection(stream, place, visits, limits, soft);
                            hard.run_until_cancelled(connection).await;
                        }
                        Err(error) => tracing::warn!(%error, "a connection could not be taken over: {error}"),
                    }
                };
                connections.spawn_on(moved, runtime);
            }
            // One peer has more connections than it may: this one is closed.
            Ok((_, None)) => {}
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
async fn connection<S>(stream: S, place: Place, visits: Visits, limits: Arc<Limits>, soft: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut watchdog = Watchdog::new(Arc::clone(place.connection()), Arc::clone(&limits));
    let stream = TokioIo::new(Watched::new(stream, &place, &limits));
    let connection = http1::Builder::new()
        // The watchdog's business: there are two such times, and hyper knows one.
        .header_read_timeout(None)
        .max_buf_size(limits.head_bytes.max(Limits::LEAST_HEAD_BYTES))
        .max_header_size(limits.head_bytes)
        .serve_connection(stream, visits);
    let mut connection = pin!(connection);
    let mut stopping = pin!(soft.cancelled());
    let mut stops = false;
    let ended = std::future::poll_fn(|cx| {
        if !stops && stopping.as_mut().poll(cx).is_ready() {
            stops = true;
            connection.as_mut().graceful_shutdown();
        }
        match connection.as_mut().poll(cx) {
            Poll::Ready(ended) => Poll::Ready(Some(ended)),
            Poll::Pending => watchdog.poll_ended(cx).map(|()| None),
        }
    });
    if let Some(Err(error)) = ended.await {
        // Peers hang up, time out and send nonsense all day: each got its answer where there was one to give.
        tracing::debug!(%error, "a connection ended early");
    }
    drop(place);
}

fn is_of_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput, NotConnected};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput | NotConnected
    )
}
