//! A sandbox under a manual clock, with words for what these tests do to it.

use std::time::{Duration, Instant};

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tandem_sandbox::telegram::NewBot;
use tandem_sandbox::{Clock, Config, Sandbox};

/// How long a test waits for what must come.
const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: Client,
}

/// A bot of the sandbox's Telegram.
#[derive(Clone)]
pub(crate) struct Bot {
    pub(crate) id: i64,
    pub(crate) token: String,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let clock = Clock::manual(1_767_607_200_000);
        let sandbox = Sandbox::start(Config { clock, seed: 7, ..Config::default() }).await.unwrap();
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { sandbox, http }
    }

    pub(crate) fn bot(&self) -> Bot {
        let bot = self.sandbox.telegram().create_bot(NewBot::default()).unwrap();
        Bot { id: bot.id(), token: bot.token() }
    }

    /// A bot that amoCRM holds.
    pub(crate) async fn connected_bot(&self) -> Bot {
        let bot = self.bot();
        self.act("/amocrm/connect", json!({"token": bot.token})).await;
        bot
    }

    pub(crate) async fn client(&self, first_name: &str) -> i64 {
        let user = self.act("/users", json!({"first_name": first_name, "phone": "+79001112233"})).await;
        user["id"].as_i64().unwrap()
    }

    /// The client does something in his chat with the bot.
    pub(crate) async fn client_acts(&self, client: i64, bot: &Bot, act: &str, with: Value) -> Value {
        self.act(&format!("/users/{client}/bots/{}/{act}", bot.id), with).await
    }

    /// What the client sees.
    pub(crate) async fn client_sees(&self, client: i64, bot: &Bot) -> Vec<Value> {
        let chat = self.look(&format!("/users/{client}/bots/{}/chat", bot.id)).await;
        chat["messages"].as_array().unwrap().clone()
    }

    /// A control call that succeeds.
    pub(crate) async fn act(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(Method::POST, path, Some(body)).await;
        assert!(status.is_success(), "POST {path}: {status} {answer}");
        answer
    }

    pub(crate) async fn look(&self, path: &str) -> Value {
        let (status, answer) = self.ask(Method::GET, path, None).await;
        assert!(status.is_success(), "GET {path}: {status} {answer}");
        answer
    }

    /// Any control call.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.sandbox.control_url()));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null))
    }

    pub(crate) async fn bot_api(&self, bot: &Bot, method: &str, parameters: Value) -> Value {
        let address = format!("{}/bot{}/{method}", self.sandbox.telegram_url(), bot.token);
        self.http.post(address).json(&parameters).send().await.unwrap().json().await.unwrap()
    }

    /// The address Telegram posts this bot's updates to.
    pub(crate) async fn webhook(&self, bot: &Bot) -> String {
        let info = self.bot_api(bot, "getWebhookInfo", json!({})).await;
        info["result"]["url"].as_str().unwrap().to_owned()
    }

    /// Posts to amoCRM's hook past Telegram.
    pub(crate) async fn deliver(&self, bot: &Bot, update: &Value) -> reqwest::Result<reqwest::Response> {
        let hook = format!("{}/~external/hooks/telegram?t={}&", self.sandbox.amocrm_url(), bot.token);
        self.post(&hook, update.to_string()).await
    }

    pub(crate) async fn post(
        &self,
        address: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::Result<reqwest::Response> {
        self.http.post(address).header("Content-Type", "application/json").body(body).send().await
    }

    /// The lines of a chat in amoCRM as `(author, kind, text)`.
    pub(crate) async fn lines(&self, bot: &Bot, client: i64) -> Vec<(String, String, String)> {
        let chats = self.look(&format!("/amocrm/{}/chats", bot.id)).await;
        let chats = chats["chats"].as_array().unwrap();
        let chat = chats.iter().find(|chat| chat["telegram_chat_id"] == client);
        let word = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let messages = chat.and_then(|chat| chat["messages"].as_array()).cloned().unwrap_or_default();
        messages.iter().map(|line| (word(line, "author"), word(line, "kind"), word(line, "text"))).collect()
    }

    /// Waits until the chat in amoCRM has this many lines.
    pub(crate) async fn lines_when(
        &self,
        bot: &Bot,
        client: i64,
        count: usize,
    ) -> Vec<(String, String, String)> {
        eventually("lines in amoCRM", async || {
            let lines = self.lines(bot, client).await;
            (lines.len() >= count).then_some(lines)
        })
        .await
    }

    pub(crate) async fn chat(&self, bot: &Bot, client: i64) -> Value {
        self.look(&format!("/amocrm/{}/chats/{client}", bot.id)).await
    }

    pub(crate) async fn deliveries(&self, bot: &Bot) -> Value {
        self.look(&format!("/amocrm/{}", bot.id)).await["deliveries"].clone()
    }
}

/// A message update of a private client.
pub(crate) fn message(update_id: i64, client: i64, content: Value) -> Value {
    let mut object = json!({"message_id": update_id, "date": 1_767_607_200,
        "from": {"id": client, "is_bot": false, "first_name": "Анна"},
        "chat": {"id": client, "type": "private", "first_name": "Анна"}});
    if let (Some(object), Value::Object(mut fields)) = (object.as_object_mut(), content) {
        object.append(&mut fields);
    }
    json!({"update_id": update_id, "message": object})
}

/// Looks until there is something, or fails.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < end, "no {what} within {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
