//! Posting updates to a webhook as Telegram does it (reference/telegram.md 3.3): one request an update, connections
//! reused, redirects not followed, the whole answer within a minute.

use std::{error::Error, fmt, io, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::ext::ReasonPhrase;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};

use super::{ANSWER_LIMIT, DeliveryFailure, SecretToken, WebhookAddress, headers};
use crate::upstream::{AddressGuard, Connector, Roots, SetUpError};

/// How long making a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Less than receivers usually keep a connection, so that none is used that is just closing.
const KEEP_IDLE: Duration = Duration::from_secs(30);
/// Longest answer that is read: a reply with a method may carry a file.
const ANSWER_BYTES: usize = 50 << 20;

/// Posts updates to webhooks. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct WebhookClient(Client<Connector, Full<Bytes>>);

/// What a receiver said to an update.
#[derive(Debug, Clone)]
pub struct Received {
    /// The status.
    pub status: StatusCode,
    /// The reason phrase, where it is not the status's usual one.
    pub reason: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty for other statuses than success, where nobody reads it.
    pub body: Bytes,
}

impl WebhookClient {
    /// A client that believes `roots`, asks `guard` about each address before it connects, and goes to `fixed`
    /// whatever a receiver's name resolves to, where that is given.
    pub fn new(
        roots: &Roots,
        guard: Option<Arc<dyn AddressGuard>>,
        fixed: Option<IpAddr>,
    ) -> Result<Self, SetUpError> {
        let connector = Connector::direct(roots, guard, fixed, CONNECT_LIMIT)?;
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(KEEP_IDLE).set_host(true);
        Ok(Self(client.build(connector)))
    }

    /// Posts one update. An answer of any status is an answer; see [`super::is_success`].
    pub async fn post(
        &self,
        address: &WebhookAddress,
        secret: Option<&SecretToken>,
        update: Bytes,
    ) -> Result<Received, DeliveryFailure> {
        let mut request = Request::post(address.uri().clone())
            .body(Full::new(update))
            .map_err(|_invalid| DeliveryFailure::CannotConnect)?;
        *request.headers_mut() = headers(address, secret);
        tokio::time::timeout(ANSWER_LIMIT, self.exchange(request))
            .await
            .unwrap_or(Err(DeliveryFailure::ReadTimeout))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Received, DeliveryFailure> {
        let response = self.0.request(request).await.map_err(|error| failure(&error))?;
        let (parts, body) = response.into_parts();
        let body = if parts.status.is_success() {
            let whole = Limited::new(body, ANSWER_BYTES).collect().await;
            whole.map_err(|error| failure(error.as_ref()))?.to_bytes()
        } else {
            Bytes::new()
        };
        let reason = parts.extensions.get::<ReasonPhrase>();
        let reason = reason.map(|reason| String::from_utf8_lossy(reason.as_bytes()).into_owned());
        Ok(Received { status: parts.status, reason, headers: parts.headers, body })
    }
}

impl Received {
    /// What it says of the delivery, when it is no success.
    pub fn failure(&self) -> DeliveryFailure {
        let usual = || self.status.canonical_reason().unwrap_or("").to_owned();
        let reason = self.reason.clone().unwrap_or_else(usual);
        DeliveryFailure::Status { status: self.status.as_u16(), reason }
    }
}

impl fmt::Debug for WebhookClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookClient")
    }
}

/// In Telegram's words, by what lies deepest.
fn failure(error: &(dyn Error + 'static)) -> DeliveryFailure {
    let mut next = Some(error);
    let mut found = DeliveryFailure::CannotConnect;
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return DeliveryFailure::Tls(tls.to_string());
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            if let Some(tls) = tls_inside(io) {
                return DeliveryFailure::Tls(tls.to_string());
            }
            match io.kind() {
                io::ErrorKind::ConnectionRefused => found = DeliveryFailure::Refused,
                // Of the guard; a system says so of a socket only where a firewall does.
                io::ErrorKind::PermissionDenied => found = DeliveryFailure::NotAllowed,
                io::ErrorKind::TimedOut => found = DeliveryFailure::ConnectTimeout,
                io::ErrorKind::ConnectionReset
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionAborted => found = DeliveryFailure::Reset,
                _ => {}
            }
        }
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message) {
            found = DeliveryFailure::Reset;
        }
        next = error.source();
    }
    found
}

/// An error of TLS travels inside one of I/O, and that inside another, which do not name it as their source.
fn tls_inside(io: &io::Error) -> Option<&rustls::Error> {
    let inner = io.get_ref()?;
    inner.downcast_ref().or_else(|| tls_inside(inner.downcast_ref()?))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::webhook::WebhookPolicy;

    fn client() -> WebhookClient {
        WebhookClient::new(&Roots::Platform, None, None).unwrap()
    }

    fn address(text: &str) -> WebhookAddress {
        WebhookAddress::parse(text, WebhookPolicy::Any).unwrap()
    }

    /// Answers one request with these bytes and gives what it read.
    async fn receiver(answer: &'static [u8]) -> (WebhookAddress, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let to = address(&format!("http://{}/hook?t=s", listener.local_addr().unwrap()));
        let seen = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"{\"update_id\":1}") {
                let mut chunk = [0; 1024];
                let length = socket.read(&mut chunk).await.unwrap();
                assert!(length > 0);
                read.extend_from_slice(&chunk[..length]);
            }
            socket.write_all(answer).await.unwrap();
            String::from_utf8(read).unwrap()
        });
        (to, seen)
    }

    const UPDATE: Bytes = Bytes::from_static(b"{\"update_id\":1}");

    #[tokio::test]
    async fn an_update_is_posted_as_telegram_posts_it() {
        let (to, seen) = receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
        let secret = SecretToken::parse("s3cret").unwrap();
        let received = client().post(&to, Some(&secret), UPDATE).await.unwrap();
        assert_eq!((received.status, received.body.as_ref()), (StatusCode::OK, b"{}".as_slice()));
        let seen = seen.await.unwrap().to_ascii_lowercase();
        assert!(seen.starts_with("post /hook?t=s http/1.1\r\n"), "{seen}");
        for header in [
            "host: 127.0.0.1:",
            "content-type: application/json",
            "content-length: 15",
            "accept-encoding: gzip, deflate",
            "x-telegram-bot-api-secret-token: s3cret",
        ] {
            assert!(seen.contains(&format!("\r\n{header}")), "{header} in {seen}");
        }
    }

    #[tokio::test]
    async fn redirects_and_errors_are_answers_and_are_not_followed() {
        let (to, _seen) =
            receiver(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 3\r\n\r\nabc").await;
        let received = client().post(&to, None, UPDATE).await.unwrap();
        assert_eq!((received.status.as_u16(), received.body.len()), (302, 0));
    }

    #[tokio::test]
    async fn what_went_wrong_is_said_in_telegrams_words() {
        let (to, _seen) = receiver(b"").await;
        assert_eq!(client().post(&to, None, UPDATE).await.unwrap_err(), DeliveryFailure::Reset);
        let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let nobody = address(&format!("http://{}/", unused.local_addr().unwrap()));
        drop(unused);
        assert_eq!(client().post(&nobody, None, UPDATE).await.unwrap_err(), DeliveryFailure::Refused);
    }

    #[tokio::test]
    async fn a_fixed_address_is_where_it_goes_whatever_the_name() {
        let (to, seen) = receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        let named = address(&to.expose().replace("127.0.0.1", "nowhere.invalid"));
        let fixed = WebhookClient::new(&Roots::Platform, None, Some([127, 0, 0, 1].into())).unwrap();
        assert_eq!(fixed.post(&named, None, UPDATE).await.unwrap().status, StatusCode::OK);
        assert!(seen.await.unwrap().to_ascii_lowercase().contains("host: nowhere.invalid:"));
    }
}
