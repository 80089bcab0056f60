//! Serving the control socket.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    response::{IntoResponse, Response},
    routing::post,
};
use http::StatusCode;
use tandem_bridge::{
    Bridge,
    operations::{Refusal, RefusalCode, Request},
};
use tandem_gateway::{Accept, Limits, Peer};
use tokio::net::{UnixListener, UnixStream};

use super::{MAX_BODY_BYTES, PERFORM, VERSION_HEADER};
use crate::serve::Stop;

/// The socket of a process that holds the database's lock. Removed when it is dropped.
#[derive(Debug)]
pub(crate) struct ControlSocket {
    listener: Listener,
    path: Bound,
}

/// Removes the socket's file when it goes.
#[derive(Debug)]
struct Bound(PathBuf);

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the control socket {}", path.display())]
pub struct SocketError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl ControlSocket {
    /// Makes the socket in place of one that a killed process has left. Whoever calls holds the database's lock, so
    /// it is nobody's.
    ///
    /// It is made under another name and renamed when its mode is set: nobody else can connect in between.
    pub(crate) fn bind(path: PathBuf) -> Result<Self, SocketError> {
        let make = || {
            let mut new = path.as_os_str().to_owned();
            new.push(".new");
            let new = PathBuf::from(new);
            remove(&new)?;
            let listener = UnixListener::bind(&new)?;
            fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
            fs::rename(&new, &path)?;
            Ok(listener)
        };
        match make() {
            Ok(listener) => {
                Ok(Self { listener: Listener { inner: listener, user: user() }, path: Bound(path) })
            }
            Err(source) => Err(SocketError { path, source }),
        }
    }

    /// Performs what is asked for until `stop`; what was begun by then is finished.
    pub(crate) async fn serve(self, bridge: Bridge, stop: Stop) {
        let router = Router::new()
            .route(PERFORM, post(perform))
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(bridge);
        tandem_gateway::serve(self.listener, router, Limits::OWN, stop.soft, stop.hard).await;
        drop(self.path);
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Err(error) = remove(&self.0) {
            tracing::warn!(%error, "the control socket could not be removed: {error}");
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Lets in this process's own user, and root, who can read everything anyway.
#[derive(Debug)]
struct Listener {
    inner: UnixListener,
    user: u32,
}

impl Accept for Listener {
    type Stream = UnixStream;

    async fn accept(&self) -> io::Result<(UnixStream, Peer)> {
        let (stream, peer) = Accept::accept(&self.inner).await?;
        let user = stream.peer_cred()?.uid();
        if user == self.user || user == 0 {
            Ok((stream, peer))
        } else {
            tracing::warn!(peer.user = user, "user {user} was refused at the control socket");
            Err(io::ErrorKind::ConnectionAborted.into())
        }
    }
}

/// Performs one operation. The body is read here rather than by an extractor, so that a request of another version
/// is refused in the words of a refusal.
async fn perform(State(bridge): State<Bridge>, body: Bytes) -> Response {
    let version = [(VERSION_HEADER, env!("CARGO_PKG_VERSION"))];
    let performed = match serde_json::from_slice::<Request>(&body) {
        Ok(request) => bridge.perform(request).await,
        Err(error) => {
            tracing::debug!(%error, "a request on the control socket is not understood");
            Err(Refusal::new(
                RefusalCode::BadRequest,
                "The running tandem serve does not understand this command.",
                concat!(
                    "It is version ",
                    env!("CARGO_PKG_VERSION"),
                    ": use the same version for the command."
                ),
            ))
        }
    };
    match performed {
        Ok(response) => (version, Json(response)).into_response(),
        Err(refusal) => (StatusCode::UNPROCESSABLE_ENTITY, version, Json(refusal)).into_response(),
    }
}
