//! What Telegram would post: updates with growing numbers from many chats.

use std::{
    io::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use crate::stub::BOT;

/// So many clients write in turn.
const CHATS: u64 = 10_000;

/// Makes text messages as long as the journal's comparison takes: 700 bytes an update.
const TEXT_BYTES: usize = 420;

/// Where they are posted to.
pub(crate) fn path() -> String {
    format!("/hooks/telegram/{BOT}")
}

/// Requests with updates, each with the number after the last one's.
pub(crate) struct Updates {
    secret: String,
    /// When they were written, in seconds. Apps are not given what is older than a day.
    date: u64,
    next: AtomicU64,
}

impl Updates {
    pub(crate) fn new(secret: &str) -> Self {
        let date = SystemTime::UNIX_EPOCH.elapsed().as_ref().map_or(0, Duration::as_secs);
        Self { secret: secret.to_owned(), date, next: AtomicU64::new(100_000_001) }
    }

    /// Writes the next one, whose text begins with `stamp`.
    pub(crate) fn write(&self, stamp: u64, request: &mut Vec<u8>) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let chat = 5_000_000_000 + id % CHATS;
        let (text, date) = (format!("{stamp:0>TEXT_BYTES$}"), self.date);
        let body = format!(
            r#"{{"update_id":{id},"message":{{"message_id":{id},"from":{{"id":{chat},"is_bot":false,"first_name":"Anna","username":"client_of_the_shop","language_code":"ru"}},"chat":{{"id":{chat},"first_name":"Anna","username":"client_of_the_shop","type":"private"}},"date":{date},"text":"{text}"}}}}"#
        );
        request.clear();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Telegram-Bot-Api-Secret-Token: {}\r\nContent-Length: {}\r\n\r\n",
            path(),
            self.secret,
            body.len()
        );
        // Writing to a vector never fails.
        let _ = request.write_all(head.as_bytes());
        let _ = request.write_all(body.as_bytes());
    }
}
