//! Bodies on their way, watched: whether they still move, and who is to blame when they do not.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tandem_metrics::Counter;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep},
};

use super::TransportError;
use crate::token::redact;

/// The body of a request broke off on the side that sends it.
pub struct UploadError(Box<dyn std::error::Error + Send + Sync>);

impl UploadError {
    pub(super) fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }

    /// What the sender's side gave as the reason, if it is one of its own.
    pub fn behind<E: std::error::Error + 'static>(&self) -> Option<&E> {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(&*self.0);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

impl fmt::Debug for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UploadError({self})")
    }
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.0.to_string()))
    }
}

impl std::error::Error for UploadError {}

/// When a request last moved, and whether its sender gave up.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<Moved>>);

#[derive(Debug)]
struct Moved {
    at: Instant,
    broke: Option<UploadError>,
}

impl Progress {
    pub(super) fn start() -> Self {
        Self(Arc::new(Mutex::new(Moved { at: Instant::now(), broke: None })))
    }

    pub(super) fn last(&self) -> Instant {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).at
    }

    pub(super) fn take_broken(&self) -> Option<UploadError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).broke.take()
    }

    fn moved(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).at = Instant::now();
    }

    fn broke(&self, error: UploadError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).broke = Some(error);
    }
}

/// A request's body that notes its progress.
#[derive(Debug)]
pub(super) struct Upload<B> {
    pub(super) body: B,
    pub(super) progress: Progress,
    pub(super) sent: Counter,
}

impl<B> Body for Upload<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = UploadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UploadError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.progress.moved();
        self.sent.inc_by(bytes_of(frame.as_ref()));
        Poll::Ready(frame.map(|frame| {
            frame.map_err(|error| {
                // hyper wraps what it is given; the original is kept where the caller finds it.
                self.progress.broke(UploadError::new(error));
                UploadError::new("the sender gave up")
            })
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How many bytes of body a frame brings.
fn bytes_of<E>(frame: Option<&Result<Frame<Bytes>, E>>) -> u64 {
    let data = frame.and_then(|frame| frame.as_ref().ok()).and_then(Frame::data_ref);
    data.map_or(0, |data| data.len() as u64)
}

/// Why an answer broke off.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// Nothing came for as long as nothing may.
    #[error("nothing came for {} s", .0.as_secs())]
    Idle(Duration),
    /// The connection broke.
    #[error("the connection broke")]
    Broke(#[source] TransportError),
}

/// The body of an answer as it comes in. Holds its place among the allowed connections until it is dropped.
pub struct PipeBody {
    body: Incoming,
    idle: Duration,
    /// Made when the body first has to wait, since most are here at once.
    timer: Option<Pin<Box<Sleep>>>,
    received: Counter,
    _permit: OwnedSemaphorePermit,
}

impl PipeBody {
    pub(super) const fn new(
        body: Incoming,
        idle: Duration,
        received: Counter,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        Self { body, idle, timer: None, received, _permit: permit }
    }
}

impl Body for PipeBody {
    type Data = Bytes;
    type Error = DownloadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, DownloadError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.timer = None;
            self.received.inc_by(bytes_of(frame.as_ref()));
            return Poll::Ready(
                frame
                    .map(|frame| frame.map_err(|error| DownloadError::Broke(TransportError::of_body(error)))),
            );
        }
        let idle = self.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        timer.as_mut().poll(cx).map(|()| Some(Err(DownloadError::Idle(idle))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl fmt::Debug for PipeBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipeBody").field("size", &self.body.size_hint()).finish_non_exhaustive()
    }
}
