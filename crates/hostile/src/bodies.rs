//! Bodies of any type and coding on their way to Telegram: every byte passes, what is noted does not depend on how they
//! come in pieces, is bounded, and is what a reader of the whole finds.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io::Write as _,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use http::{HeaderMap, HeaderValue, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use tandem_telegram::{capture, params::Params, webhook::ReplyCall};

const TYPES: [&str; 8] = [
    "multipart/form-data; boundary=b",
    "multipart/form-data; charset=\"x;\\\"\"; boundary=\"b\"",
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
    "",
    "x application/json x",
];
const CODINGS: [&str; 6] = ["", "identity", "gzip", "deflate", "br", "x-gzip, gzip"];

/// What may be noted of one body.
const NOTED_BYTES: usize = 1 << 20;

pub(crate) fn hold(data: &[u8]) {
    let [kind, coding, size, body @ ..] = data else { return };
    let (query, body) = match body {
        [b'?', rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            (std::str::from_utf8(&rest[..end]).ok(), rest.get(end + 1..).unwrap_or_default())
        }
        body => (None, body),
    };
    let coding_name = CODINGS[usize::from(*coding) % CODINGS.len()];
    // With its highest bit, the body is compressed first, so that what is inside is reached too.
    let body = if coding & 0x80 == 0 { body.to_vec() } else { compressed(coding_name, body) };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(TYPES[usize::from(*kind) % TYPES.len()]));
    if !coding_name.is_empty() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding_name));
    }

    let noted = pass(query, &headers, &body, usize::from(*size).max(1));
    assert_eq!(noted, pass(query, &headers, &body, usize::MAX), "however it comes");
    let texts: usize = noted.texts().map(|(name, text)| name.len() + text.len()).sum();
    // A byte that is no UTF-8 becomes three.
    assert!(texts <= 3 * NOTED_BYTES, "{texts}");
    assert!(noted.files().len() <= 50 && noted.files().iter().all(|file| file.content.is_empty()));
    let stored = serde_json::to_vec(&noted).expect("it is stored as JSON");
    assert_eq!(serde_json::from_slice::<Params>(&stored).expect("and read again"), noted);

    if let Ok(read) = Params::read(query, &headers, &body) {
        assert_eq!(read.whole, noted.whole);
        assert!(read.texts().eq(noted.texts()));
        let brief = |params: &Params| -> Vec<_> {
            let files = params.files().iter();
            files.map(|file| (file.name.clone(), file.file_name.clone(), file.size_bytes)).collect()
        };
        assert_eq!(brief(&read), brief(&noted));
        assert!(read.files().iter().all(|file| file.content.len() as u64 == file.size_bytes));
    }
    if let Some(call) = ReplyCall::of_answer(&headers, &body) {
        assert!(!call.method.is_empty() && call.params.text("method").is_none());
    }
}

fn compressed(coding: &str, body: &[u8]) -> Vec<u8> {
    if coding == "deflate" {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory takes everything")
    } else {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory takes everything")
    }
}

fn pass(query: Option<&str>, headers: &HeaderMap, body: &[u8], size: usize) -> Params {
    let pieces = Pieces(body.chunks(size).map(Bytes::copy_from_slice).collect());
    let (tee, noted) = capture::tee(query, headers, pieces);
    let passed = ready(tee.collect()).unwrap_or_else(|never| match never {});
    assert_eq!(passed.to_bytes(), body, "every byte passes");
    noted.finish()
}

/// The value of a future that waits for nothing.
pub(crate) fn ready<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("everything is there already"),
    }
}

struct Pieces(VecDeque<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}
