//! The stage of a story: a sandbox, and hands that act in it only through its public addresses.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::StoryError;
use crate::{Config, Sandbox};

const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// A sandbox with one bot and one client.
pub(super) struct Stage {
    sandbox: Sandbox,
    patience: Duration,
    http: reqwest::Client,
    pub(super) bot: i64,
    pub(super) token: String,
    pub(super) client: i64,
}

impl Stage {
    pub(super) async fn set(seed: u64, patience: Duration) -> Result<Self, StoryError> {
        let sandbox = Sandbox::start(Config { seed, ..Config::default() }).await?;
        let http = crate::amocrm::http_client();
        let mut stage = Self { sandbox, patience, http, bot: 0, token: String::new(), client: 0 };
        let bot = stage.act("/bots", json!({"username": "zerno_coffee_bot", "first_name": "Зерно"})).await?;
        stage.bot = bot["id"].as_i64().unwrap_or_default();
        stage.token = bot["token"].as_str().unwrap_or_default().to_owned();
        let client = stage.act("/users", json!({"first_name": "Анна", "phone": "+79001112233"})).await?;
        stage.client = client["id"].as_i64().unwrap_or_default();
        Ok(stage)
    }

    pub(super) fn telegram_url(&self) -> String {
        self.sandbox.telegram_url()
    }

    /// Posts to the control API.
    pub(super) async fn act(&self, path: &str, body: Value) -> Result<Value, StoryError> {
        let request = self.http.post(format!("{}{path}", self.sandbox.control_url())).json(&body);
        answer(format!("POST {path}"), request).await
    }

    /// Reads from the control API.
    pub(super) async fn look(&self, path: &str) -> Result<Value, StoryError> {
        answer(format!("GET {path}"), self.http.get(format!("{}{path}", self.sandbox.control_url()))).await
    }

    /// The client writes a message.
    pub(super) async fn client_writes(&self, text: &str) -> Result<(), StoryError> {
        let path = format!("/users/{}/bots/{}/text", self.client, self.bot);
        self.act(&path, json!({"text": text})).await.map(drop)
    }

    /// What the client was answered, in order.
    pub(super) async fn answers(&self) -> Result<Vec<String>, StoryError> {
        let chat = self.look(&format!("/users/{}/bots/{}/chat", self.client, self.bot)).await?;
        let messages = chat["messages"].as_array().cloned().unwrap_or_default();
        Ok(messages
            .iter()
            .filter(|message| message["from"] == "bot")
            .map(|message| message["text"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// What amoCRM shows of the client's messages, in order.
    pub(super) async fn amocrm_sees(&self) -> Result<Vec<String>, StoryError> {
        let chats = self.look(&format!("/amocrm/{}/chats", self.bot)).await?;
        let lines = chats["chats"][0]["messages"].as_array().cloned().unwrap_or_default();
        Ok(lines
            .iter()
            .filter(|line| line["author"] == "client")
            .map(|line| line["text"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// The address that Telegram has for the bot now; empty while it polls.
    pub(super) async fn webhook(&self) -> Result<String, StoryError> {
        let address = format!("{}/bot{}/getWebhookInfo", self.telegram_url(), self.token);
        let info = answer("getWebhookInfo".to_owned(), self.http.get(address)).await?;
        Ok(info["result"]["url"].as_str().unwrap_or_default().to_owned())
    }

    /// How many updates the bot has had, whoever got them.
    pub(super) async fn updates_so_far(&self) -> Result<u64, StoryError> {
        let updates = self.look(&format!("/bots/{}/updates?after=0", self.bot)).await?;
        let last = updates.as_array().and_then(|updates| updates.last());
        Ok(last.and_then(|update| update["n"].as_u64()).unwrap_or(0))
    }

    /// How the first message after that many updates reached somebody: `polling`, `webhook`, or not at all yet.
    pub(super) async fn delivery_after(&self, updates: u64) -> Result<Option<String>, StoryError> {
        let updates = self.look(&format!("/bots/{}/updates?after={updates}", self.bot)).await?;
        let message = updates.as_array().into_iter().flatten().find(|update| update["kind"] == "message");
        Ok(message.and_then(|message| message["delivered"].as_str()).map(ToOwned::to_owned))
    }

    /// How many calls of this method were answered with this error.
    pub(super) async fn refusals(&self, method: &str, code: u16) -> Result<usize, StoryError> {
        let calls = self.look(&format!("/bots/{}/calls?after=0", self.bot)).await?;
        let refused = |call: &&Value| {
            call["error_code"] == code
                && call["method"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(method))
        };
        Ok(calls.as_array().into_iter().flatten().filter(refused).count())
    }

    /// Looks until there is something to see, or patience ends.
    pub(super) async fn wait_for<T>(
        &self,
        mut look: impl AsyncFnMut() -> Result<Option<T>, StoryError>,
    ) -> Result<Option<T>, StoryError> {
        let end = Instant::now() + self.patience;
        loop {
            if let Some(seen) = look().await? {
                return Ok(Some(seen));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    pub(super) async fn end(self) {
        self.sandbox.stop().await;
    }
}

async fn answer(request: String, builder: reqwest::RequestBuilder) -> Result<Value, StoryError> {
    let failed = |source: reqwest::Error| StoryError::NoAnswer {
        request: request.clone(),
        source: source.without_url(),
    };
    let answer = builder.send().await.map_err(failed)?;
    let good = answer.status().is_success();
    let body = answer.text().await.map_err(failed)?;
    if !good {
        return Err(StoryError::Refused { request, answer: body });
    }
    Ok(serde_json::from_str(&body).unwrap_or(Value::Null))
}
