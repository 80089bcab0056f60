//! Parameters of a body on its way to Telegram, collected while it passes.
//!
//! Reply keyboards never come back in a result, and with `true` or an id as result the request *is* the content: so
//! what a call said is read off the stream. The tee changes nothing, waits for nothing, fails never, and keeps at
//! most a mebibyte: files become a name and a size, and what is too much or unreadable is missing from
//! [`Params`], whose [`whole`](Params::whole) then says so.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body::{Body, Frame, SizeHint};

use crate::params::{Collector, Limits, Params};

/// A body that passes through unchanged while its parameters are collected.
#[derive(Debug)]
pub struct Tee<B> {
    body: B,
    shared: Arc<Mutex<State>>,
}

/// Where the collected parameters can be had once the call was answered.
#[derive(Debug)]
pub struct Captured(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Taken when the parameters are asked for.
    collector: Option<Collector>,
    /// False for a body in an encoding that cannot be read: only the query counts.
    readable: bool,
    ended: bool,
    /// What is left of the announced length: whoever sends it on may not ask for more than that.
    left: Option<u64>,
}

/// Puts a tee on a body. The query counts too, as does an empty body.
pub fn tee<B: Body>(query: Option<&str>, headers: &HeaderMap, body: B) -> (Tee<B>, Captured) {
    let limits = Limits::for_capture();
    let collector = Collector::new(query, headers, limits);
    let readable = collector.is_ok();
    let collector = collector.or_else(|_unreadable| Collector::new(query, &HeaderMap::new(), limits)).ok();
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let ended = length == Some(0) || body.is_end_stream();
    let shared = Arc::new(Mutex::new(State { collector, readable, ended, left: length }));
    (Tee { body, shared: Arc::clone(&shared) }, Captured(shared))
}

impl Captured {
    /// What was collected so far: everything, once the body has passed; what came before, when it broke off or when
    /// Telegram answered without reading all of it.
    pub fn finish(self) -> Params {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (ended, readable) = (state.ended, state.readable);
        let mut params = state.collector.take().map_or_else(|| Params::of([]), Collector::finish);
        params.whole &= ended && readable;
        params
    }
}

impl<B> Body for Tee<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        let mut state = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    state.left = state.left.map(|left| left.saturating_sub(data.len() as u64));
                    if let Some(collector) = &mut state.collector {
                        collector.feed(data);
                    }
                }
                state.ended |= state.left == Some(0) || self.body.is_end_stream();
            }
            Some(Err(_)) => {}
            None => state.ended = true,
        }
        drop(state);
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        let end = self.body.is_end_stream();
        if end {
            self.shared.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
        }
        end
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, convert::Infallible};

    use http::HeaderValue;
    use http_body_util::{BodyExt, Empty};

    use super::*;

    struct Chunks(VecDeque<Bytes>);

    impl Body for Chunks {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|chunk| Ok(Frame::data(chunk))))
        }
    }

    async fn pass(
        query: Option<&str>,
        content_type: &'static str,
        body: &[u8],
        size: usize,
    ) -> (Bytes, Params) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        let chunks = Chunks(body.chunks(size).map(Bytes::copy_from_slice).collect());
        let (tee, captured) = tee(query, &headers, chunks);
        let passed = tee.collect().await.unwrap().to_bytes();
        (passed, captured.finish())
    }

    #[tokio::test]
    async fn parameters_are_kept_and_files_reduced_to_name_and_size_while_every_byte_passes() {
        let file = "x".repeat(100_000);
        let body = format!(
            "--b\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n7\r\n--b\r\n\
             Content-Disposition: form-data; name=\"photo\"; filename=\"cat.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n{file}\r\n--b\r\n\
             Content-Disposition: form-data; name=\"reply_markup\"\r\n\r\n{{\"keyboard\":[]}}\r\n--b--\r\n"
        );
        for size in [1, 7, 4096, 1 << 20] {
            let (passed, params) = pass(None, "multipart/form-data; boundary=b", body.as_bytes(), size).await;
            assert_eq!(passed, body);
            assert_eq!(
                serde_json::to_string(&params).unwrap(),
                r#"{"texts":{"chat_id":"7","reply_markup":"{\"keyboard\":[]}"},"files":[{"name":"photo","file_name":"cat.jpg","content_type":"image/jpeg","size_bytes":100000}],"whole":true}"#
            );
        }
    }

    #[tokio::test]
    async fn a_stored_document_reads_back() {
        let (_, params) = pass(Some("a=1"), "application/json", br#"{"b":[1]}"#, 3).await;
        let document = serde_json::to_string(&params).unwrap();
        assert_eq!(serde_json::from_str::<Params>(&document).unwrap(), params);
        assert!(params.whole);
    }

    #[tokio::test]
    async fn what_is_broken_or_too_large_passes_all_the_same() {
        let huge = format!("text={}", "z".repeat(3 << 20));
        for (kind, body) in [
            ("application/x-www-form-urlencoded", huge.as_bytes()),
            ("multipart/form-data; boundary=b", b"--bzzz\r\n"),
            ("multipart/form-data", b"--b--"),
            ("application/json", b"{\"chat_id\":7,"),
        ] {
            let (passed, params) = pass(Some("chat_id=7"), kind, body, 1000).await;
            assert_eq!(passed, body);
            assert!(!params.whole, "{kind}");
            assert_eq!(params.text("chat_id"), Some("7"));
        }
    }

    #[test]
    fn a_request_without_a_body_is_whole_and_one_in_an_unknown_encoding_has_its_query_only() {
        let (_, captured) = tee(Some("a=1"), &HeaderMap::new(), Empty::<Bytes>::new());
        let params = captured.finish();
        assert!(params.whole);
        assert_eq!(params.text("a"), Some("1"));

        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        let (_, captured) = tee(Some("a=1"), &headers, Empty::<Bytes>::new());
        let params = captured.finish();
        assert!(!params.whole);
        assert_eq!(params.text("a"), Some("1"));
    }

    #[tokio::test]
    async fn a_body_that_was_not_read_to_its_end_is_not_whole() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let chunks = Chunks([Bytes::from_static(b"a=1&"), Bytes::from_static(b"b=2")].into());
        let (mut tee, captured) = tee(None, &headers, chunks);
        tee.frame().await.unwrap().unwrap();
        let params = captured.finish();
        assert!(!params.whole);
        assert_eq!(params.text("a"), Some("1"));
    }
}
