//! The shop with a chat channel of its own at amoCRM, in place of the built-in integration: what its file says, what a
//! manager does there, and what he sees.

use anyhow::Context as _;
use serde_json::{Value, json};
use tandem_bridge::operations::{HeldQuery, HeldView, Request, Response};

use super::{shop::Shop, until};

pub(crate) const CHANNEL: &str = "0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0";
pub(crate) const CHANNEL_SECRET: &str = "00112233445566778899aabbccddeeff01234567";
pub(crate) const CHANNEL_BOT: &str = "2b3c4d5e-6f70-4182-93a4-b5c6d7e8f901";

/// The lane by which managers' replies are carried out.
const REPLIES: &str = "telegram";

/// A command of Tandem's, with what it answers.
pub(crate) async fn told(shop: &Shop, arguments: &[&str]) -> anyhow::Result<Value> {
    let output = shop.tandem.command().args(arguments).arg("--json").output().await?;
    let shown = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&shown)
        .with_context(|| format!("{arguments:?}: {shown}{}", String::from_utf8_lossy(&output.stderr)))
}

/// The account's channel as support registered it, and the file that names it; `more` is said of the bot. The answer
/// is the account's token.
pub(crate) async fn describe(shop: &Shop, more: &str) -> anyhow::Result<String> {
    let account = shop.control.get("/amocrm").await?;
    let token = account["account"]["access_token"].as_str().context("an account has a token")?.to_owned();
    shop.control.post("/amocrm/account", &json!({"rate_limit": false})).await?;
    let hook_url = format!("{}/hooks/amocrm/{CHANNEL}/:scope_id", shop.tandem.public_url());
    let channel = json!({
        "id": CHANNEL, "secret": CHANNEL_SECRET, "write_first": true, "hook_url": hook_url,
        "bot": {"id": CHANNEL_BOT, "client_id": "bot", "name": "Shop"},
    });
    shop.control.post("/amocrm/channels", &channel).await?;
    let folder = shop.tandem.folder();
    std::fs::write(folder.join("bot.token"), &shop.token)?;
    std::fs::write(folder.join("amo.token"), &token)?;
    std::fs::write(folder.join("amo.channel"), CHANNEL_SECRET)?;
    let amocrm = shop.sandbox.amocrm_url();
    let file = format!(
        r#"
[[connection]]
name = "shop"
vendor = "amocrm"
account = "shop.amocrm.ru"
token_file = "amo.token"
rest_base = "{amocrm}"
chats_base = "{amocrm}"
oauth_base = "{amocrm}"
  [connection.channel]
  id = "{CHANNEL}"
  secret_file = "amo.channel"
  bot_id = "{CHANNEL_BOT}"
[[bot]]
token_file = "bot.token"
{more}
  [[bot.route]]
  name = "channel"
  kind = "amocrm"
  mode = "channel"
  connection = "shop"
"#
    );
    std::fs::write(folder.join("bots.toml"), file)?;
    Ok(token)
}

/// Applies the file, and waits for the connection.
pub(crate) async fn connect(shop: &Shop) -> anyhow::Result<()> {
    // The channel takes the place of the built-in integration.
    told(shop, &["apply", "bots.toml", "--prune", "--yes"]).await?;
    let connected = |view: &Value| view["connections"][0]["state"] == "connected";
    until("a connection", async || told(shop, &["connections"]).await, connected).await.map(drop)
}

/// Managers at their desk, with everything that they see.
pub(crate) struct Desk {
    pub(crate) shop: Shop,
}

impl Desk {
    /// A shop whose channel is connected.
    pub(crate) async fn open() -> anyhow::Result<Self> {
        let shop = Shop::open().await?;
        describe(&shop, "").await?;
        connect(&shop).await?;
        Ok(Self { shop })
    }

    /// The same, where the client has written, so that there is a chat.
    pub(crate) async fn open_with_a_chat() -> anyhow::Result<Self> {
        let desk = Self::open().await?;
        desk.shop.client_says("Здравствуйте").await?;
        desk.sees(&["Здравствуйте"]).await?;
        Ok(desk)
    }

    /// Our name of the client's chat.
    pub(crate) fn conversation(&self) -> String {
        format!("tg:{}:{}", self.shop.bot, self.shop.client)
    }

    /// Something of the channel's, as the control API shows it.
    pub(crate) async fn get(&self, what: &str) -> anyhow::Result<Value> {
        self.shop.control.get(&format!("/amocrm/channels/{CHANNEL}/{what}")).await
    }

    /// Does something in the channel; some acts answer with nothing.
    pub(crate) async fn act(&self, what: &str, with: &Value) -> anyhow::Result<Value> {
        let address = format!("{}/amocrm/channels/{CHANNEL}/{what}", self.shop.sandbox.control_url());
        let answer = reqwest::Client::new().post(address).json(with).send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        anyhow::ensure!(status.is_success(), "{what}: {status} {text}");
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    /// A manager writes to the client; amoCRM's ids of the messages.
    pub(crate) async fn says(&self, what: Value) -> anyhow::Result<Vec<String>> {
        self.says_in(&self.conversation(), what).await
    }

    /// The same in a chat by either side's name.
    pub(crate) async fn says_in(&self, chat: &str, mut what: Value) -> anyhow::Result<Vec<String>> {
        what["chat"] = json!(chat);
        let said = self.act("say", &what).await?;
        let ids = said["messages"].as_array().context("what was said has ids")?;
        Ok(ids.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect())
    }

    /// A manager writes this one text.
    pub(crate) async fn writes(&self, text: &str) -> anyhow::Result<String> {
        self.says(json!({ "text": text })).await?.pop().context("one message")
    }

    /// How amoCRM's hook about a message was answered; `None` while it is on its way.
    pub(crate) async fn hook(&self, message: &str) -> anyhow::Result<Option<u64>> {
        let hooks = self.get("hooks").await?;
        let hook = hooks["hooks"].as_array().into_iter().flatten().find(|hook| hook["message"] == message);
        let hook = hook.with_context(|| format!("no hook about {message}"))?;
        Ok(hook["status"].as_u64())
    }

    /// Waits until amoCRM's hook about a message was answered with 200.
    pub(crate) async fn hook_is_taken(&self, message: &str) -> anyhow::Result<()> {
        until("a hook's 200", async || self.hook(message).await, |status| *status == Some(200))
            .await
            .map(drop)
    }

    /// A message as managers see it.
    pub(crate) async fn message(&self, id: &str) -> anyhow::Result<Value> {
        self.get(&format!("messages/{id}")).await
    }

    /// Waits for the delivery status of a manager's message: the message as it is then.
    pub(crate) async fn status(&self, id: &str, status: &str) -> anyhow::Result<Value> {
        let look = async || self.message(id).await;
        until(status, look, |message| message["delivery_status"] == status).await
    }

    /// Everything in the client's chat, oldest first; nothing while there is no chat.
    pub(crate) async fn lines(&self) -> anyhow::Result<Vec<Value>> {
        self.lines_of(&self.conversation()).await
    }

    /// Everything in a chat by our name of it.
    pub(crate) async fn lines_of(&self, conversation: &str) -> anyhow::Result<Vec<Value>> {
        let chats = self.get("chats").await?;
        let chats = chats["chats"].as_array().context("a channel has chats")?;
        let chat = chats.iter().find(|chat| chat["client_id"] == conversation);
        Ok(chat.and_then(|chat| chat["messages"].as_array().cloned()).unwrap_or_default())
    }

    /// Waits until the client's chat has exactly these texts.
    pub(crate) async fn sees(&self, texts: &[&str]) -> anyhow::Result<Vec<Value>> {
        let same = |lines: &Vec<Value>| {
            lines.len() == texts.len() && lines.iter().zip(texts).all(|(line, text)| line["text"] == *text)
        };
        until("the chat in amoCRM", async || self.lines().await, same).await
    }

    /// What the lane of managers' replies holds.
    pub(crate) async fn held(&self) -> anyhow::Result<Vec<HeldView>> {
        match self.shop.tandem.ask(Request::Held(HeldQuery::default())).await? {
            Response::Held { held, .. } => Ok(held.into_iter().filter(|row| row.lane == REPLIES).collect()),
            other => anyhow::bail!("{other:?}"),
        }
    }

    /// What amoCRM stumbled over.
    pub(crate) async fn complaints(&self) -> anyhow::Result<Vec<Value>> {
        Ok(self.get("complaints").await?["complaints"].as_array().cloned().unwrap_or_default())
    }
}
