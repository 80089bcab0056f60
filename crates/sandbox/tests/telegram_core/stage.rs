//! A sandbox with one bot and a frozen clock, a client that speaks raw HTTP, and a webhook that does what the
//! test says.

use std::{future::Future, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tandem_sandbox::{
    Clock, Config, ErrorStyle, Sandbox,
    telegram::{Bot, NewBot, Pushed},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// 2027-01-15, in seconds: what the frozen clock shows first.
pub(crate) const START: i64 = 1_800_000_000;
/// How long a test waits for what must come.
const LIMIT: Duration = Duration::from_secs(20);

/// The result, or a failed test when it does not come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(LIMIT, future).await;
    outcome.unwrap_or_else(|elapsed| panic!("{elapsed} while waiting for {what}"))
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) bot: Arc<Bot>,
    pub(crate) clock: Clock,
}

impl Stage {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        let clock = Clock::manual(START * 1000);
        let mut config = Config { clock: clock.clone(), seed: 7, ..Config::default() };
        adjust(&mut config);
        let sandbox = Sandbox::start(config).await.unwrap();
        let bot = sandbox.telegram().create_bot(NewBot::default()).unwrap();
        Self { sandbox, bot, clock }
    }

    pub(crate) async fn bare() -> Self {
        Self::with(|config| config.errors = ErrorStyle::Bare).await
    }

    pub(crate) fn token(&self) -> String {
        self.bot.token()
    }

    pub(crate) fn address(&self) -> String {
        self.sandbox.telegram_url().trim_start_matches("http://").to_owned()
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address()).await.unwrap()
    }

    /// Sends bytes on a connection of their own and reads one answer.
    pub(crate) async fn raw(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(request.as_ref()).await.unwrap();
        soon("an answer", read_answer(&mut stream)).await
    }

    /// A request with a body.
    pub(crate) async fn post(&self, path: &str, content_type: &str, body: impl AsRef<[u8]>) -> Answer {
        self.raw(post(path, content_type, body)).await
    }

    /// A method with urlencoded parameters.
    pub(crate) async fn call(&self, method: &str, form: &str) -> Answer {
        let path = format!("/bot{}/{method}", self.token());
        self.post(&path, "application/x-www-form-urlencoded", form).await
    }

    /// Starts a call that is going to wait, on a connection that stays open until the answer.
    pub(crate) async fn start_call(&self, method: &str, form: &str) -> tokio::task::JoinHandle<Answer> {
        let mut stream = self.connect().await;
        let path = format!("/bot{}/{method}", self.token());
        stream.write_all(&post(&path, "application/x-www-form-urlencoded", form)).await.unwrap();
        tokio::spawn(async move { soon("an answer", read_answer(&mut stream)).await })
    }

    /// The ids in an answer to `getUpdates`.
    pub(crate) async fn updates(&self, form: &str) -> Vec<i64> {
        ids(&self.call("getUpdates", form).await)
    }

    /// Waits until the sandbox sleeps until exactly these seconds after the start.
    pub(crate) async fn until_waiting(&self, after_secs: &[i64]) {
        let expected: Vec<i64> = after_secs.iter().map(|secs| (START + secs) * 1000).collect();
        let done = self.clock.until_sleeping(|times| times == expected);
        if tokio::time::timeout(LIMIT, done).await.is_err() {
            let times: Vec<i64> = self.clock.sleeping_until().iter().map(|ms| ms - START * 1000).collect();
            panic!("expected sleepers at {after_secs:?} s, found them at {times:?} ms");
        }
    }

    /// Waits until somebody sleeps until this moment, whoever else does.
    pub(crate) async fn until_waiting_at_ms(&self, after_ms: i64) {
        let when = START * 1000 + after_ms;
        soon("a sleeper", self.clock.until_sleeping(|times| times.contains(&when))).await;
    }

    pub(crate) fn advance(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }

    /// A client writes in his private chat.
    pub(crate) fn message(&self, chat: i64, text: &str) -> i64 {
        self.push("message", &message(chat, text, self.clock.now_secs()))
    }

    pub(crate) fn push(&self, kind: &str, object: &Value) -> i64 {
        match self.bot.push(kind, object) {
            Pushed::Stored { update_id } => update_id.into(),
            other => panic!("{kind} was not stored: {other:?}"),
        }
    }

    pub(crate) async fn webhook_info(&self) -> Value {
        self.call("getWebhookInfo", "").await.json()["result"].clone()
    }
}

pub(crate) fn message(chat: i64, text: &str, date: i64) -> Value {
    json!({
        "message_id": 1, "date": date, "text": text,
        "chat": {"id": chat, "type": "private", "first_name": "Ann"},
        "from": {"id": chat, "is_bot": false, "first_name": "Ann"},
    })
}

pub(crate) fn ids(answer: &Answer) -> Vec<i64> {
    let body = answer.json();
    let updates = body["result"].as_array().unwrap_or_else(|| panic!("{body}"));
    updates.iter().map(|update| update["update_id"].as_i64().unwrap()).collect()
}

pub(crate) fn post(path: &str, content_type: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: t\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Reads one answer with a Content-Length.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> Answer {
    let (head, body) = read_message(stream).await.expect("the connection ended before an answer");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    Answer { status: status.unwrap_or_else(|| panic!("{head}")), head, body }
}

async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> Option<(String, Vec<u8>)> {
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

/// A webhook under the test's control.
pub(crate) struct Receiver {
    pub(crate) url: String,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
}

/// One request of the sandbox; it waits until it is answered.
pub(crate) struct Delivery {
    pub(crate) head: String,
    pub(crate) body: Value,
    /// Which connection it came on, counted from 0.
    pub(crate) connection: usize,
    answer: oneshot::Sender<Vec<u8>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        Self::with("http", None).await
    }

    /// Speaks TLS with this configuration.
    pub(crate) async fn start_tls(config: ServerConfig) -> Self {
        Self::with("https", Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn with(scheme: &str, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}/hook", listener.local_addr().unwrap());
        let (sender, deliveries) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let (sender, tls) = (sender.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, connection, sender).await,
                        Some(tls) => {
                            // A client that does not trust us hangs up here.
                            let Ok(stream) = tls.accept(stream).await else { return };
                            serve(stream, connection, sender).await;
                        }
                    }
                });
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
    pub(crate) fn update_id(&self) -> i64 {
        self.body["update_id"].as_i64().unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        self.body["message"]["text"].as_str().unwrap()
    }

    pub(crate) fn ok(self) {
        self.status("200 OK");
    }

    pub(crate) fn status(self, status: &str) {
        self.raw(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n"));
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

    pub(crate) fn raw(self, answer: impl Into<Vec<u8>>) {
        self.answer.send(answer.into()).ok();
    }

    /// Waits until the sandbox has given the delivery up and closed the connection.
    pub(crate) async fn abandoned(mut self) {
        soon("the end of the connection", self.answer.closed()).await;
    }

    /// Closes the connection without an answer.
    pub(crate) fn hang_up(self) {
        self.raw("");
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    connection: usize,
    deliveries: mpsc::UnboundedSender<Delivery>,
) {
    while let Some((head, body)) = read_message(&mut stream).await {
        let (answer, answered) = oneshot::channel();
        let body = serde_json::from_slice(&body).unwrap();
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
