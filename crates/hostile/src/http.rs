//! Whatever comes in on a connection: the loop under every listener answers it or ends it, and its answers are HTTP.

use std::{
    io,
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Body, extract::Request};
use http::{Response, StatusCode, header};
use http_body_util::BodyExt as _;
use tandem_gateway::{Accept, Limits, Peer, serve};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    runtime::Runtime,
};
use tokio_util::sync::CancellationToken;

/// One connection, then none.
struct One(Mutex<Option<DuplexStream>>);

impl Accept for One {
    type Stream = DuplexStream;

    async fn accept(&self) -> io::Result<(DuplexStream, Peer)> {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match stream {
            Some(stream) => Ok((stream, Peer::Own)),
            None => std::future::pending().await,
        }
    }
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime of one thread can be made")
});

pub(crate) fn hold(data: &[u8]) {
    RUNTIME.block_on(exchange(data));
}

async fn exchange(data: &[u8]) {
    let asked = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&asked);
    let router = Router::new().fallback(move |request: Request| {
        let seen = Arc::clone(&seen);
        async move {
            seen.fetch_add(1, Ordering::Relaxed);
            handle(request).await
        }
    });
    let limits = Limits { head_bytes: Limits::LEAST_HEAD_BYTES, body_bytes: 4096, ..Limits::APPS };
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let (soft, hard) = (CancellationToken::new(), CancellationToken::new());
    let serving = tokio::spawn(serve(One(Mutex::new(Some(theirs))), router, limits, soft.clone(), hard));
    let (mut reading, mut writing) = tokio::io::split(ours);
    let sending = async {
        // The other side may have had enough.
        let _ = writing.write_all(data).await;
        let _ = writing.shutdown().await;
    };
    let mut said = Vec::new();
    let (read, ()) = tokio::join!(reading.read_to_end(&mut said), sending);
    read.expect("memory reads");
    soft.cancel();
    serving.await.expect("the loop does not panic");
    let answers = check_answers(&said);
    let asked = asked.load(Ordering::Relaxed);
    assert!(answers <= asked + 1, "{answers} answers to {asked} requests");
}

async fn handle(request: Request) -> Response<Body> {
    let headers = request.headers();
    let lengths = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
    assert!(!lengths.iter().all(|name| headers.contains_key(name)), "a handler never sees both");
    assert!(request.uri().to_string().len() <= 65_534);
    let mut response = Response::new(Body::empty());
    match request.into_body().collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            assert!(body.len() <= 4096, "no more than it may be");
            *response.body_mut() = Body::from(body);
        }
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response
}

/// Every answer is one of HTTP/1, of the length it says, with nothing behind the last. How many there are.
fn check_answers(mut said: &[u8]) -> usize {
    let mut count = 0;
    while !said.is_empty() {
        if let Some(rest) = said.strip_prefix(b"HTTP/1.1 100 Continue\r\n\r\n") {
            said = rest;
            continue;
        }
        let end = said.windows(4).position(|window| window == b"\r\n\r\n").expect("a head ends");
        let head = std::str::from_utf8(&said[..end]).expect("a head is text");
        assert!(head.starts_with("HTTP/1."), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().expect("it is a number"));
        // An answer to HEAD names a length and has no body: what follows is the next one, or nothing.
        let body = &said[end + 4..];
        said = if body.len() >= length && !body.starts_with(b"HTTP/1.") { &body[length..] } else { body };
        count += 1;
    }
    count
}
