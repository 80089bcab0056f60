//! The stub: what answers in Telegram's place and takes webhooks, as lightly as can be. One thread, no parsing beyond
//! the path and the length, answers prepared.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    connection::{Connection, get},
    process::{Server, free_address, this_program},
};

/// What this program is called when it is the stub.
pub(crate) const NAME: &str = "bench-stub";

/// The bot that it knows.
pub(crate) const BOT: u64 = 7_000_000_001;
/// Whose token that is. It opens nothing.
pub(crate) const TOKEN: &str = "7000000001:bench-bench-bench-bench-bench-bench";
/// Where updates are to be posted, from outside.
pub(crate) const PUBLIC_URL: &str = "https://bots.example";

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A running stub.
pub(crate) struct Stub {
    pub(crate) address: String,
    _server: Server,
}

impl Stub {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let address = free_address()?;
        let server = Server::start(this_program(NAME)?.arg(&address), &address).await?;
        Ok(Self { address, _server: server })
    }

    /// The secret with which the webhook was set.
    pub(crate) async fn webhook_secret(&self) -> anyhow::Result<String> {
        let mut connection = Connection::open(&self.address).await?;
        let form = String::from_utf8(connection.call(&get("/seen")).await?.to_vec())?;
        let secret = form.split('&').find_map(|pair| pair.strip_prefix("secret_token="));
        Ok(secret.context("the webhook was not set with a secret")?.to_owned())
    }
}

/// The parameters of the latest `setWebhook`.
type Seen = Arc<Mutex<Vec<u8>>>;

/// The stub itself.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn serve() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).context("an address")?;
    let listener = TcpListener::bind(address).await?;
    let seen = Seen::default();
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream, Arc::clone(&seen)));
    }
}

/// Answers until the peer goes.
async fn connection(mut stream: TcpStream, seen: Seen) -> anyhow::Result<()> {
    stream.set_nodelay(true)?;
    let (mut buffer, mut answer) = (Vec::with_capacity(16 * 1024), Vec::new());
    let mut sent = 0_u64;
    loop {
        let (head, end) = loop {
            if let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let end = head + 4 + length(&buffer[..head])?;
                if buffer.len() >= end {
                    break (head + 4, end);
                }
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        sent += 1;
        answer.clear();
        respond(&buffer[..head], &buffer[head..end], sent, &seen, &mut answer);
        stream.write_all(&answer).await?;
        buffer.drain(..end);
    }
}

fn respond(head: &[u8], body: &[u8], sent: u64, seen: &Seen, answer: &mut Vec<u8>) {
    let path = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    let method = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let seen = || seen.lock().unwrap_or_else(PoisonError::into_inner);
    match method {
        b"getMe" => json(
            answer,
            &format!(
                r#"{{"id":{BOT},"is_bot":true,"first_name":"Bench","username":"bench_bot","can_join_groups":true,"can_read_all_group_messages":false,"supports_inline_queries":false,"can_connect_to_business":false,"has_main_web_app":false}}"#
            ),
        ),
        b"sendMessage" => json(
            answer,
            &format!(
                r#"{{"message_id":{sent},"from":{{"id":{BOT},"is_bot":true,"first_name":"Bench","username":"bench_bot"}},"chat":{{"id":5000000000,"first_name":"Anna","username":"anna","type":"private"}},"date":1790000000,"text":"Your order is on its way: we will write again when it is there."}}"#
            ),
        ),
        b"getWebhookInfo" if seen().is_empty() => {
            json(answer, r#"{"url":"","has_custom_certificate":false,"pending_update_count":0}"#);
        }
        b"getWebhookInfo" => json(
            answer,
            &format!(
                r#"{{"url":"{PUBLIC_URL}/hooks/telegram/{BOT}","has_custom_certificate":false,"pending_update_count":0}}"#
            ),
        ),
        b"setWebhook" => {
            *seen() = body.to_vec();
            json(answer, "true");
        }
        b"getUpdates" => json(answer, "[]"),
        b"seen" => whole(answer, &seen()),
        _ => answer.extend_from_slice(EMPTY), // a webhook
    }
}

fn json(answer: &mut Vec<u8>, result: &str) {
    whole(answer, format!(r#"{{"ok":true,"result":{result}}}"#).as_bytes());
}

fn whole(answer: &mut Vec<u8>, body: &[u8]) {
    let length = body.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
    answer.extend_from_slice(head.as_bytes());
    answer.extend_from_slice(body);
}

/// What a head says of its body; nothing is none.
fn length(head: &[u8]) -> anyhow::Result<usize> {
    let head = std::str::from_utf8(head)?;
    let fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let length = fields.clone().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    anyhow::ensure!(
        !fields.into_iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding")),
        "a body of unknown length"
    );
    Ok(length.map_or(Ok(0), |(_, length)| length.trim().parse())?)
}
