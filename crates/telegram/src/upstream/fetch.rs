//! Getting files from elsewhere: from allowed addresses only, with nothing followed by itself.

use std::{fmt, io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{self, Client},
    rt::{TokioExecutor, TokioTimer},
};

use super::{AddressGuard, Connector, Roots, SetUpError, TransportError, call::USER_AGENT};

/// Gets files. The address that a name stands for is asked about when it is connected to, and is what is connected to.
/// Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct Fetcher(Client<Connector, Empty<Bytes>>);

/// Why nothing came.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The address may not be connected to.
    #[error("the address is not allowed")]
    NotAllowed,
    /// No connection, or one that broke.
    #[error("the server cannot be reached")]
    Transport(#[source] TransportError),
}

impl Fetcher {
    /// A client that believes `roots` and asks `guard` about each address before it connects, for at most `connect`.
    pub fn new(
        roots: &Roots,
        guard: Option<Arc<dyn AddressGuard>>,
        connect: Duration,
    ) -> Result<Self, SetUpError> {
        let connector = Connector::to_anybody(roots, guard, connect)?;
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(Duration::from_secs(5)).set_host(true);
        Ok(Self(client.build(connector)))
    }

    /// Asks for a file. An answer of any status is an answer; a redirect is not followed.
    pub async fn get(&self, address: Uri) -> Result<Response<Incoming>, FetchError> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = address;
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, USER_AGENT);
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        // What is compressed on the way would have another length than the file.
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        self.0.request(request).await.map_err(|error| {
            if is_denied(&error) {
                FetchError::NotAllowed
            } else {
                FetchError::Transport(TransportError::of_request(error))
            }
        })
    }
}

/// Whether the guard said no.
fn is_denied(error: &legacy::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::PermissionDenied) {
            return true;
        }
        next = error.source();
    }
    false
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fetcher")
    }
}
