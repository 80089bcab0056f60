//! Telegram and receivers of webhooks, written by hand: each request is noted and answered as the test says.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

/// How much of a body is kept.
const KEPT_BYTES: usize = 1 << 20;

/// What a server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// These bytes: status line, headers, body.
    Bytes(Vec<u8>),
    /// A body of so many bytes, in pieces.
    Stream(usize),
    /// The connection is closed without a word.
    Reset,
    /// Half an answer, then the connection is closed.
    BreakOff,
    /// Nothing ever.
    Silence,
    /// `true`, once it is told to.
    Held(Arc<Notify>),
}

impl Reply {
    pub(crate) fn json(status: &str, body: &str) -> Self {
        Self::typed(status, "application/json", body)
    }

    pub(crate) fn ok(result: &str) -> Self {
        Self::json("200 OK", &format!("{{\"ok\":true,\"result\":{result}}}"))
    }

    pub(crate) fn html(status: &str) -> Self {
        Self::typed(status, "text/html", &format!("<html><h1>{status}</h1></html>"))
    }

    pub(crate) fn typed(status: &str, kind: &str, body: &str) -> Self {
        Self::with(status, &format!("Content-Type: {kind}\r\n"), body)
    }

    pub(crate) fn with(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::Bytes(
            format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}").into_bytes(),
        )
    }
}

/// A request as a server saw it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Request line and headers.
    pub(crate) head: String,
    /// The beginning of the body.
    pub(crate) body: Vec<u8>,
    pub(crate) body_bytes: usize,
}

impl Asked {
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
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

#[derive(Default)]
struct Script {
    /// By the last segment of the path.
    always: HashMap<String, Reply>,
    /// Taken one after the other before that, whatever the path.
    next: VecDeque<Reply>,
    seen: Vec<Asked>,
}

/// A server that does as it is told. What it was not told about is answered with `true`.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Server {
    /// Somebody else's server: nothing can be said of what it answers.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, script: Arc::default() }
    }

    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Self { address, script: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        server
    }

    /// Answers every request whose path ends so.
    pub(crate) fn on(&self, method: &str, reply: Reply) {
        self.script().always.insert(method.to_owned(), reply);
    }

    /// Answers the next request that nobody has answered yet.
    pub(crate) fn next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script().next.extend(replies);
    }

    pub(crate) fn seen(&self) -> Vec<Asked> {
        self.script().seen.clone()
    }

    /// What was seen since this was last asked.
    pub(crate) fn take_seen(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script().seen)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    async fn serve(self, mut stream: TcpStream) {
        while let Some(asked) = read_request(&mut stream).await {
            let reply = {
                let mut script = self.script();
                let path = asked.path().split('?').next().unwrap();
                let last = path.rsplit('/').next().unwrap().to_owned();
                script.seen.push(asked);
                let always = script.always.get(&last).cloned();
                script.next.pop_front().or(always).unwrap_or_else(|| Reply::ok("true"))
            };
            match reply {
                Reply::Bytes(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Reply::Stream(bytes) => {
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n");
                    stream.write_all(head.as_bytes()).await.unwrap();
                    let piece = vec![b'x'; 64 << 10];
                    let mut left = bytes;
                    while left > 0 {
                        let now = left.min(piece.len());
                        if stream.write_all(&piece[..now]).await.is_err() {
                            return;
                        }
                        left -= now;
                    }
                }
                Reply::Reset => return,
                Reply::BreakOff => {
                    let half = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"ok\"";
                    stream.write_all(half).await.unwrap();
                    return;
                }
                Reply::Held(told) => {
                    told.notified().await;
                    let Reply::Bytes(bytes) = Reply::ok("true") else { return };
                    let _ = stream.write_all(&bytes).await;
                }
                Reply::Silence => std::future::pending().await,
            }
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn read_request(stream: &mut TcpStream) -> Option<Asked> {
    let mut asked = Asked { head: read_head(stream).await?, body: Vec::new(), body_bytes: 0 };
    if let Some(length) = asked.header("content-length") {
        let length = length.parse().unwrap();
        read_body(stream, &mut asked, length).await?;
    } else if asked.header("transfer-encoding").is_some() {
        loop {
            let mut size = Vec::new();
            while !size.ends_with(b"\r\n") {
                size.push(stream.read_u8().await.ok()?);
            }
            let size = usize::from_str_radix(std::str::from_utf8(&size).unwrap().trim(), 16).unwrap();
            read_body(stream, &mut asked, size).await?;
            stream.read_u16().await.ok()?;
            if size == 0 {
                break;
            }
        }
    }
    Some(asked)
}

async fn read_body(stream: &mut TcpStream, asked: &mut Asked, length: usize) -> Option<()> {
    let mut left = length;
    let mut piece = vec![0; 64 << 10];
    while left > 0 {
        let now = left.min(piece.len());
        stream.read_exact(&mut piece[..now]).await.ok()?;
        let room = KEPT_BYTES.saturating_sub(asked.body.len()).min(now);
        asked.body.extend_from_slice(&piece[..room]);
        asked.body_bytes += now;
        left -= now;
    }
    Some(())
}
