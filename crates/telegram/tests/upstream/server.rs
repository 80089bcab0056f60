//! Servers for one test: a closure gets each connection.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tandem_telegram::{
    token::Token,
    upstream::{ServerBase, Settings, Upstream},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub(crate) const TOKEN: &str = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0";

pub(crate) fn token() -> Token {
    Token::parse(TOKEN).unwrap()
}

/// A listening server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Hands each connection to the closure.
    pub(crate) async fn start<F, H>(handle: H) -> Self
    where
        H: Fn(TcpStream) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(handle(stream));
            }
        });
        Self { address, connections }
    }

    /// Answers every request with these bytes, keeps the connection, and remembers what was asked.
    pub(crate) async fn answering(answer: impl Into<Vec<u8>>) -> (Self, Seen) {
        let (answer, seen) = (Arc::new(answer.into()), Seen::default());
        let noted = seen.clone();
        let server = Self::start(move |mut stream| {
            let (answer, noted) = (Arc::clone(&answer), noted.clone());
            async move {
                while let Some(request) = read_request(&mut stream).await {
                    noted.0.lock().unwrap().push(request);
                    stream.write_all(&answer).await.unwrap();
                }
            }
        })
        .await;
        (server, seen)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn base(&self) -> ServerBase {
        ServerBase::parse(&format!("http://{}", self.address)).unwrap()
    }

    /// Settings with limits for impatient tests.
    pub(crate) fn settings(&self) -> Settings {
        quick(Settings::for_server(self.base()))
    }

    pub(crate) fn upstream(&self) -> Upstream {
        Upstream::new(self.settings()).unwrap()
    }
}

pub(crate) fn quick(mut settings: Settings) -> Settings {
    settings.limits.connect = Duration::from_secs(5);
    settings.limits.answer = Duration::from_secs(5);
    settings.limits.idle = Duration::from_secs(5);
    settings
}

/// Requests that a server saw.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Asked>>>);

impl Seen {
    pub(crate) fn all(&self) -> Vec<Asked> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn only(&self) -> Asked {
        let all = self.all();
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap()
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Up to the blank line; `None` when the connection ends before.
pub(crate) async fn read_head(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

/// A whole request.
pub(crate) async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<Asked> {
    let mut asked = Asked { head: read_head(stream).await?, body: Vec::new() };
    if let Some(length) = asked.header("content-length") {
        asked.body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut asked.body).await.ok()?;
    } else if asked.header("transfer-encoding").is_some() {
        while let Some(chunk) = read_chunk(stream).await.filter(|chunk| !chunk.is_empty()) {
            asked.body.extend_from_slice(&chunk);
        }
    }
    Some(asked)
}

/// One chunk of a chunked body; empty for the last.
pub(crate) async fn read_chunk(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<Vec<u8>> {
    let mut size = Vec::new();
    while !size.ends_with(b"\r\n") {
        size.push(stream.read_u8().await.ok()?);
    }
    let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim(), 16).unwrap();
    let mut chunk = vec![0; size + 2];
    stream.read_exact(&mut chunk).await.ok()?;
    chunk.truncate(size);
    Some(chunk)
}

/// An HTTP answer with a JSON body.
pub(crate) fn json(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// An HTTP answer with an HTML body.
pub(crate) fn html(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
