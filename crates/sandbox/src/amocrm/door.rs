//! The listener with a door that can be shut: amoCRM down is a refused or a reset connection, not a status.
//!
//! While the door refuses, the address stays bound without listening, so that nobody else takes the port and the
//! system answers with a refusal. A handler can reset its own connection by its [`Kill`].

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Between two attempts to accept when the first one failed.
const PAUSE: Duration = Duration::from_millis(10);

/// How new connections are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    /// Nobody listens: connection refused.
    Refuse,
    /// Accepted and reset at once.
    Reset,
}

/// Resets the connection that a request came on.
#[derive(Debug, Clone)]
pub(crate) struct Kill(CancellationToken);

impl Kill {
    /// Never returns: the connection, and with it the caller, is dropped.
    pub(crate) async fn now(self) -> Infallible {
        self.0.cancel();
        std::future::pending().await
    }
}

/// Serves `router` until `stop`, following the door.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    mut door: watch::Receiver<Door>,
    tasks: TaskTracker,
    stop: CancellationToken,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    let mut listener = Some(listener);
    // Connections of one opening of the door; they end when it shuts.
    let mut opening = stop.child_token();
    loop {
        let now = *door.borrow_and_update();
        if now != Door::Open {
            opening.cancel();
            opening = stop.child_token();
        }
        match (now, listener.take()) {
            (Door::Refuse, open) => {
                drop(open);
                let socket = bind(address)?;
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    changed = door.changed() => if changed.is_err() { return Ok(()) },
                }
                listener = Some(socket.listen(1024)?);
            }
            (Door::Open | Door::Reset, Some(open)) => {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    changed = door.changed() => if changed.is_err() { return Ok(()) },
                    accepted = open.accept() => match accepted {
                        Ok((stream, _)) if now == Door::Reset => reset(stream),
                        Ok((stream, _)) => {
                            tasks.spawn(connection(stream, router.clone(), opening.child_token()));
                        }
                        // A peer that left before it was accepted, or no free descriptors: the next may do better.
                        Err(error) => {
                            tracing::debug!(%error, "accepting failed");
                            tokio::time::sleep(PAUSE).await;
                        }
                    },
                }
                listener = Some(open);
            }
            (Door::Open | Door::Reset, None) => listener = Some(bind(address)?.listen(1024)?),
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn connection(stream: TcpStream, router: Router, kill: CancellationToken) {
    let of_request = Kill(kill.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(of_request.clone());
        router.clone().oneshot(request.map(Body::new))
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        biased;
        () = kill.cancelled() => reset(connection.into_parts().io.into_inner()),
        // How a peer ends its connection is its own business.
        _ended = &mut connection => {}
    }
}

/// Closes with RST instead of FIN.
fn reset(stream: TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::debug!(%error, "the connection is closed instead of reset");
    }
    drop(stream);
}
