//! Telegram's server: a client for our own calls, and a pipe for those of apps.
//!
//! One [`Upstream`] serves all bots that share its settings: connections are pooled, bounded, and made directly or
//! through a SOCKS5 or HTTP proxy. A call's error says what may be done next; above all whether the request can have
//! arrived ([`CallError`]), because the Bot API has no idempotency key and a repeated send is seen by people.
//!
//! HTTP/1.1 over rustls with ring; trust comes from the platform's store (`SSL_CERT_FILE` is honoured), so that the
//! whole product believes the same authorities and an own server's private one can be added where admins expect it.
//! hyper's client rather than a higher one: nothing is followed, decompressed or retried behind our back.
//!
//! No token is in any `Debug`, `Display` or span of this module: addresses are built, used and dropped.

mod address;
mod body;
mod call;
mod connect;
mod error;
mod fetch;
mod methods;
mod own_certificate;
mod pipe;
mod settings;
mod traffic;
mod upload;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use tokio::sync::Semaphore;

pub use body::{DownloadError, PipeBody, UploadError};
pub use connect::AddressGuard;
pub use error::{CallError, Conflict, Lost, NotSent, PipeError, SetUpError, TransportError};
pub use fetch::{FetchError, Fetcher};
pub use methods::{GetUpdates, Me, SetWebhook, WebhookInfo};
pub use pipe::Target;
pub use settings::{Limits, Proxy, ProxyError, Roots, ServerBase, ServerBaseError, Settings};
pub use traffic::METRICS;
pub use upload::{FileStream, FileUpload, UploadCallError};

pub(crate) use connect::Connector;

type RequestBody = UnsyncBoxBody<Bytes, UploadError>;

/// Among a request's extensions: on which of the threads that serve apps it is. It goes over connections that belong
/// to this thread, so that nothing of it has to be woken elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread(pub usize);

/// A Bot API server.
#[derive(Clone)]
pub struct Upstream(Arc<Inner>);

struct Inner {
    /// Of whoever runs on no [`Thread`].
    client: Client<Connector, RequestBody>,
    /// One for each thread, with connections of its own.
    clients: Vec<Client<Connector, RequestBody>>,
    api: ServerBase,
    files: ServerBase,
    limits: Limits,
    /// Connections of calls and pipes. Polls have a bound of their own: they hold one for as long as nothing happens.
    connections: Arc<Semaphore>,
    polls: Arc<Semaphore>,
    traffic: traffic::Traffic,
}

impl Upstream {
    /// Makes a client. Nothing is connected yet.
    pub fn new(settings: Settings) -> Result<Self, SetUpError> {
        let limits = settings.limits;
        let needs_tls = settings.api_base.is_https() || settings.file_base.is_https();
        let connector = Connector::new(&settings, needs_tls)?;
        let client = |idle| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(limits.keep_idle)
                .pool_max_idle_per_host(idle)
                .http1_max_buf_size(128 * 1024)
                .build(connector.clone())
        };
        Ok(Self(Arc::new(Inner {
            client: client(limits.max_idle_connections),
            clients: (0..settings.threads)
                .map(|_| client(limits.max_idle_connections / settings.threads))
                .collect(),
            api: settings.api_base,
            files: settings.file_base,
            limits,
            connections: Arc::new(Semaphore::new(limits.max_connections)),
            polls: Arc::new(Semaphore::new(limits.max_polls)),
            traffic: traffic::Traffic::new(),
        })))
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("api", &self.0.api)
            .field("files", &self.0.files)
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}
