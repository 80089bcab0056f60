//! Asking the process that has the database open.

use std::{io, path::Path};

use bytes::Bytes;
use http::{Method, StatusCode, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tandem_bridge::operations::{Refusal, Request, Response};
use tokio::net::UnixStream;

use super::{MAX_BODY_BYTES, PERFORM, VERSION_HEADER};

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nobody has the database open, as far as the socket tells.
    #[error("nobody listens on the control socket")]
    NotRunning,
    /// The socket is somebody else's.
    #[error("the control socket cannot be used")]
    Connect(#[source] io::Error),
    /// The connection broke: what was asked for may have been done.
    #[error("tandem serve went away before it answered")]
    Lost(#[source] hyper::Error),
    /// The answer is too long.
    #[error("the answer of tandem serve is too long")]
    TooLong,
    /// What was answered is not understood.
    #[error("the answer of tandem serve (version {version}) is not understood")]
    Strange {
        /// Its version.
        version: String,
    },
}

/// Has an operation performed by the process that listens on this socket. Waits as long as it takes.
#[expect(clippy::missing_panics_doc, reason = "what is built here from constants is well formed")]
pub async fn perform(socket: &Path, request: &Request) -> Result<Result<Response, Refusal>, ControlError> {
    let stream = UnixStream::connect(socket).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ControlError::NotRunning,
        _ => ControlError::Connect(error),
    })?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(ControlError::Lost)?;
    let body = serde_json::to_vec(request).expect("an operation has no maps with keys other than text");
    let call = http::Request::builder()
        .method(Method::POST)
        .uri(PERFORM)
        .header(header::HOST, "tandem")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .expect("the parts of the request are constant");
    let answer = async {
        let answer = sender.send_request(call).await.map_err(ControlError::Lost)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MAX_BODY_BYTES).collect().await.map_err(|error| match error
            .downcast::<hyper::Error>()
        {
            Ok(error) => ControlError::Lost(*error),
            Err(error) => {
                debug_assert!(error.is::<LengthLimitError>(), "{error}");
                ControlError::TooLong
            }
        })?;
        let body = body.to_bytes();
        let version =
            head.headers.get(VERSION_HEADER).and_then(|value| value.to_str().ok()).unwrap_or("unknown");
        match head.status {
            StatusCode::OK => read(&body, version).map(Ok),
            StatusCode::UNPROCESSABLE_ENTITY => read(&body, version).map(Err),
            _ => Err(ControlError::Strange { version: version.to_owned() }),
        }
    };
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        answer = answer.as_mut() => answer,
        ended = connection => match ended {
            Ok(()) => answer.await,
            Err(error) => Err(ControlError::Lost(error)),
        },
    }
}

fn read<T: DeserializeOwned>(body: &[u8], version: &str) -> Result<T, ControlError> {
    serde_json::from_slice(body).map_err(|error| {
        tracing::debug!(%error, "the answer is not understood");
        ControlError::Strange { version: version.to_owned() }
    })
}
