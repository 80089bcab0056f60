//! A body that is let through only if its parameters are allowed, without being held in memory.
//!
//! The parameters are read as the body passes, and the last piece is kept back until all of them were seen. What is not
//! allowed breaks the body off: Telegram carries out no call whose body did not arrive whole. So it does not matter in
//! which order the parts of an upload come.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use crate::{
    envelope::Failure,
    params::{Collector, Limits, Params, ParamsError},
};

/// Says whether a call with these parameters is allowed; otherwise the answer to give.
pub type Check = Box<dyn FnOnce(&Params) -> Result<(), Failure> + Send>;

/// A body under guard.
pub struct Guarded<B> {
    body: B,
    /// Both are taken when the end has come.
    collector: Option<Collector>,
    check: Option<Check>,
    held: Option<Bytes>,
    refusal: Refusal,
}

/// Why a body was broken off, if it was.
#[derive(Debug, Clone, Default)]
pub struct Refusal(Arc<Mutex<Option<Failure>>>);

/// What ends a body under guard before its end.
#[derive(Debug)]
pub enum Ended {
    /// Its parameters are not allowed.
    Refused,
    /// It broke off by itself.
    Broke(Box<dyn Error + Send + Sync>),
}

/// Puts a body under guard. The query counts too.
pub fn guard<B: Body>(
    query: Option<&str>,
    headers: &HeaderMap,
    body: B,
    check: Check,
) -> Result<(Guarded<B>, Refusal), ParamsError> {
    let collector = Some(Collector::new(query, headers, Limits::for_capture())?);
    let refusal = Refusal::default();
    let guarded = Guarded { body, collector, check: Some(check), held: None, refusal: refusal.clone() };
    Ok((guarded, refusal))
}

impl Refusal {
    /// The answer to give, if the body was refused.
    pub fn take(&self) -> Option<Failure> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<B> Guarded<B> {
    /// All has been seen: the last piece goes on its way, or the body breaks off.
    fn decide(&mut self) -> Option<Result<Frame<Bytes>, Ended>> {
        let (Some(collector), Some(check)) = (self.collector.take(), self.check.take()) else { return None };
        if let Err(failure) = check(&collector.finish()) {
            *self.refusal.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
            self.held = None;
            return Some(Err(Ended::Refused));
        }
        self.held.take().map(|last| Ok(Frame::data(last)))
    }
}

impl<B> Body for Guarded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Ended;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Ended>>> {
        let this = &mut *self;
        loop {
            if this.collector.is_none() {
                return Poll::Ready(None);
            }
            if this.body.is_end_stream() {
                return Poll::Ready(this.decide());
            }
            match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                None => return Poll::Ready(this.decide()),
                Some(Err(error)) => {
                    this.collector = None;
                    return Poll::Ready(Some(Err(Ended::Broke(error.into()))));
                }
                // Trailers mean nothing to the Bot API.
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if data.is_empty() {
                        continue;
                    }
                    if let Some(collector) = &mut this.collector {
                        collector.feed(&data);
                    }
                    if let Some(before) = this.held.replace(data) {
                        return Poll::Ready(Some(Ok(Frame::data(before))));
                    }
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let (inner, held) = (self.body.size_hint(), self.held.as_ref().map_or(0, |held| held.len() as u64));
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + held);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + held);
        }
        hint
    }
}

impl<B: fmt::Debug> fmt::Debug for Guarded<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("body", &self.body).finish_non_exhaustive()
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the call is not allowed",
            Self::Broke(_) => "the body broke off",
        })
    }
}

impl Error for Ended {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused => None,
            Self::Broke(error) => Some(&**error),
        }
    }
}
