//! Where the demo takes place: a sandbox with one bot and one client, seen and moved through its public addresses.

use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};
use tandem_sandbox::{Config, Sandbox};
use tokio::time::Instant;

use super::{http::Http, words::Words};

/// How long one thing may take to be seen.
const PATIENCE: Duration = Duration::from_secs(20);

/// How soon it is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A sandbox, a bot and a client.
pub(super) struct Stage {
    sandbox: Sandbox,
    pub(super) http: Http,
    pub(super) bot: i64,
    pub(super) token: String,
    client: i64,
}

/// A message on the client's phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OnPhone {
    pub(super) from: String,
    pub(super) text: String,
}

/// An update as Telegram remembers it.
#[derive(Debug, Clone)]
pub(super) struct Generated {
    pub(super) n: u64,
    pub(super) update_id: i64,
    pub(super) kind: String,
}

/// An update as amoCRM's hook got it.
#[derive(Debug, Clone)]
pub(super) struct Hooked {
    pub(super) n: u64,
    pub(super) update_id: i64,
}

impl Stage {
    pub(super) async fn set(words: &'static Words) -> anyhow::Result<Self> {
        let sandbox = Sandbox::start(Config { seed: 1, ..Config::default() }).await?;
        let mut stage = Self { sandbox, http: Http::new(), bot: 0, token: String::new(), client: 0 };
        let named = json!({ "username": "zerno_bot", "first_name": words.dialogue.shop_name });
        let bot = stage.act("/bots", &named).await?;
        stage.bot = bot["id"].as_i64().context("a bot has an id")?;
        bot["token"].as_str().context("a bot has a token")?.clone_into(&mut stage.token);
        let named = json!({ "first_name": words.dialogue.client_name, "phone": "+79001112233" });
        stage.client = stage.act("/users", &named).await?["id"].as_i64().context("a user has an id")?;
        Ok(stage)
    }

    pub(super) fn telegram_url(&self) -> String {
        self.sandbox.telegram_url()
    }

    pub(super) fn amocrm_url(&self) -> String {
        self.sandbox.amocrm_url()
    }

    pub(super) fn wahelp_url(&self) -> String {
        self.sandbox.wahelp_url()
    }

    pub(super) async fn end(self) {
        self.sandbox.stop().await;
    }

    pub(super) async fn act(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let address = format!("{}{path}", self.sandbox.control_url());
        self.http.post(&address, body).await.with_context(|| path.to_owned())
    }

    pub(super) async fn look(&self, path: &str) -> anyhow::Result<Value> {
        let address = format!("{}{path}", self.sandbox.control_url());
        self.http.get(&address).await.with_context(|| path.to_owned())
    }

    /// The client does something on her phone.
    pub(super) async fn client(&self, act: &str, body: Value) -> anyhow::Result<Value> {
        self.client_at(self.bot, act, body).await
    }

    /// She does something in her chat with a bot.
    pub(super) async fn client_at(&self, bot: i64, act: &str, body: Value) -> anyhow::Result<Value> {
        self.act(&format!("/users/{}/bots/{bot}/{act}", self.client), &body).await
    }

    /// What stands in her chat.
    pub(super) async fn phone(&self) -> anyhow::Result<Vec<OnPhone>> {
        let chat = self.look(&format!("/users/{}/bots/{}/chat", self.client, self.bot)).await?;
        let on_phone =
            |message: &Value| OnPhone { from: text(&message["from"]), text: text(&message["text"]) };
        Ok(list(&chat["messages"]).iter().map(on_phone).collect())
    }

    /// How many pictures the bot has sent to her phone.
    pub(super) async fn pictures_of_the_bot(&self) -> anyhow::Result<usize> {
        let chat = self.look(&format!("/users/{}/bots/{}/chat", self.client, self.bot)).await?;
        let sent = |message: &&Value| message["from"] == "bot" && message["kind"] == "photo";
        Ok(list(&chat["messages"]).iter().filter(sent).count())
    }

    /// The owner pastes the bot's token into amoCRM.
    pub(super) async fn connect_amocrm(&self) -> anyhow::Result<String> {
        Ok(text(&self.act("/amocrm/connect", &json!({ "token": self.token })).await?["hook"]))
    }

    /// amoCRM gets a Salesbot that is started by a text.
    pub(super) async fn give_salesbot(&self, words: &'static Words) -> anyhow::Result<()> {
        let button = |(text, answer): &(&str, &str)| json!({ "text": text, "answer": answer });
        let dialogue = &words.dialogue;
        let flow = json!({
            "on": { "text": dialogue.menu_of_amocrm },
            "question": dialogue.salesbot_asks,
            "buttons": dialogue.salesbot_buttons.iter().map(button).collect::<Vec<_>>(),
            "prefix": "amo:",
        });
        self.act(&format!("/amocrm/{}/salesbot", self.bot), &flow).await.map(drop)
    }

    /// The manager answers in amoCRM.
    pub(super) async fn manager(&self, said: &str) -> anyhow::Result<()> {
        let reply = json!({ "user": self.client, "text": said });
        self.act(&format!("/amocrm/{}/reply", self.bot), &reply).await.map(drop)
    }

    pub(super) async fn amocrm_goes(&self) -> anyhow::Result<()> {
        self.act("/amocrm/down", &json!({})).await.map(drop)
    }

    pub(super) async fn amocrm_returns(&self) -> anyhow::Result<()> {
        self.act("/amocrm/up", &json!({})).await.map(drop)
    }

    /// What managers see of the client, in order: her words, and the data of the buttons she pressed.
    pub(super) async fn amocrm_sees(&self) -> anyhow::Result<Vec<String>> {
        let chats = self.look(&format!("/amocrm/{}/chats", self.bot)).await?;
        let lines = list(&chats["chats"][0]["messages"]).iter();
        Ok(lines.filter(|line| line["author"] == "client").map(|line| text(&line["text"])).collect())
    }

    /// What came to amoCRM's hook after the delivery with this number and was taken.
    pub(super) async fn hooked_after(&self, n: u64) -> anyhow::Result<Vec<Hooked>> {
        let raw = self.look(&format!("/amocrm/{}/raw?after={n}", self.bot)).await?;
        let taken = list(&raw["deliveries"]).iter().filter(|delivery| delivery["outcome"] == "taken");
        Ok(taken.map(|delivery| Hooked { n: number(&delivery["n"]), update_id: id(delivery) }).collect())
    }

    /// What Telegram has made for the bot after the update with this number.
    pub(super) async fn generated_after(&self, n: u64) -> anyhow::Result<Vec<Generated>> {
        let updates = self.look(&format!("/bots/{}/updates?after={n}", self.bot)).await?;
        let generated = |update: &Value| Generated {
            n: number(&update["n"]),
            update_id: id(update),
            kind: text(&update["kind"]),
        };
        Ok(list(&updates).iter().map(generated).collect())
    }

    /// How many updates wait at Telegram: neither confirmed nor dropped.
    pub(super) async fn waiting_at_telegram(&self) -> anyhow::Result<usize> {
        let updates = self.look(&format!("/bots/{}/updates?after=0", self.bot)).await?;
        let waits =
            |update: &&Value| ["confirmed", "expired", "dropped"].iter().all(|fate| update[fate] == false);
        Ok(list(&updates).iter().filter(waits).count())
    }

    /// How many calls of a method Telegram has had with this parameter.
    pub(super) async fn calls_with(&self, method: &str, parameter: &str) -> anyhow::Result<usize> {
        let calls = self.look(&format!("/bots/{}/calls?after=0", self.bot)).await?;
        let meant = |call: &&Value| {
            let called = call["method"].as_str().unwrap_or_default();
            let with = &call["params"][parameter];
            called.eq_ignore_ascii_case(method) && (*with == true || *with == "true" || *with == "True")
        };
        Ok(list(&calls).iter().filter(meant).count())
    }

    /// The webhook that Telegram has for the bot; empty while somebody polls.
    pub(super) async fn webhook(&self) -> anyhow::Result<String> {
        let address = format!("{}/bot{}/getWebhookInfo", self.telegram_url(), self.token);
        Ok(text(&self.http.get(&address).await?["result"]["url"]))
    }
}

/// Looks until what is seen is as it should be, or patience ends; gives what was seen last.
pub(super) async fn look_until<T>(
    mut look: impl AsyncFnMut() -> anyhow::Result<T>,
    as_expected: impl Fn(&T) -> bool,
) -> anyhow::Result<(bool, T)> {
    let end = Instant::now() + PATIENCE;
    loop {
        let seen = look().await?;
        let met = as_expected(&seen);
        if met || Instant::now() >= end {
            return Ok((met, seen));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

fn id(value: &Value) -> i64 {
    value["update_id"].as_i64().unwrap_or_default()
}
