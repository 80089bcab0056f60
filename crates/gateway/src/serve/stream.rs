//! A connection's stream, watched: what comes in is counted, an answer that the peer does not take is given up, and who
//! was refused while still sending gets the answer all the same.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use super::{
    Limits,
    connection::Connection,
    patience::Patience,
    places::{Place, Places},
};

/// How long, and how much of, what a refused peer still sends is read and thrown away after the answer. A socket that
/// is closed with unread bytes resets the connection, and the answer is lost with it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 64 << 20;

#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    connection: Arc<Connection>,
    places: Arc<Places>,
    sending: Patience,
    closing: Closing,
}

#[derive(Debug)]
enum Closing {
    Not,
    /// Our side is closed.
    Lingering {
        until: Pin<Box<Sleep>>,
        bytes: usize,
    },
    Done,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, place: &Place, limits: &Limits) -> Self {
        Self {
            stream,
            connection: Arc::clone(place.connection()),
            places: Arc::clone(place.places()),
            sending: Patience::new(limits.stall, limits.bytes_per_sec),
            closing: Closing::Not,
        }
    }

    fn poll_sent(&mut self, cx: &mut Context<'_>, sent: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match sent {
            Poll::Ready(Ok(bytes)) => self.sending.moved(bytes),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                ready!(self.sending.poll_lost(cx));
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the peer does not take its answer",
                )));
            }
        }
        sent
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let bytes = &buffer.filled()[before..];
        if !bytes.is_empty() {
            this.places.received(&this.connection, bytes);
        }
        read
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.poll_sent(cx, sent)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let sent = Pin::new(&mut this.stream).poll_write_vectored(cx, bytes);
        this.poll_sent(cx, sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            match &mut this.closing {
                Closing::Not => {
                    ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
                    this.closing = if this.connection.may_still_send() {
                        Closing::Lingering { until: Box::pin(tokio::time::sleep(LINGER)), bytes: 0 }
                    } else {
                        Closing::Done
                    };
                }
                Closing::Lingering { until, bytes } => {
                    let mut scrap = [0; 4096];
                    let mut scrap = ReadBuf::new(&mut scrap);
                    let over = match Pin::new(&mut this.stream).poll_read(cx, &mut scrap) {
                        Poll::Ready(Ok(())) => {
                            *bytes += scrap.filled().len();
                            scrap.filled().is_empty() || *bytes >= LINGER_BYTES || until.is_elapsed()
                        }
                        Poll::Ready(Err(_)) => true,
                        Poll::Pending => {
                            ready!(until.as_mut().poll(cx));
                            true
                        }
                    };
                    if over {
                        this.closing = Closing::Done;
                    }
                }
                Closing::Done => return Poll::Ready(Ok(())),
            }
        }
    }
}
