//! One connection to a webhook, and one request on it.

use std::{error::Error, io, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    client::conn::http1::{self, SendRequest},
    ext::ReasonPhrase,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::{
    target::{Scheme, Target},
    tls,
};
use crate::telegram::{Bot, Telegram};

/// The full answer must arrive within this.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The largest answer that is read: a reply with files.
const MAX_ANSWER_BYTES: usize = 51 << 20;

/// An open connection.
#[derive(Debug)]
pub(super) struct Link(SendRequest<Full<Bytes>>);

/// What a webhook answered.
#[derive(Debug)]
pub(super) struct WebhookAnswer {
    pub(super) status: StatusCode,
    /// Status and reason as received.
    pub(super) status_line: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A delivery without an answer.
#[derive(Debug)]
pub(super) enum LinkError {
    /// The connection had been closed before the request: another one may be tried at once.
    Stale,
    /// A text for `last_error_message`.
    Failed(String),
}

impl Link {
    /// Whether it can take a request.
    pub(super) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }

    /// Opens a connection; the error is a text for `last_error_message`.
    pub(super) async fn open(telegram: &Telegram, bot: &Bot, target: &Target) -> Result<Self, String> {
        let opening = async {
            let address = target.address.current(bot).await?;
            let stream = TcpStream::connect(address).await.map_err(|error| describe(&error))?;
            stream.set_nodelay(true).ok();
            match target.scheme {
                Scheme::Http => Self::handshake(telegram, stream).await,
                Scheme::Https => Self::handshake(telegram, tls::connect(stream, target).await?).await,
            }
        };
        tokio::select! {
            opened = opening => opened,
            () = bot.clock.sleep(TIMEOUT) => Err("Connection timed out".to_owned()),
        }
    }

    async fn handshake<S>(telegram: &Telegram, stream: S) -> Result<Self, String>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .title_case_headers(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| text(&error))?;
        let stop = telegram.stop().clone();
        telegram.tasks().spawn(async move {
            if let Some(Err(error)) = stop.run_until_cancelled(connection).await {
                tracing::debug!(%error, "a connection to a webhook ended early");
            }
        });
        Ok(Self(sender))
    }

    /// Posts an update and reads the whole answer.
    pub(super) async fn post(
        &mut self,
        bot: &Bot,
        target: &Target,
        body: Bytes,
    ) -> Result<WebhookAnswer, LinkError> {
        if self.0.ready().await.is_err() {
            return Err(LinkError::Stale);
        }
        let answering = async {
            let answer = self.0.send_request(request(target, body)).await.map_err(|error| {
                if error.is_canceled() { LinkError::Stale } else { LinkError::Failed(text(&error)) }
            })?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES)
                .collect()
                .await
                .map_err(|error| LinkError::Failed(text(error.as_ref())))?;
            Ok(WebhookAnswer {
                status: head.status,
                status_line: status_line(head.status, head.extensions.get()),
                headers: head.headers,
                body: body.to_bytes(),
            })
        };
        tokio::select! {
            answer = answering => answer,
            () = bot.clock.sleep(TIMEOUT) => Err(LinkError::Failed("Read timeout expired".to_owned())),
        }
    }
}

fn request(target: &Target, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() = target.path.clone();
    let headers = request.headers_mut();
    headers.insert(header::HOST, target.host_header.clone());
    if let Some(secret) = &target.wish.secret {
        let value = HeaderValue::try_from(secret).expect("setWebhook has checked the secret's characters");
        headers.insert("x-telegram-bot-api-secret-token", value);
    }
    if let Some(authorization) = &target.authorization {
        headers.insert(header::AUTHORIZATION, authorization.clone());
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate"));
    request
}

fn status_line(status: StatusCode, reason: Option<&ReasonPhrase>) -> String {
    let reason = match reason {
        Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
        None => status.canonical_reason().unwrap_or_default().to_owned(),
    };
    format!("{} {reason}", status.as_u16())
}

/// The words for a failed connection.
fn text(error: &(dyn Error + 'static)) -> String {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return describe(error);
        }
        cause = error.source();
    }
    "Connection closed".to_owned()
}

/// The operating system's words, as `last_error_message` has them.
pub(super) fn describe(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "Connection refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "Connection reset by peer",
        io::ErrorKind::TimedOut => "Connection timed out",
        io::ErrorKind::UnexpectedEof => "Connection closed",
        _ => "Can't connect to the webhook",
    }
    .to_owned()
}
