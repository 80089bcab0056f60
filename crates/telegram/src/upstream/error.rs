//! What can go wrong, by what the caller does next.

use std::{error::Error, fmt, time::Duration};

use http::StatusCode;
use hyper_util::client::legacy;

use super::{DownloadError, UploadError};
use crate::{
    envelope::{Failure, NotAnAnswer, Refusal},
    token::redact,
};

/// Why an [`super::Upstream`] cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The platform has no certificates: the package is usually called `ca-certificates`.
    #[error("no trusted certificates were found: install ca-certificates or set SSL_CERT_FILE")]
    NoRoots,
    /// The PEM text holds no certificate that can be used.
    #[error("the file of trusted certificates holds none that can be used")]
    BadRoots,
    /// The provider cannot do TLS 1.2 or 1.3.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
}

/// A connection that could not be made or that broke.
pub struct TransportError {
    stage: Stage,
    source: Box<dyn Error + Send + Sync>,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Connecting,
    Connected,
}

impl TransportError {
    pub(super) fn of_request(error: legacy::Error) -> Self {
        let stage = if error.is_connect() { Stage::Connecting } else { Stage::Connected };
        Self { stage, source: error.into() }
    }

    pub(super) fn of_body(error: hyper::Error) -> Self {
        Self { stage: Stage::Connected, source: error.into() }
    }

    /// The whole chain in one line, without anything that looks like a token: for logs and held rows.
    pub fn chain(&self) -> String {
        let mut text = String::new();
        let mut next: Option<&dyn Error> = Some(self.source.as_ref());
        while let Some(error) = next {
            let part = error.to_string();
            if !text.ends_with(&part) {
                if !text.is_empty() {
                    text.push_str(": ");
                }
                text.push_str(&part);
            }
            next = error.source();
        }
        redact(&text).into_owned()
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.stage {
            Stage::Connecting => "could not connect",
            Stage::Connected => "the connection failed",
        })
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransportError({self}: {})", self.chain())
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}

/// The request did not leave: repeating it is safe.
#[derive(Debug, thiserror::Error)]
pub enum NotSent {
    /// No connection, or one that closed before the request was begun.
    #[error("the request was not sent")]
    Transport(#[source] TransportError),
    /// As many connections as are allowed were in use for as long as connecting may take.
    #[error("too many requests at one time")]
    Busy,
    /// No address can be made of it: repeating is safe and useless.
    #[error("the request has no valid address")]
    Address,
}

/// The request left, or may have, and nobody knows what came of it: a send must never be repeated.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The connection broke.
    #[error("the connection broke before the answer was complete")]
    Transport(#[source] TransportError),
    /// The answer did not begin in time.
    #[error("no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The answer broke off.
    #[error("the answer broke off")]
    Answer(#[source] DownloadError),
    /// The answer is longer than it may be.
    #[error("the answer is too long")]
    TooLong,
}

/// What became of a call that was not simply done.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Safe to repeat.
    #[error(transparent)]
    NotSent(NotSent),
    /// Never to be repeated, when it is a send.
    #[error(transparent)]
    Lost(Lost),
    /// Telegram said no, in its own words, and would say it again.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// To be repeated after a while: nothing was done.
    #[error("refused: {refusal}")]
    RetryAfter {
        /// The while.
        after: Duration,
        /// Telegram's words.
        refusal: Refusal,
    },
    /// The token is wrong or revoked.
    #[error("the token is not accepted: {0}")]
    Unauthorized(Refusal),
    /// Something that is no Bot API answered, or the server had trouble of its own. A send may have been done.
    #[error("the server has trouble: {status} with {what}")]
    BadGateway {
        /// The HTTP status.
        status: StatusCode,
        /// What came instead of an answer.
        what: NotAnAnswer,
        /// Its beginning, without anything that looks like a token.
        excerpt: String,
    },
    /// Telegram itself said 5xx. A send may have been done.
    #[error("the server has trouble: {0}")]
    ServerError(Refusal),
    /// A result of another shape than the method has.
    #[error("the result has another shape than expected")]
    UnexpectedResult,
}

impl CallError {
    /// Sorts what Telegram said.
    pub(super) fn of_refusal(refusal: Refusal) -> Self {
        match (refusal.code, refusal.retry_after) {
            (429, after) => Self::RetryAfter { after: after.unwrap_or(Duration::from_secs(1)), refusal },
            (_, Some(after)) => Self::RetryAfter { after, refusal },
            (401, None) => Self::Unauthorized(refusal),
            (code, None) if code >= 500 => Self::ServerError(refusal),
            _ => Self::Refused(refusal),
        }
    }

    /// Who else takes this bot's stream, when that is what Telegram's 409 says.
    pub fn conflict(&self) -> Option<Conflict> {
        match self {
            Self::Refused(Refusal { code: 409, description, .. }) => {
                let webhook = description.to_ascii_lowercase().contains("webhook");
                Some(if webhook { Conflict::Webhook } else { Conflict::Poller })
            }
            _ => None,
        }
    }
}

/// Who else takes a bot's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// A webhook is set; `getWebhookInfo` says whose.
    Webhook,
    /// Another program polls; nothing says which.
    Poller,
}

/// Why a piped request has no answer to pass on. What Telegram itself says, errors included, is passed on.
#[derive(Debug, thiserror::Error)]
pub enum PipeError {
    /// It did not leave.
    #[error(transparent)]
    NotSent(NotSent),
    /// Nobody knows what came of it.
    #[error(transparent)]
    Lost(Lost),
    /// The app stopped sending in the middle.
    #[error("the request's body broke off")]
    Upload(#[source] UploadError),
    /// The server of files has none at this path.
    #[error("the server has no such file")]
    NoFile,
    /// Something that is no Bot API answered. The status is not passed on as it is: a false 401, 404 or 409 would stop
    /// the app for good.
    #[error("the server answered {status} with something else than JSON")]
    BadGateway {
        /// The HTTP status.
        status: StatusCode,
    },
}

impl PipeError {
    /// What the app is told.
    pub fn failure(&self) -> Failure {
        match self {
            Self::NotSent(NotSent::Busy) => Failure::too_many_requests(1),
            Self::NotSent(NotSent::Address) => Failure::URI_TOO_LONG,
            Self::Lost(Lost::Timeout(_)) => Failure::GATEWAY_TIMEOUT,
            Self::NotSent(NotSent::Transport(_)) | Self::Lost(_) => Failure::BAD_GATEWAY,
            Self::Upload(_) => Failure::bad_request("can't parse request body"),
            Self::NoFile => Failure::NOT_FOUND,
            // The bare server answers what it cannot read with a status line alone (1.3).
            Self::BadGateway { status } => match *status {
                StatusCode::PAYLOAD_TOO_LARGE => Failure::ENTITY_TOO_LARGE,
                StatusCode::URI_TOO_LONG | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                    Failure::URI_TOO_LONG
                }
                StatusCode::UNSUPPORTED_MEDIA_TYPE => Failure::UNSUPPORTED_MEDIA_TYPE,
                StatusCode::GATEWAY_TIMEOUT => Failure::GATEWAY_TIMEOUT,
                _ => Failure::BAD_GATEWAY,
            },
        }
    }
}
