//! A webhook whose answers a case gives, byte by byte.

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};

use super::soon;

/// A webhook under the case's control.
pub(crate) struct Receiver {
    pub(crate) url: String,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
}

/// One request; it waits until it is answered.
pub(crate) struct Delivery {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// On which connection it came, counted from 0.
    pub(crate) connection: usize,
    answer: oneshot::Sender<Vec<u8>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, deliveries) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                tokio::spawn(serve(stream, connection, sender.clone()));
            }
        });
        Self { url, deliveries }
    }

    pub(crate) async fn next(&mut self) -> Delivery {
        soon("a delivery", self.deliveries.recv()).await.unwrap()
    }

    /// A delivery that has arrived already.
    pub(crate) fn arrived(&mut self) -> Option<Delivery> {
        self.deliveries.try_recv().ok()
    }
}

impl Delivery {
    pub(crate) fn update(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn update_id(&self) -> i64 {
        self.update()["update_id"].as_i64().unwrap()
    }

    /// The text of a message, the name of the kind of anything else.
    pub(crate) fn text(&self) -> String {
        super::shown(&self.update())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub(crate) fn ok(self) {
        self.status("200 OK");
    }

    pub(crate) fn status(self, status: &str) {
        self.status_with(status, "");
    }

    /// `headers`: each with its line end.
    pub(crate) fn status_with(self, status: &str, headers: &str) {
        self.raw(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\n\r\n"));
    }

    /// 200 with a body.
    pub(crate) fn reply(self, content_type: &str, body: impl AsRef<[u8]>) {
        let body = body.as_ref();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.raw([head.as_bytes(), body].concat());
    }

    /// Closes the connection without an answer.
    pub(crate) fn hang_up(self) {
        self.raw("");
    }

    /// An answer byte by byte.
    pub(crate) fn raw(self, answer: impl Into<Vec<u8>>) {
        self.answer.send(answer.into()).ok();
    }

    /// Waits until the sender has given it up and closed the connection.
    pub(crate) async fn abandoned(mut self) {
        soon("the end of the connection", self.answer.closed()).await;
    }
}

async fn serve(mut stream: TcpStream, connection: usize, deliveries: mpsc::UnboundedSender<Delivery>) {
    while let Some((head, body)) = read_request(&mut stream).await {
        let (answer, answered) = oneshot::channel();
        if deliveries.send(Delivery { head, body, connection, answer }).is_err() {
            return;
        }
        let answer = tokio::select! {
            answer = answered => answer,
            // Nothing follows a request before its answer: this is the end of the connection.
            _ = stream.read_u8() => return,
        };
        let Ok(answer) = answer else { return };
        if answer.is_empty() || stream.write_all(&answer).await.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    while body.len() < length.unwrap_or(0) {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, body))
}
