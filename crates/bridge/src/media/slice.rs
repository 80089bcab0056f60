//! A part of a body on its way: what stands before it is thrown away as it comes, what stands behind it is not waited
//! for.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

/// So many bytes of a body, and whoever holds its place among those that are fetched.
#[derive(Debug)]
pub(super) struct Slice<B> {
    /// Gone when nothing more is wanted of it: its connection is free then.
    body: Option<B>,
    skip: u64,
    /// How many are still to come; `None` for all there are.
    left: Option<u64>,
    _place: OwnedSemaphorePermit,
}

impl<B> Slice<B> {
    pub(super) const fn new(body: B, skip: u64, left: Option<u64>, place: OwnedSemaphorePermit) -> Self {
        Self { body: Some(body), skip, left, _place: place }
    }
}

impl<B> Body for Slice<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if self.left == Some(0) {
                self.body = None;
            }
            let Some(body) = &mut self.body else { return Poll::Ready(None) };
            let Some(frame) = ready!(Pin::new(body).poll_frame(cx)) else {
                self.body = None;
                return Poll::Ready(self.left.map(|_missing| Err(io::ErrorKind::UnexpectedEof.into())));
            };
            let Ok(mut data) = frame.map_err(io::Error::other)?.into_data() else { continue };
            let skipped = self.skip.min(data.len() as u64);
            self.skip -= skipped;
            data.advance(usize::try_from(skipped).unwrap_or(usize::MAX));
            if let Some(left) = &mut self.left {
                data.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= data.len() as u64;
            }
            if !data.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none() || self.left == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures_util::stream;
    use http_body_util::{BodyExt, StreamBody};
    use tokio::sync::Semaphore;

    use super::*;

    async fn read(skip: u64, left: Option<u64>) -> Result<String, io::ErrorKind> {
        let pieces =
            ["abc", "", "defg", "hij"].map(|piece| Ok::<_, io::Error>(Frame::data(Bytes::from(piece))));
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let slice = Slice::new(StreamBody::new(stream::iter(pieces)), skip, left, place);
        let read = slice.collect().await.map_err(|error| error.kind())?;
        Ok(String::from_utf8(read.to_bytes().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_part_is_cut_out_wherever_its_pieces_end() {
        assert_eq!(read(0, None).await.unwrap(), "abcdefghij");
        assert_eq!(read(0, Some(10)).await.unwrap(), "abcdefghij");
        for start in 0..10 {
            for length in 1..=10 - start {
                let expected = &"abcdefghij"[start..start + length];
                assert_eq!(read(start as u64, Some(length as u64)).await.unwrap(), expected);
            }
        }
        assert_eq!(read(0, Some(11)).await, Err(io::ErrorKind::UnexpectedEof));
        assert_eq!(read(20, Some(1)).await, Err(io::ErrorKind::UnexpectedEof));
    }
}
