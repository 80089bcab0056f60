//! A connection that can be reset from within a request.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Says that a connection shall end with a reset.
#[derive(Debug, Clone, Default)]
pub(super) struct Kill(Arc<AtomicBool>);

/// What a request's service fails with, so that hyper lets go of the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset by a planted fault")]
pub(super) struct Killed;

impl Kill {
    /// Marks the connection; it is reset when it is dropped.
    pub(super) fn reset(&self) -> Killed {
        self.0.store(true, Ordering::Relaxed);
        Killed
    }
}

/// A stream that says goodbye with RST when it was killed.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    kill: Kill,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, kill: Kill) -> Self {
        Self { stream, kill }
    }

    fn check(&self) -> io::Result<()> {
        if self.kill.0.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.check().is_err() {
            // A close with nothing to linger for sends RST instead of FIN.
            self.stream.set_zero_linger().ok();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
