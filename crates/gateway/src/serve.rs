//! Serving a router over HTTP/1.1 with limits that axum's own server does not have.

use std::{io, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a connection may be idle, or take to send the head of a request (reference/telegram.md 1.3).
const IDLE_LIMIT: Duration = Duration::from_secs(500);
/// How long nothing is accepted after the system refused to: it has no file handles left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `soft` is cancelled, then finishes the requests that are under way and closes idle connections.
/// `hard` closes everything at once.
///
/// A request line over 64 KiB is answered with 414, and a head over 400 KiB with 431, both without a body: no handler
/// sees them.
pub async fn serve(listener: TcpListener, router: Router, soft: CancellationToken, hard: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        tokio::select! {
            () = soft.cancelled() => break,
            () = hard.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (router, soft, hard) = (router.clone(), soft.clone(), hard.clone());
                    connections.spawn(async move {
                        hard.run_until_cancelled(connection(stream, router, soft)).await;
                    });
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn connection(stream: TcpStream, router: Router, soft: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was closed before it was used");
        return;
    }
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(IDLE_LIMIT).half_close(false);
    let serving = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(serving);
    let result = tokio::select! {
        result = &mut serving => result,
        () = soft.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = result {
        // Clients come and go in every way there is.
        tracing::debug!(%error, "a connection ended with an error");
    }
}

/// Whether it is only this connection that failed.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}
