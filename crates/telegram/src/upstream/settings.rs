//! Where Telegram's server is and how it is reached.

use std::{fmt, sync::Arc, time::Duration};

use http::Uri;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use url::Url;

use super::AddressGuard;

/// All settings of an [`super::Upstream`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where methods are: `<api_base>/bot<token>/<method>`.
    pub api_base: ServerBase,
    /// Where files are: `<file_base>/file/bot<token>/<path>`.
    pub file_base: ServerBase,
    /// How it is reached; directly without one.
    pub proxy: Option<Proxy>,
    /// Whom to believe.
    pub roots: Roots,
    /// Bounds.
    pub limits: Limits,
    /// Asked about every address before it is connected to. Not asked about a proxy, nor about what a proxy resolves.
    pub guard: Option<Arc<dyn AddressGuard>>,
    /// How many threads pipe requests, each with connections of its own ([`super::Thread`]); 0 when it does not matter
    /// where a request comes from.
    pub threads: usize,
}

impl Settings {
    /// A server for methods and files alike, with everything else as it usually is.
    pub fn for_server(base: ServerBase) -> Self {
        Self {
            file_base: base.clone(),
            api_base: base,
            proxy: None,
            roots: Roots::Platform,
            limits: Limits::default(),
            guard: None,
            threads: 0,
        }
    }
}

/// Whom to believe when a server shows its certificate.
#[derive(Debug, Clone)]
pub enum Roots {
    /// The authorities of the platform.
    Platform,
    /// Those in this PEM text and no others.
    Only(Vec<u8>),
}

/// Bounds of time and number.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For making a connection: name, TCP, proxy and TLS together; also for waiting until one may be made.
    pub connect: Duration,
    /// For the beginning of an answer, counted from the last byte of the request that was taken off our hands.
    pub answer: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// What a long poll may last beyond its own timeout.
    pub poll_margin: Duration,
    /// How long an unused connection is kept: less than servers keep it, so that none is used that is just closing.
    pub keep_idle: Duration,
    /// Unused connections kept: as many as a busy bot has calls under way, since a new one costs more than the call.
    pub max_idle_connections: usize,
    /// Calls and pipes at one time.
    pub max_connections: usize,
    /// Long polls at one time.
    pub max_polls: usize,
    /// Longest answer to a call of our own. One of `getUpdates` stops at about 4 MiB (1.3).
    pub max_answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            answer: Duration::from_mins(2),
            idle: Duration::from_mins(1),
            poll_margin: Duration::from_secs(10),
            keep_idle: Duration::from_secs(30),
            max_idle_connections: 256,
            max_connections: 512,
            max_polls: 10_000,
            max_answer_bytes: 16 << 20,
        }
    }
}

/// `http://host` or `https://host`, optionally with a port and a path.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerBase {
    text: String,
    https: bool,
}

/// Why a text is no address of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServerBaseError {
    /// No address at all.
    #[error("not an address: expected something like https://api.telegram.org")]
    Malformed,
    /// Another scheme.
    #[error("only http:// and https:// are possible")]
    Scheme,
    /// User, password, query or fragment.
    #[error("an address of a server has no user, query or fragment")]
    Extra,
}

impl ServerBase {
    /// Reads an address; a slash at its end does not matter.
    pub fn parse(text: &str) -> Result<Self, ServerBaseError> {
        let url = Url::parse(text).map_err(|_malformed| ServerBaseError::Malformed)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ServerBaseError::Scheme);
        }
        let extra = !url.username().is_empty() || url.password().is_some();
        if extra || url.query().is_some() || url.fragment().is_some() {
            return Err(ServerBaseError::Extra);
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        if text.parse::<Uri>().is_err() {
            return Err(ServerBaseError::Malformed);
        }
        Ok(Self { https: url.scheme() == "https", text })
    }

    /// Without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) const fn is_https(&self) -> bool {
        self.https
    }
}

impl fmt::Debug for ServerBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A proxy on the way.
#[derive(Clone)]
pub struct Proxy {
    pub(super) kind: ProxyKind,
    pub(super) uri: Uri,
    pub(super) credentials: Option<Credentials>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ProxyKind {
    /// SOCKS5; names are resolved by the proxy.
    Socks5,
    /// HTTP CONNECT, for plain servers too.
    Http,
}

#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) user: String,
    pub(super) password: SecretString,
}

/// Why a text is no proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// No address at all.
    #[error("not a proxy: expected socks5://[user:password@]host:port or http://[user:password@]host:port")]
    Malformed,
    /// Another scheme.
    #[error("only socks5://, socks5h:// and http:// proxies are possible")]
    Scheme,
    /// SOCKS5 has one byte for each length, and the handshake here one buffer for both.
    #[error("user and password of a SOCKS5 proxy are too long: at most 250 bytes together")]
    Credentials,
}

impl Proxy {
    /// Reads `socks5://`, `socks5h://` (the same: names are never resolved here, where an answer for Telegram's name
    /// may be a lie) or `http://`, with user and password percent-encoded. Ports default to 1080 and 8080.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        let url = Url::parse(text.trim()).map_err(|_malformed| ProxyError::Malformed)?;
        let (kind, default_port) = match url.scheme() {
            "socks5" | "socks5h" => (ProxyKind::Socks5, 1080),
            "http" => (ProxyKind::Http, 8080),
            _ => return Err(ProxyError::Scheme),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(ProxyError::Malformed)?;
        // `Url` hides http's own default port, which people write out for a proxy.
        let explicit = text.trim().trim_end_matches('/').ends_with(":80").then_some(80);
        let port = url.port().or(explicit).unwrap_or(default_port);
        let uri = format!("http://{host}:{port}").parse().map_err(|_malformed| ProxyError::Malformed)?;
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let user = decoded(url.username());
        let password = decoded(url.password().unwrap_or(""));
        if kind == ProxyKind::Socks5 && user.len() + password.len() > 250 {
            return Err(ProxyError::Credentials);
        }
        let given = !user.is_empty() || url.password().is_some();
        let credentials = given.then(|| Credentials { user, password: password.into() });
        Ok(Self { kind, uri, credentials })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = if self.credentials.is_some() { "..@" } else { "" };
        write!(f, "Proxy({:?} {user}{})", self.kind, self.uri.authority().map_or("", |at| at.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn bases_are_servers_and_nothing_more() {
        let base = |text| ServerBase::parse(text).map(|base| base.as_str().to_owned());
        assert_eq!(base("https://api.telegram.org/").unwrap(), "https://api.telegram.org");
        assert_eq!(base("http://127.0.0.1:8081/sub//").unwrap(), "http://127.0.0.1:8081/sub");
        assert_eq!(base("api.telegram.org"), Err(ServerBaseError::Malformed));
        assert_eq!(base("ftp://x/"), Err(ServerBaseError::Scheme));
        for extra in ["https://u@x/", "https://x/?a", "https://x/#a", "https://u:p@x"] {
            assert_eq!(base(extra), Err(ServerBaseError::Extra), "{extra}");
        }
    }

    #[test]
    fn proxies_are_read_with_their_credentials_and_hide_them() {
        let proxy = Proxy::parse("socks5://us%3Aer:p%40ss@[::1]:9050").unwrap();
        let credentials = proxy.credentials.as_ref().unwrap();
        assert_eq!((credentials.user.as_str(), credentials.password.expose_secret()), ("us:er", "p@ss"));
        assert_eq!(format!("{proxy:?}"), "Proxy(Socks5 ..@[::1]:9050)");
        for (text, shown) in [
            ("socks5h://proxy", "Proxy(Socks5 proxy:1080)"),
            ("http://proxy", "Proxy(Http proxy:8080)"),
            ("http://proxy:80/", "Proxy(Http proxy:80)"),
            ("http://u:p@10.0.0.1:3128", "Proxy(Http ..@10.0.0.1:3128)"),
        ] {
            assert_eq!(format!("{:?}", Proxy::parse(text).unwrap()), shown);
        }
        assert_eq!(Proxy::parse("proxy:1080").unwrap_err(), ProxyError::Scheme);
        assert_eq!(Proxy::parse("https://proxy").unwrap_err(), ProxyError::Scheme);
        assert_eq!(Proxy::parse("").unwrap_err(), ProxyError::Malformed);
        assert_eq!(
            Proxy::parse(&format!("socks5://u:{}@x", "p".repeat(250))).unwrap_err(),
            ProxyError::Credentials
        );
    }
}
