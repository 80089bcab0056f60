//! The stub: what answers in Telegram's place and takes webhooks, as lightly as can be. One thread, no parsing beyond
//! the path and the length, answers prepared. Large bodies are taken and dropped, files are made of nothing.

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

/// A body that is longer is not looked at.
const LARGE_BYTES: usize = 1 << 20;
const PIECE_BYTES: usize = 64 * 1024;

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// A running stub.
pub(crate) struct Stub {
    pub(crate) address: String,
    pub(crate) server: Server,
}

impl Stub {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let address = free_address()?;
        let server = Server::start(this_program(NAME)?.arg(&address), &address).await?;
        Ok(Self { address, server })
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
    let (mut buffer, mut answer, mut dropped) = (Vec::with_capacity(16 * 1024), Vec::new(), Vec::new());
    let mut sent = 0_u64;
    loop {
        let head = loop {
            if let Some(head) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break head + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let length = length(&buffer[..head - 4])?;
        let kept = if length > LARGE_BYTES { 0 } else { length };
        let mut left = (head + length).saturating_sub(buffer.len());
        while left > 0 {
            let into = if kept == 0 { &mut dropped } else { &mut buffer };
            into.reserve(left.min(PIECE_BYTES));
            let read = stream.read_buf(into).await?;
            anyhow::ensure!(read > 0, "the peer went before its body was whole");
            left = left.checked_sub(read).context("more than one request")?;
            dropped.clear();
        }
        sent += 1;
        answer.clear();
        match file(&buffer[..head]) {
            Some(bytes) => give(&mut stream, bytes).await?,
            None => respond(&buffer[..head], &buffer[head..head + kept], sent, &seen, &mut answer),
        }
        stream.write_all(&answer).await?;
        // Of a large body the beginning may have come with the head.
        let taken = buffer.len().min(head + length);
        buffer.drain(..taken);
    }
}

/// The length of the file that is wanted: `/file/bot<token>/<bytes>`.
fn file(head: &[u8]) -> Option<usize> {
    let path = std::str::from_utf8(head.split(|byte| *byte == b' ').nth(1)?).ok()?;
    path.strip_prefix("/file/bot")?.rsplit('/').next()?.parse().ok()
}

async fn give(stream: &mut TcpStream, bytes: usize) -> anyhow::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {bytes}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let piece = vec![0x5a; PIECE_BYTES];
    let mut left = bytes;
    while left > 0 {
        let now = left.min(PIECE_BYTES);
        stream.write_all(&piece[..now]).await?;
        left -= now;
    }
    Ok(())
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
        b"sendMessage" | b"sendDocument" => json(
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
