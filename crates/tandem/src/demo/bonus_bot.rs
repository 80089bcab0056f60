//! The owner's bot of the demo: a small bonus bot, as plain as such bots are.
//!
//! It knows one address and one token and nothing of Tandem. It starts as many do, with
//! `deleteWebhook(drop_pending_updates=true)`, polls, and answers each update before it takes the next.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::{http::Http, words::BotWords};

/// How long a poll waits at the server, in seconds.
const POLL_SECS: u64 = 25;

/// How soon a failed call is tried again.
const AGAIN: Duration = Duration::from_millis(150);

/// What the order button's inline keyboard sends.
pub(super) const PRODUCT: &str = "order:beans";

/// A running bot. Dropping it ends it as a power failure would.
#[derive(Debug)]
pub(super) struct BonusBot(AbortHandle);

/// What outlives the bot's restarts: its customers' file, and the list of what it was given.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    ordered: bool,
    started: u64,
    given: Vec<Given>,
}

/// An update that the bot was given.
#[derive(Debug, Clone)]
pub(super) struct Given {
    /// Its number, as the bot saw it.
    pub(super) update_id: i64,
    /// The text of a message, the data of a press.
    pub(super) said: String,
}

impl Memory {
    /// Everything it was given so far, in order.
    pub(super) fn given(&self) -> Vec<Given> {
        self.lock().given.clone()
    }

    /// How many times it has come up.
    pub(super) fn started(&self) -> u64 {
        self.lock().started
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BonusBot {
    pub(super) fn start(
        http: Http,
        api_base: &str,
        token: &str,
        words: &'static BotWords,
        memory: Arc<Memory>,
    ) -> Self {
        let program = Program { http, call_base: format!("{api_base}/bot{token}"), words, memory };
        Self(tokio::spawn(program.run()).abort_handle())
    }
}

impl Drop for BonusBot {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Program {
    http: Http,
    call_base: String,
    words: &'static BotWords,
    memory: Arc<Memory>,
}

impl Program {
    async fn run(self) {
        self.call("deleteWebhook", json!({ "drop_pending_updates": true })).await;
        self.memory.lock().started += 1;
        let mut offset = 0;
        loop {
            let asked = json!({ "offset": offset, "timeout": POLL_SECS });
            let updates = self.call("getUpdates", asked).await;
            for update in updates.as_array().into_iter().flatten() {
                offset = update["update_id"].as_i64().unwrap_or_default() + 1;
                self.take(update).await;
            }
        }
    }

    async fn take(&self, update: &Value) {
        let press = &update["callback_query"];
        let said = update["message"]["text"].as_str().or(press["data"].as_str()).unwrap_or_default();
        let update_id = update["update_id"].as_i64().unwrap_or_default();
        self.memory.lock().given.push(Given { update_id, said: said.to_owned() });
        if press.is_object() {
            self.answer_press(press, said).await;
        } else if let Some(chat) = update["message"]["chat"]["id"].as_i64() {
            self.answer_text(chat, said).await;
        }
    }

    async fn answer_text(&self, chat: i64, text: &str) {
        let words = self.words;
        let menu = json!({
            "keyboard": [[{ "text": words.balance_button }, { "text": words.order_button }]],
            "resize_keyboard": true,
        });
        let message = if text.starts_with("/start") {
            json!({ "chat_id": chat, "text": words.welcome, "reply_markup": menu })
        } else if text == words.balance_button {
            let ordered = self.memory.lock().ordered;
            let balance = if ordered { words.balance_after } else { words.balance_before };
            json!({ "chat_id": chat, "text": balance })
        } else if text == words.order_button {
            let product = json!([[{ "text": words.product_button, "callback_data": PRODUCT }]]);
            let keyboard = json!({ "inline_keyboard": product });
            json!({ "chat_id": chat, "text": words.choose, "reply_markup": keyboard })
        } else if text.ends_with('?') {
            json!({ "chat_id": chat, "text": words.manager_will_answer })
        } else {
            return;
        };
        self.call("sendMessage", message).await;
    }

    /// Presses of buttons that are not its own are somebody else's to answer.
    async fn answer_press(&self, press: &Value, data: &str) {
        if data != PRODUCT {
            return;
        }
        self.memory.lock().ordered = true;
        let toast = json!({ "callback_query_id": press["id"], "text": self.words.ordered_toast });
        self.call("answerCallbackQuery", toast).await;
        let chat = &press["message"]["chat"]["id"];
        self.call("sendMessage", json!({ "chat_id": chat, "text": self.words.ordered })).await;
    }

    /// Calls until there is an answer: this bot has nothing better to do than to wait for its server.
    async fn call(&self, method: &str, parameters: Value) -> Value {
        loop {
            match self.http.post(&format!("{}/{method}", self.call_base), &parameters).await {
                Ok(mut answer) => return answer["result"].take(),
                Err(error) => tracing::debug!(%error, method, "the demo's bot tries again"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}
