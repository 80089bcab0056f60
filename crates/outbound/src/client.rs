//! The client itself.

use std::{
    error::Error as StdError,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use url::{Host, Url};

use crate::settings::{AddressFilter, Roots, Settings};

/// Why the client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The platform has no trusted certificates.
    #[error("this system has no trusted certificates: install its package of certificate authorities")]
    NoRoots,
    /// What was given to be trusted is no certificate.
    #[error("the certificates to trust are none that can be read")]
    BadRoots,
    /// TLS itself.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The client.
    #[error("the HTTP client cannot be set up")]
    Client(#[source] reqwest::Error),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// The address is none of those that may be connected to.
    #[error("its address is not allowed; security.allow_private_addresses = true allows private ones")]
    NotAllowed,
    /// No connection could be made: nothing was sent.
    #[error("no connection can be made: {reason}")]
    NotConnected {
        /// Why.
        reason: String,
    },
    /// It may have been sent.
    #[error("no answer came: {reason}")]
    Lost {
        /// Why.
        reason: String,
    },
}

/// A request, ready to be sent.
#[derive(Debug)]
pub struct Outgoing {
    /// How.
    pub method: Method,
    /// Where.
    pub url: Url,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; none is sent where it is empty.
    pub body: Bytes,
}

/// What was answered, whatever the status.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, whole.
    pub body: Bytes,
}

/// The client. Cheap to clone: clones are the same.
#[derive(Clone)]
pub struct Client {
    client: reqwest::Client,
    guard: Option<AddressFilter>,
}

impl Client {
    /// Makes one; several accounts can share it.
    pub fn new(settings: &Settings) -> Result<Self, SetUpError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(&settings.roots)?)
            .dns_resolver(Arc::new(GuardedResolver(settings.guard.clone())))
            .redirect(Policy::none())
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            // A lost connection may have carried the request: whoever asked decides about a repeat.
            .retry(reqwest::retry::never())
            .connect_timeout(settings.connect_limit)
            .timeout(settings.answer_limit)
            .pool_idle_timeout(std::time::Duration::from_secs(30))
            .pool_max_idle_per_host(256)
            .user_agent(concat!("tandem/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(SetUpError::Client)?;
        Ok(Self { client, guard: settings.guard.clone() })
    }

    /// Sends it, once. Whatever the status, it is an answer; one of more than `most` bytes is none.
    pub async fn send(&self, outgoing: Outgoing, most: usize) -> Result<Answered, NoAnswer> {
        if let Some(guard) = &self.guard
            && literal(&outgoing.url).is_some_and(|address| !guard(address))
        {
            // The resolver is not asked about an address that is already a number.
            return Err(NoAnswer::NotAllowed);
        }
        let mut request = reqwest::Request::new(outgoing.method, outgoing.url);
        *request.headers_mut() = outgoing.headers;
        if !outgoing.body.is_empty() {
            *request.body_mut() = Some(outgoing.body.into());
        }
        let mut response = self.client.execute(request).await.map_err(no_answer)?;
        let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
        let mut body = BytesMut::new();
        while let Some(piece) = response.chunk().await.map_err(no_answer)? {
            if body.len() + piece.len() > most {
                return Err(NoAnswer::Lost { reason: "the answer is too long".to_owned() });
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answered { status, headers, body: body.freeze() })
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("guarded", &self.guard.is_some()).finish_non_exhaustive()
    }
}

fn tls(roots: &Roots) -> Result<ClientConfig, SetUpError> {
    let mut store = RootCertStore::empty();
    let missing = match roots {
        Roots::Platform => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            SetUpError::NoRoots
        }
        Roots::Only(pem) => {
            store.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
            SetUpError::BadRoots
        }
    };
    if store.is_empty() {
        return Err(missing);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SetUpError::Tls)?;
    Ok(config.with_root_certificates(store).with_no_client_auth())
}

fn literal(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.to_canonical()),
    }
}

/// Names without the addresses that may not be connected to. What it gives is what is connected to.
struct GuardedResolver(Option<AddressFilter>);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let any = !found.is_empty();
            let allowed: Vec<_> = found
                .into_iter()
                .filter(|address| guard.as_ref().is_none_or(|guard| guard(address.ip().to_canonical())))
                .collect();
            if any && allowed.is_empty() {
                return Err(
                    io::Error::new(io::ErrorKind::PermissionDenied, "the address is not allowed").into()
                );
            }
            let allowed: Addrs = Box::new(allowed.into_iter());
            Ok(allowed)
        })
    }
}

fn no_answer(error: reqwest::Error) -> NoAnswer {
    // Secrets may stand in an address; ours have none, and none is shown.
    let error = error.without_url();
    let (mut denied, mut reason) = (false, String::new());
    let mut cause = StdError::source(&error);
    while let Some(error) = cause {
        denied |= error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
        reason = error.to_string();
        cause = error.source();
    }
    if error.is_timeout() {
        "it took too long".clone_into(&mut reason);
    } else if reason.is_empty() {
        reason = error.to_string();
    }
    match (error.is_connect(), denied) {
        (true, true) => NoAnswer::NotAllowed,
        (true, false) => NoAnswer::NotConnected { reason },
        (false, _) => NoAnswer::Lost { reason },
    }
}
