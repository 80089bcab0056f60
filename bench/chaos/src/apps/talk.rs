//! What an app says to clients: messages with buttons, edits, files, answers to presses; each marked, so that it is
//! known again in the sandbox's record and in the journal.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha12Rng};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::{
    history::{Heard, Send},
    run::now_ms,
    seen::mark,
};

/// Longer than anything the network is told to do to it.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all apps have sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox(Arc<Posted>);

#[derive(Debug, Default)]
struct Posted {
    next: AtomicU64,
    sends: Mutex<BTreeMap<u64, Send>>,
}

impl Outbox {
    /// A new message's mark.
    fn begin(&self, app: &'static str, edits: Option<(i64, i64)>, heard: Option<(i64, Heard)>) -> u64 {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed) + 1;
        self.lock().insert(number, Send { app, at_ms: now_ms(), edits, heard });
        number
    }

    fn heard(&self, number: u64, heard: Heard) {
        if let Some(send) = self.lock().get_mut(&number) {
            send.heard = Some((now_ms(), heard));
        }
    }

    /// What was sent so far.
    pub(crate) fn sends(&self) -> BTreeMap<u64, Send> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Send>> {
        self.0.sends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An app's voice. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Voice {
    outbox: Outbox,
    /// The app's lane.
    app: &'static str,
    client: reqwest::Client,
    /// `<gateway>/bot<token>`.
    base: Arc<str>,
    rng: Arc<Mutex<ChaCha12Rng>>,
}

/// What an app says to one update.
enum Line {
    Nothing,
    Message { chat: i64 },
    File { chat: i64 },
    Edit { chat: i64, message: i64 },
    Answer { press: String },
}

impl Voice {
    pub(crate) fn new(
        outbox: Outbox,
        app: &'static str,
        (gateway, token): (&str, &str),
        seed: u64,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            outbox,
            app,
            client: reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?,
            base: format!("{gateway}/bot{token}").into(),
            rng: Arc::new(Mutex::new(ChaCha12Rng::seed_from_u64(seed))),
        })
    }

    /// A call to the gateway, as it is.
    pub(crate) fn call(&self, method: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/{method}", self.base))
    }

    /// Says something to this update, or not; in the background, as handlers of bots run.
    pub(crate) fn answer(&self, update: &Value) {
        let voice = self.clone();
        for line in self.choose(update) {
            let voice = voice.clone();
            tokio::spawn(async move { voice.say(line).await });
        }
    }

    /// The same as the answer to a webhook; nobody hears what comes of it.
    pub(crate) fn as_reply(&self, update: &Value) -> Option<Value> {
        let chat = update["message"]["chat"]["id"].as_i64()?;
        if !self.lock().random_bool(0.08) {
            return None;
        }
        let number = self.outbox.begin(self.app, None, Some((now_ms(), Heard::Never)));
        Some(
            json!({ "method": "sendMessage", "chat_id": chat, "text": mark(number), "reply_markup": buttons() }),
        )
    }

    fn choose(&self, update: &Value) -> Vec<Line> {
        let mut rng = self.lock();
        if let Some(chat) = update["message"]["chat"]["id"].as_i64() {
            return vec![match rng.random_range(0..100) {
                0..28 => Line::Message { chat },
                28..34 => Line::File { chat },
                _ => Line::Nothing,
            }];
        }
        let press = &update["callback_query"];
        let Some(id) = press["id"].as_str() else { return Vec::new() };
        let mut lines = vec![Line::Answer { press: id.to_owned() }];
        let (chat, message) =
            (press["message"]["chat"]["id"].as_i64(), press["message"]["message_id"].as_i64());
        if let (Some(chat), Some(message)) = (chat, message)
            && rng.random_bool(0.4)
        {
            lines.push(Line::Edit { chat, message });
        }
        lines
    }

    async fn say(&self, line: Line) {
        match line {
            Line::Nothing => {}
            Line::Answer { press } => {
                // Whoever is second, or too late, is refused: which is nothing to an app.
                let _ = self
                    .call("answerCallbackQuery")
                    .json(&json!({ "callback_query_id": press }))
                    .send()
                    .await;
            }
            Line::Message { chat } => {
                let number = self.outbox.begin(self.app, None, None);
                let body = json!({ "chat_id": chat, "text": mark(number), "reply_markup": buttons() });
                self.send(number, self.call("sendMessage").json(&body)).await;
            }
            Line::Edit { chat, message } => {
                let number = self.outbox.begin(self.app, Some((chat, message)), None);
                let body = json!({ "chat_id": chat, "message_id": message, "text": mark(number), "reply_markup": buttons() });
                self.send(number, self.call("editMessageText").json(&body)).await;
            }
            Line::File { chat } => {
                let number = self.outbox.begin(self.app, None, None);
                let form = Form::new()
                    .text("chat_id", chat.to_string())
                    .text("caption", mark(number))
                    .part("document", Part::bytes(vec![0x25; 4_096]).file_name("price.pdf"));
                self.send(number, self.call("sendDocument").multipart(form)).await;
            }
        }
    }

    async fn send(&self, number: u64, request: reqwest::RequestBuilder) {
        let answered = async {
            let answer = request.send().await?;
            answer.json::<Value>().await
        };
        let heard = match answered.await {
            Ok(answer) if answer["ok"] == true => Heard::Ok,
            Ok(_) | Err(_) => Heard::Failure,
        };
        self.outbox.heard(number, heard);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, ChaCha12Rng> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn buttons() -> Value {
    json!({ "inline_keyboard": [[{ "text": "Yes", "callback_data": "yes" }, { "text": "No", "callback_data": "no" }]] })
}
