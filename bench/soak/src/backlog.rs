//! The bot whose route's destination is down. The sandbox keeps no million updates, so this program posts them itself,
//! as Telegram would, to Tandem's public address.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use serde_json::Value;
use tokio::{task::JoinSet, time::Instant};

use crate::connection::{Connection, get};

/// As many as Telegram would at most have under way, but for some that are left to others.
const CONNECTIONS: usize = 64;

/// So many people write to it.
const PEOPLE: u64 = 10_000;

/// Length of the texts: their number, with as much before it.
const TEXT_BYTES: usize = 200;

/// Writes its updates as requests.
#[derive(Debug, Clone)]
pub(crate) struct Backlog {
    bot: i64,
    /// Proves that a request is Telegram's.
    secret: String,
    date: u64,
}

impl Backlog {
    /// For this bot, whose webhook the sandbox has been told.
    pub(crate) async fn of(bot: i64, sandbox: &str) -> anyhow::Result<Self> {
        let mut connection = Connection::open(sandbox).await?;
        let calls = connection.call(&get(&format!("/bots/{bot}/calls?after=0"))).await?;
        let calls: Vec<Value> = serde_json::from_slice(calls)?;
        let set = calls.iter().rev().find(|call| call["method"] == "setWebhook" && call["ok"] == true);
        let set = set.context("Tandem has set no webhook for the bot with the backlog")?;
        let secret = set["params"]["secret_token"].as_str().context("the webhook's secret")?;
        let date = SystemTime::UNIX_EPOCH.elapsed().as_ref().map_or(0, Duration::as_secs);
        Ok(Self { bot, secret: secret.to_owned(), date })
    }

    /// The update of this number.
    fn update(&self, number: u64) -> String {
        let (id, date) = (100_000_001 + number, self.date);
        let person = 5_000_000_000 + number % PEOPLE;
        format!(
            r#"{{"update_id":{id},"message":{{"message_id":{id},"from":{{"id":{person},"is_bot":false,"first_name":"Anna","username":"client_of_the_shop","language_code":"ru"}},"chat":{{"id":{person},"first_name":"Anna","username":"client_of_the_shop","type":"private"}},"date":{date},"text":"{number:_>TEXT_BYTES$}"}}}}"#
        )
    }

    /// The bytes of one.
    pub(crate) fn update_bytes(number: u64) -> u64 {
        let any = Self { bot: 1, secret: String::new(), date: 1_800_000_000 };
        any.update(number).len() as u64
    }

    /// The request that posts the update of this number.
    pub(crate) fn request(&self, number: u64) -> Vec<u8> {
        let (bot, secret, body) = (self.bot, &self.secret, self.update(number));
        let length = body.len();
        format!(
            "POST /hooks/telegram/{bot} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Telegram-Bot-Api-Secret-Token: {secret}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// Posts the first so many, as fast as they are taken, and says how long that took.
    pub(crate) async fn fill(&self, address: &str, count: u64) -> anyhow::Result<Duration> {
        let (next, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let mut workers = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (this, next) = (self.clone(), Arc::clone(&next));
            let mut connection = Connection::open(address).await?;
            workers.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return anyhow::Ok(());
                    }
                    connection.call(&this.request(number)).await.context("Tandem has not taken an update")?;
                }
            });
        }
        while let Some(worker) = workers.join_next().await {
            worker??;
        }
        Ok(begun.elapsed())
    }
}
