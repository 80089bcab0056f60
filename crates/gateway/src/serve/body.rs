//! Bodies of requests, bounded in size and time, and of answers, whose end is the end of a request.

use std::{
    error::Error,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::{Limits, connection::Connection, patience::Patience};

/// Why a request's body ends before its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is longer than it may be.
    #[error("the body is too long")]
    TooLong,
    /// Its sender brings too little for too long.
    #[error("the body comes too slowly")]
    TooSlow,
    /// The connection broke, or what came is no body.
    #[error("the body cannot be read")]
    Broken(#[source] hyper::Error),
}

impl BodyError {
    /// The one that stands behind an error of a body on its way through others' hands.
    pub fn behind<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

/// A request's body.
#[derive(Debug)]
pub(super) struct Asked {
    body: Incoming,
    left: u64,
    ended: bool,
    patience: Patience,
    connection: Arc<Connection>,
}

impl Asked {
    pub(super) fn new(body: Incoming, connection: Arc<Connection>, limits: &Limits) -> Self {
        let patience = Patience::new(limits.stall, limits.bytes_per_sec);
        Self { body, left: limits.body_bytes, ended: false, patience, connection }
    }
}

impl Body for Asked {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Pending => {
                ready!(self.patience.poll_lost(cx));
                Poll::Ready(Some(Err(BodyError::TooSlow)))
            }
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.patience.moved(bytes);
                match self.left.checked_sub(bytes as u64) {
                    Some(left) => {
                        self.left = left;
                        Poll::Ready(Some(Ok(frame)))
                    }
                    None => Poll::Ready(Some(Err(BodyError::TooLong))),
                }
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(BodyError::Broken(error)))),
            Poll::Ready(None) => {
                self.ended = true;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.ended && !self.body.is_end_stream() {
            self.connection.leave_unread();
        }
    }
}

/// An answer's body.
#[derive(Debug)]
pub(super) struct Answered {
    body: axum::body::Body,
    connection: Arc<Connection>,
}

impl Answered {
    pub(super) const fn new(body: axum::body::Body, connection: Arc<Connection>) -> Self {
        Self { body, connection }
    }
}

impl Body for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.connection.end();
    }
}
