//! A webhook that does what the test says, byte for byte.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};

use super::soon;

/// A webhook under the test's control.
pub(crate) struct Receiver {
    pub(crate) url: String,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
}

/// One request; it waits until it is answered.
pub(crate) struct Delivery {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    answer: oneshot::Sender<Vec<u8>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook?t=s3cret-in-the-address&", listener.local_addr().unwrap());
        let (sender, deliveries) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, sender.clone()));
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
    pub(crate) fn text(&self) -> String {
        super::text_of(&self.body)
    }

    pub(crate) fn ok(self) {
        self.answer_with("200 OK", "");
    }

    /// An answer without a body; `headers` each with its line end.
    pub(crate) fn answer_with(self, status: &str, headers: &str) {
        self.raw(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: 0\r\n\r\n"));
    }

    pub(crate) fn reply(self, json: &str) {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
        self.raw(format!("{head}{}\r\n\r\n{json}", json.len()));
    }

    fn raw(self, answer: String) {
        self.answer.send(answer.into_bytes()).ok();
    }
}

async fn serve(mut stream: TcpStream, deliveries: mpsc::UnboundedSender<Delivery>) {
    while let Some((head, body)) = read_request(&mut stream).await {
        let (answer, answered) = oneshot::channel();
        if deliveries.send(Delivery { head, body, answer }).is_err() {
            return;
        }
        let Ok(answer) = answered.await else { return };
        if stream.write_all(&answer).await.is_err() {
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
    let head = String::from_utf8(bytes).unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
    });
    while body.len() < length.unwrap_or(0) {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, body))
}
