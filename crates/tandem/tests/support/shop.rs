//! A shop: a bot that amoCRM's built-in integration holds, a client, and the owner's bonus bot of `examples/`.

use anyhow::Context as _;
use serde_json::{Value, json};
use tandem_bridge::UpstreamMode;
use tandem_gateway::DropPending;
use tandem_sandbox::{Config, Sandbox};
use tempfile::TempDir;

use super::{
    driver::{Control, Stage, bonus, program::Program},
    tandem::Tandem,
    until,
    wire::Wire,
};

/// Everybody and everything of the shop.
pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
    pub(crate) control: Control,
    pub(crate) tandem: Tandem,
    /// Between the owner's bot and Tandem.
    pub(crate) wire: Wire,
    pub(crate) bot: i64,
    /// The bot's token at Telegram.
    pub(crate) token: String,
    /// The token that Tandem gave to the owner's bot.
    pub(crate) app_token: String,
    pub(crate) client: i64,
    customers: TempDir,
}

impl Shop {
    /// A bot that amoCRM holds, and a Tandem that does not have it yet.
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Config::default()).await?;
        let control = Control::new(&sandbox.control_url());
        let (bot, token) = control.create_bot("witness_bot").await?;
        control.post("/amocrm/connect", &json!({ "token": token })).await?;
        let profile = json!({ "first_name": "Анна", "phone": "+79990001122" });
        let client = control.post("/users", &profile).await?["id"].as_i64().context("a user has an id")?;
        let tandem = Tandem::start(&sandbox.telegram_url()).await?;
        let wire = Wire::to(tandem.gateway()).await?;
        let customers = tandem_testkit::folder();
        Ok(Self { sandbox, control, tandem, wire, bot, token, app_token: String::new(), client, customers })
    }

    /// The same, adopted.
    pub(crate) async fn adopted(drop_pending: DropPending) -> anyhow::Result<Self> {
        let mut shop = Self::open().await?;
        shop.adopt(drop_pending, UpstreamMode::Polling).await?;
        Ok(shop)
    }

    pub(crate) async fn adopt(
        &mut self,
        drop_pending: DropPending,
        upstream: UpstreamMode,
    ) -> anyhow::Result<()> {
        let adopted = self.tandem.adopt(&self.token, drop_pending, upstream).await?;
        let token = adopted.app_token.context("adopt shows the app's token")?;
        token.expose().clone_into(&mut self.app_token);
        Ok(())
    }

    /// What the drivers of `clients/` and `examples/` are given: the address and the token are Tandem's.
    pub(crate) fn stage(&self) -> Stage {
        Stage {
            api_base: self.wire.url(),
            token: self.app_token.clone(),
            control: self.control.clone(),
            bot: self.bot,
        }
    }

    /// Starts the owner's unchanged bot, and waits until it has asked to drop what is pending.
    pub(crate) async fn bot_starts(&self) -> anyhow::Result<Program> {
        bonus::start(&self.stage(), &self.customers.path().join("bonus.db")).await
    }

    /// The client does something on her phone.
    pub(crate) async fn client_acts(&self, act: &str, with: Value) -> anyhow::Result<Value> {
        self.control.post(&format!("/users/{}/bots/{}/{act}", self.client, self.bot), &with).await
    }

    pub(crate) async fn client_says(&self, text: &str) -> anyhow::Result<()> {
        self.client_acts("text", json!({ "text": text })).await.map(drop)
    }

    pub(crate) async fn manager_answers(&self, text: &str) -> anyhow::Result<()> {
        let reply = json!({ "user": self.client, "text": text });
        self.control.post(&format!("/amocrm/{}/reply", self.bot), &reply).await.map(drop)
    }

    /// The texts that came to the client from the bot, whoever wrote them, oldest first.
    pub(crate) async fn phone(&self) -> anyhow::Result<Vec<String>> {
        let chat = self.control.get(&format!("/users/{}/bots/{}/chat", self.client, self.bot)).await?;
        let messages = chat["messages"].as_array().context("a chat has messages")?;
        let from_bot = messages.iter().filter(|message| message["from"] == "bot");
        Ok(from_bot.map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Waits until exactly these texts have come after the first `before`.
    pub(crate) async fn client_is_told(&self, before: usize, texts: &[&str]) -> anyhow::Result<()> {
        let come = |phone: &Vec<String>| phone.len() >= before + texts.len();
        let phone = until("answers", async || self.phone().await, come).await?;
        anyhow::ensure!(phone[before..] == *texts, "{:?} instead of {texts:?}", &phone[before..]);
        Ok(())
    }

    /// What managers see of the client: her words and the data of buttons, oldest first.
    pub(crate) async fn amocrm_sees(&self) -> anyhow::Result<Vec<String>> {
        let chats = self.control.get(&format!("/amocrm/{}/chats", self.bot)).await?;
        let lines = chats["chats"][0]["messages"].as_array().cloned().unwrap_or_default();
        let client = lines.iter().filter(|line| line["author"] == "client");
        Ok(client.map(|line| line["text"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Waits until managers see exactly this, in this order.
    pub(crate) async fn amocrm_has<S: AsRef<str> + Sync>(&self, said: &[S]) -> anyhow::Result<()> {
        let everything = |seen: &Vec<String>| {
            seen.len() == said.len() && seen.iter().zip(said).all(|(seen, said)| seen == said.as_ref())
        };
        until("everything in amoCRM", async || self.amocrm_sees().await, everything).await.map(drop)
    }

    pub(crate) async fn amocrm_goes_down(&self) -> anyhow::Result<()> {
        self.control_moves("/amocrm/down").await
    }

    pub(crate) async fn amocrm_comes_up(&self) -> anyhow::Result<()> {
        self.control_moves("/amocrm/up").await
    }

    /// Some routes answer with nothing.
    async fn control_moves(&self, path: &str) -> anyhow::Result<()> {
        let address = format!("{}{path}", self.sandbox.control_url());
        reqwest::Client::new().post(address).json(&json!({})).send().await?.error_for_status()?;
        Ok(())
    }

    /// The webhook that Telegram has for the bot.
    pub(crate) async fn webhook(&self) -> anyhow::Result<String> {
        let address = format!("{}/bot{}/getWebhookInfo", self.sandbox.telegram_url(), self.token);
        let info: Value = reqwest::get(address).await?.json().await?;
        Ok(info["result"]["url"].as_str().unwrap_or_default().to_owned())
    }

    /// Where the sandbox's amoCRM takes this bot's updates.
    pub(crate) async fn hook(&self) -> anyhow::Result<String> {
        let connection = self.control.get(&format!("/amocrm/{}", self.bot)).await?;
        Ok(connection["hook"].as_str().context("a connection has a hook")?.to_owned())
    }

    /// How often the hook was given what it had already.
    pub(crate) async fn repeats(&self) -> anyhow::Result<u64> {
        let connection = self.control.get(&format!("/amocrm/{}", self.bot)).await?;
        connection["deliveries"]["repeats"].as_u64().context("repeats are counted")
    }

    /// How often a press of this button was answered.
    pub(crate) async fn answered(&self, data: &str) -> anyhow::Result<usize> {
        let chat = self.control.get(&format!("/users/{}/bots/{}/chat", self.client, self.bot)).await?;
        let answers = chat["callback_answers"].as_array().context("a chat has answers")?;
        Ok(answers.iter().filter(|answer| answer["data"] == data).count())
    }

    /// The next call of this method gets no answer; `when` says whether it is carried out all the same: "after" it
    /// was, or "before" it would have been.
    pub(crate) async fn telegram_is_silent_about(&self, method: &str, when: &str) -> anyhow::Result<()> {
        let fault = json!({ "method": method, "fault": { "kind": "silence" }, "when": when, "times": 1 });
        self.control.post(&format!("/bots/{}/faults", self.bot), &fault).await.map(drop)
    }

    /// How often the bot's token was used for this method.
    pub(crate) async fn calls_of(&self, method: &str) -> anyhow::Result<usize> {
        let calls = self.control.calls(self.bot).await?;
        let named = |name: &str| name.eq_ignore_ascii_case(method);
        Ok(calls.iter().filter(|call| call["method"].as_str().is_some_and(named)).count())
    }
}
