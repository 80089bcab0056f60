//! Making connections: directly or through a proxy, to allowed addresses, with TLS, within one limit of time.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::{
    client::legacy::connect::{
        HttpConnector,
        dns::Name,
        proxy::{SocksV5, Tunnel},
    },
    rt::TokioIo,
};
use rustls::{
    ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier,
    pki_types::{CertificateDer, pem::PemObject},
};
use secrecy::ExposeSecret;
use tokio::net::TcpStream;
use tower_service::Service;

use super::{
    Roots, SetUpError, Settings,
    own_certificate::OwnCertificates,
    settings::{Proxy, ProxyKind},
};

/// Says which addresses may be connected to.
pub trait AddressGuard: fmt::Debug + Send + Sync {
    /// Whether this one may.
    fn allows(&self, address: IpAddr) -> bool;
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// TLS where the address asks for it, over whatever way there is; all of it within the limit.
#[derive(Clone)]
pub(crate) struct Connector {
    inner: HttpsConnector<Way>,
    limit: Duration,
}

impl Connector {
    pub(super) fn new(settings: &Settings, needs_tls: bool) -> Result<Self, SetUpError> {
        // Reading the platform's store costs time and memory that a plain server does not need.
        let roots = if needs_tls { roots(&settings.roots)? } else { RootCertStore::empty() };
        let tls = tls()?.with_root_certificates(roots).with_no_client_auth();
        Ok(Self::over(Way::new(settings), tls, settings.limits.connect))
    }

    /// Straight to somebody's webhook; to `fixed` whatever its name says, if that is given. [`Roots::Only`] is the
    /// webhook's own certificate, or that of who issued it.
    pub(crate) fn direct(
        trusted: &Roots,
        guard: Option<Arc<dyn AddressGuard>>,
        fixed: Option<IpAddr>,
        limit: Duration,
    ) -> Result<Self, SetUpError> {
        let names = fixed.map_or(Names::System, Names::Fixed);
        let way = Way::Direct(Direct { tcp: tcp(guard.clone(), names, limit), guard });
        let tls = tls()?;
        let tls = match trusted {
            Roots::Platform => tls.with_root_certificates(roots(trusted)?),
            Roots::Only(pem) => {
                let own = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok).collect();
                let provider = Arc::clone(tls.crypto_provider());
                let verifier = OwnCertificates::new(own, provider).ok_or(SetUpError::BadRoots)?;
                tls.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        Ok(Self::over(way, tls.with_no_client_auth(), limit))
    }

    /// Straight to whoever has a file, with an ordinary certificate.
    pub(super) fn to_anybody(
        trusted: &Roots,
        guard: Option<Arc<dyn AddressGuard>>,
        limit: Duration,
    ) -> Result<Self, SetUpError> {
        let way = Way::Direct(Direct { tcp: tcp(guard.clone(), Names::System, limit), guard });
        let tls = tls()?.with_root_certificates(roots(trusted)?).with_no_client_auth();
        Ok(Self::over(way, tls, limit))
    }

    fn over(way: Way, mut tls: ClientConfig, limit: Duration) -> Self {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { inner: HttpsConnector::from((way, tls)), limit }
    }
}

fn tls() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, SetUpError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SetUpError::Tls)
}

fn roots(roots: &Roots) -> Result<RootCertStore, SetUpError> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::Platform => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() { Err(SetUpError::NoRoots) } else { Ok(store) }
        }
        Roots::Only(pem) => {
            store.add_parsable_certificates(CertificateDer::pem_slice_iter(pem).filter_map(Result::ok));
            if store.is_empty() { Err(SetUpError::BadRoots) } else { Ok(store) }
        }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        let connecting = self.inner.call(destination);
        let limit = self.limit;
        Box::pin(async move {
            tokio::time::timeout(limit, connecting).await.unwrap_or_else(|_late| {
                let text = format!("no connection within {limit:?}");
                Err(io::Error::new(io::ErrorKind::TimedOut, text).into())
            })
        })
    }
}

/// How TCP gets there.
#[derive(Clone)]
enum Way {
    Direct(Direct),
    Socks5(SocksV5<Tcp>),
    Connect(Tunnel<Tcp>),
}

type Tcp = HttpConnector<GuardedResolver>;

impl Way {
    fn new(settings: &Settings) -> Self {
        let Some(Proxy { kind, uri, credentials }) = &settings.proxy else {
            let guard = settings.guard.clone();
            return Self::Direct(Direct {
                tcp: tcp(guard.clone(), Names::System, settings.limits.connect),
                guard,
            });
        };
        let to_proxy = tcp(None, Names::System, settings.limits.connect);
        match (kind, credentials) {
            (ProxyKind::Socks5, None) => Self::Socks5(SocksV5::new(uri.clone(), to_proxy)),
            (ProxyKind::Socks5, Some(known)) => Self::Socks5(
                SocksV5::new(uri.clone(), to_proxy)
                    .with_auth(known.user.clone(), known.password.expose_secret().to_owned()),
            ),
            (ProxyKind::Http, None) => Self::Connect(Tunnel::new(uri.clone(), to_proxy)),
            (ProxyKind::Http, Some(known)) => {
                let pair = format!("{}:{}", known.user, known.password.expose_secret());
                let value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))
                    .expect("base64 is a header value");
                Self::Connect(Tunnel::new(uri.clone(), to_proxy).with_auth(value))
            }
        }
    }
}

fn tcp(guard: Option<Arc<dyn AddressGuard>>, names: Names, limit: Duration) -> Tcp {
    let mut tcp = HttpConnector::new_with_resolver(GuardedResolver { guard, names });
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(Duration::from_mins(1)));
    // Shared between the addresses of a name, so that a dead first one leaves time for the second.
    tcp.set_connect_timeout(Some(limit));
    tcp
}

impl Service<Uri> for Way {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Connecting<Self::Response>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // None of the three holds anything before it is called.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, destination: Uri) -> Self::Future {
        match self {
            Self::Direct(direct) => direct.call(destination),
            Self::Socks5(socks) => {
                let connecting = socks.call(with_port(&destination));
                Box::pin(async move { connecting.await.map_err(Into::into) })
            }
            Self::Connect(tunnel) => {
                let connecting = tunnel.call(with_port(&destination));
                Box::pin(async move { connecting.await.map_err(Into::into) })
            }
        }
    }
}

/// The destination with its port written out: the proxies would take 443 for any that is not.
fn with_port(destination: &Uri) -> Uri {
    let port = match (destination.port_u16(), destination.scheme_str()) {
        (Some(_), _) => return destination.clone(),
        (None, Some("http")) => 80,
        (None, _) => 443,
    };
    let host = destination.host().unwrap_or("");
    format!("http://{host}:{port}").parse().unwrap_or_else(|_malformed| destination.clone())
}

#[derive(Clone)]
struct Direct {
    tcp: Tcp,
    guard: Option<Arc<dyn AddressGuard>>,
}

impl Direct {
    fn call(&mut self, destination: Uri) -> Connecting<TokioIo<TcpStream>> {
        // The resolver is not asked about an address that is already a number.
        let literal =
            destination.host().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        if let (Some(address), Some(guard)) = (literal, &self.guard)
            && !guard.allows(address)
        {
            return Box::pin(async { Err(not_allowed().into()) });
        }
        let connecting = self.tcp.call(destination);
        Box::pin(async move { connecting.await.map_err(Into::into) })
    }
}

fn not_allowed() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "the address is not allowed")
}

/// What names stand for.
#[derive(Clone)]
enum Names {
    /// The system says.
    System,
    /// Every name for this address.
    Fixed(IpAddr),
    /// Each question has another answer, as a hostile server of names would give it.
    #[cfg(test)]
    Scripted(Arc<std::sync::Mutex<std::collections::VecDeque<Vec<IpAddr>>>>),
}

impl Names {
    async fn look_up(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 0)).await?.collect()),
            Self::Fixed(address) => Ok(vec![SocketAddr::new(*address, 0)]),
            #[cfg(test)]
            Self::Scripted(answers) => {
                let answer = answers.lock().unwrap().pop_front().expect("nobody asks twice");
                Ok(answer.into_iter().map(|address| SocketAddr::new(address, 0)).collect())
            }
        }
    }
}

/// Names without the addresses that may not be connected to. What it gives is what is connected to: a name is asked
/// about once for a connection, so that it cannot stand for something else by the time it is used.
#[derive(Clone)]
struct GuardedResolver {
    guard: Option<Arc<dyn AddressGuard>>,
    names: Names,
}

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { guard, names } = self.clone();
        Box::pin(async move {
            let found = names.look_up(name.as_str()).await?;
            let any = !found.is_empty();
            let allowed: Vec<_> = found
                .into_iter()
                .filter(|address| guard.as_ref().is_none_or(|guard| guard.allows(address.ip())))
                .collect();
            if any && allowed.is_empty() { Err(not_allowed()) } else { Ok(allowed.into_iter()) }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::net::TcpListener;

    use super::*;

    /// Of two loopback addresses, one stands for the public net and one for what nobody may reach.
    const PUBLIC: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const PRIVATE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

    #[derive(Debug)]
    struct OnlyPublic;

    impl AddressGuard for OnlyPublic {
        fn allows(&self, address: IpAddr) -> bool {
            address == PUBLIC
        }
    }

    /// Connects by a name with these answers; whom it reached.
    async fn connect(answers: &[&[IpAddr]], host: &str, port: u16) -> Result<SocketAddr, io::ErrorKind> {
        let names = Names::Scripted(Arc::new(Mutex::new(answers.iter().map(|one| one.to_vec()).collect())));
        let guard: Option<Arc<dyn AddressGuard>> = Some(Arc::new(OnlyPublic));
        let mut direct = Direct { tcp: tcp(guard.clone(), names, Duration::from_secs(10)), guard };
        let uri = format!("http://{host}:{port}/").parse().unwrap();
        match direct.call(uri).await {
            Ok(stream) => Ok(stream.inner().peer_addr().unwrap()),
            Err(error) => {
                let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&*error);
                while let Some(error) = next {
                    if let Some(io) = error.downcast_ref::<io::Error>() {
                        return Err(io.kind());
                    }
                    next = error.source();
                }
                panic!("{error}");
            }
        }
    }

    #[tokio::test]
    async fn what_was_vetted_is_what_is_connected_to() {
        let public = TcpListener::bind((PUBLIC, 0)).await.unwrap();
        let port = public.local_addr().unwrap().port();
        let private = TcpListener::bind((PRIVATE, port)).await.unwrap();
        let denied = Err(io::ErrorKind::PermissionDenied);
        // The second answer of a name that changes is never asked for.
        let rebinding: &[&[IpAddr]] = &[&[PUBLIC], &[PRIVATE]];
        assert_eq!(connect(rebinding, "rebind.example", port).await, Ok(SocketAddr::new(PUBLIC, port)));
        assert_eq!(connect(&[&[PRIVATE]], "private.example", port).await, denied);
        let mixed: &[&[IpAddr]] = &[&[PRIVATE, PUBLIC, PRIVATE]];
        assert_eq!(connect(mixed, "mixed.example", port).await, Ok(SocketAddr::new(PUBLIC, port)));
        for literal in ["127.0.0.2", "[::ffff:127.0.0.2]", "[::1]"] {
            assert_eq!(connect(&[], literal, port).await, denied, "{literal}");
        }
        drop(public);
        // Nobody listens at the public one: the others of the name are no second choice.
        let mixed: &[&[IpAddr]] = &[&[PUBLIC, PRIVATE]];
        assert_eq!(connect(mixed, "mixed.example", port).await, Err(io::ErrorKind::ConnectionRefused));
        let nobody_came = Duration::from_millis(1);
        assert!(tokio::time::timeout(nobody_came, private.accept()).await.is_err());
    }
}
