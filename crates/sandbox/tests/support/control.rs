//! The sandbox's control API, as a test uses it.

use anyhow::{Context, bail};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::LIMIT;

/// One control API. Every call fails with what the API answered.
#[derive(Clone)]
pub(crate) struct Control {
    base: String,
    http: reqwest::Client,
}

impl Control {
    pub(crate) fn new(base: &str) -> Self {
        // Fails when another test of this process was first, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { base: base.trim_end_matches('/').to_owned(), http: reqwest::Client::new() }
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(self.http.get(format!("{}{path}", self.base))).await.context(path.to_owned())
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.send(self.http.post(format!("{}{path}", self.base)).json(body)).await.context(path.to_owned())
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.text().await?;
        if !status.is_success() {
            bail!("{status}: {body}");
        }
        serde_json::from_str(&body).with_context(|| body)
    }

    /// Creates a bot; gives its id and token.
    pub(crate) async fn create_bot(&self, username: &str) -> anyhow::Result<(i64, String)> {
        let bot = self.post("/bots", &json!({ "username": username, "first_name": "Witness" })).await?;
        let id = bot["id"].as_i64().context("a bot has an id")?;
        let token = bot["token"].as_str().context("a bot has a token")?;
        Ok((id, token.to_owned()))
    }

    /// The calls that a bot has made, in order.
    pub(crate) async fn calls(&self, bot: i64) -> anyhow::Result<Vec<Value>> {
        let calls = self.get(&format!("/bots/{bot}/calls?after=0")).await?;
        Ok(calls.as_array().context("a list of calls")?.clone())
    }

    /// The methods that a bot has called, in order and in lower case.
    pub(crate) async fn methods_called(&self, bot: i64) -> anyhow::Result<Vec<String>> {
        let calls = self.calls(bot).await?;
        Ok(calls.iter().filter_map(|call| call["method"].as_str().map(str::to_lowercase)).collect())
    }

    /// A client in a private chat with a bot.
    pub(crate) async fn client(&self, bot: i64, profile: &Value) -> anyhow::Result<Client> {
        let user = self.post("/users", profile).await?["id"].as_i64().context("a user has an id")?;
        Ok(Client { control: self.clone(), path: format!("/users/{user}/bots/{bot}") })
    }
}

/// A person with the bot's chat open on his phone.
pub(crate) struct Client {
    control: Control,
    path: String,
}

impl Client {
    /// Does something (`text`, `photo`, `press`, …) and gives what the control API says of it.
    pub(crate) async fn acts(&self, act: &str, with: Value) -> anyhow::Result<Value> {
        self.control.post(&format!("{}/{act}", self.path), &with).await
    }

    /// What he sees now.
    pub(crate) async fn chat(&self) -> anyhow::Result<Value> {
        self.control.get(&format!("{}/chat", self.path)).await
    }

    /// Looks at the chat until it is as expected. `what` says what is waited for.
    pub(crate) async fn waits(&self, what: &str, expected: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let chat = self.chat().await?;
            if expected(&chat) {
                return Ok(chat);
            }
            if Instant::now() > deadline {
                bail!("the client waits in vain for {what}; his chat: {chat:#}");
            }
            tokio::time::sleep(std::time::Duration::from_millis(15)).await;
        }
    }
}
