//! amoCRM in the story of a channel: the sandbox's account as its managers see and move it.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::demo::stage::Stage;

/// The account with the channel that support has registered for the shop.
pub(super) struct Crm {
    channel: String,
    secret: String,
    code: String,
    bot: String,
    amocrm: String,
    token: String,
}

/// A line of the chat as a manager sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// `client`, `manager` or `bot`.
    pub(super) speaker: String,
    /// Its text, or what kind of file it is.
    pub(super) shown: String,
}

/// What became of a manager's message, as he sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delivery {
    /// `sent`, `delivered`, `failed`.
    pub(super) status: String,
    /// Why it failed, in words.
    pub(super) error: String,
}

impl Crm {
    /// Support registers a channel whose hooks come to `public_url`.
    pub(super) async fn register(stage: &Stage, public_url: &str) -> anyhow::Result<Self> {
        let asked = json!({
            "name": "Tandem",
            "hook_url": format!("{public_url}/hooks/amocrm/{{channel}}/:scope_id"),
        });
        let made = stage.act("/amocrm/channels", &asked).await?;
        let text = |name: &str| -> anyhow::Result<String> {
            Ok(made[name].as_str().with_context(|| format!("a channel has a {name}"))?.to_owned())
        };
        let channel = text("id")?;
        // The address names the channel, which is known only now.
        let hook = json!({ "hook_url": format!("{public_url}/hooks/amocrm/{channel}/:scope_id") });
        stage.act(&format!("/amocrm/channels/{channel}"), &hook).await?;
        let source = json!({
            "name": "Telegram",
            "external_id": format!("bot_{}", stage.bot),
            "origin_code": text("code")?,
        });
        stage.act("/amocrm/sources", &source).await?;
        let account = stage.look("/amocrm").await?;
        Ok(Self {
            secret: text("secret")?,
            code: text("code")?,
            bot: made["bot"]["id"].as_str().context("a channel has a bot")?.to_owned(),
            channel,
            amocrm: stage.amocrm_url(),
            token: account["account"]["access_token"].as_str().context("an account has a token")?.to_owned(),
        })
    }

    /// What the owner writes into `bots.toml`, with its secrets in files beside it.
    pub(super) fn write_settings(
        &self,
        folder: &Path,
        bot_token: &str,
    ) -> anyhow::Result<std::path::PathBuf> {
        for (name, secret) in
            [("bot.token", bot_token), ("amo.token", &self.token), ("amo.channel", &self.secret)]
        {
            std::fs::write(folder.join(name), secret).with_context(|| name.to_owned())?;
        }
        let Self { channel, code, bot, amocrm, .. } = self;
        let settings = format!(
            r#"[[connection]]
name = "shop"
vendor = "amocrm"
account = "sandbox.amocrm.ru"
rest_base = "{amocrm}"
chats_base = "{amocrm}"
oauth_base = "{amocrm}"
token_file = "amo.token"
  [connection.channel]
  id = "{channel}"
  secret_file = "amo.channel"
  bot_id = "{bot}"
  code = "{code}"

[[bot]]
token_file = "bot.token"
  [[bot.app]]
  name = "main"
  drop_pending = "ignore"
  while_manager_talks = "skip"
  [[bot.route]]
  name = "amocrm"
  kind = "amocrm"
  mode = "channel"
  connection = "shop"
"#
        );
        let file = folder.join("bots.toml");
        std::fs::write(&file, settings).context("bots.toml")?;
        Ok(file)
    }

    /// Whether the channel is connected to the account.
    pub(super) async fn is_connected(&self, stage: &Stage) -> anyhow::Result<bool> {
        Ok(!stage.look(&format!("/amocrm/channels/{}", self.channel)).await?["connection"].is_null())
    }

    /// The lines of the client's chat, oldest first.
    pub(super) async fn lines(&self, stage: &Stage) -> anyhow::Result<Vec<Line>> {
        let chats = self.chats(stage).await?;
        let messages = chats.first().map(|chat| chat["messages"].clone()).unwrap_or_default();
        Ok(messages.as_array().into_iter().flatten().map(line).collect())
    }

    /// Whether every file that we gave was fetched and is the one the client sent.
    pub(super) async fn files_fetched(&self, stage: &Stage) -> anyhow::Result<(usize, Vec<Value>)> {
        let chats = self.chats(stage).await?;
        let messages = chats.first().map(|chat| chat["messages"].clone()).unwrap_or_default();
        let fetched = messages
            .as_array()
            .into_iter()
            .flatten()
            .filter(|message| message["media"]["fetched"]["state"] == "fetched")
            .count();
        let complaints = stage.look(&format!("/amocrm/channels/{}/complaints?after=0", self.channel)).await?;
        Ok((fetched, complaints["complaints"].as_array().cloned().unwrap_or_default()))
    }

    /// A manager says something in the client's chat; gives amoCRM's id of it.
    pub(super) async fn says(&self, stage: &Stage, mut what: Value) -> anyhow::Result<String> {
        let chats = self.chats(stage).await?;
        what["chat"] = chats.first().context("the client has a chat")?["id"].clone();
        let said = stage.act(&format!("/amocrm/channels/{}/say", self.channel), &what).await?;
        let message = &said["messages"][0];
        let id = message.as_str().or_else(|| message["id"].as_str());
        Ok(id.context("what was said has an id")?.to_owned())
    }

    /// What became of what a manager said.
    pub(super) async fn delivery(&self, stage: &Stage, message: &str) -> anyhow::Result<Delivery> {
        let line = stage.look(&format!("/amocrm/channels/{}/messages/{message}", self.channel)).await?;
        Ok(Delivery {
            status: line["delivery_status"].as_str().unwrap_or_default().to_owned(),
            error: line["error"]["text"].as_str().unwrap_or_default().to_owned(),
        })
    }

    /// Whether amoCRM's hook with this message was answered.
    pub(super) async fn hook_was_taken(&self, stage: &Stage, message: &str) -> anyhow::Result<bool> {
        let hooks = stage.look(&format!("/amocrm/channels/{}/hooks?after=0", self.channel)).await?;
        let of_message = |hook: &&Value| hook.to_string().contains(message);
        Ok(hooks["hooks"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(of_message)
            .any(|hook| hook["status"] == 200))
    }

    async fn chats(&self, stage: &Stage) -> anyhow::Result<Vec<Value>> {
        let chats = stage.look(&format!("/amocrm/channels/{}/chats", self.channel)).await?;
        Ok(chats["chats"].as_array().cloned().unwrap_or_default())
    }
}

fn line(message: &Value) -> Line {
    let text = message["text"].as_str().unwrap_or_default();
    let kind = message["type"].as_str().unwrap_or_default();
    let shown = match (kind, text) {
        ("text", text) => text.to_owned(),
        (kind, "") => format!("[{kind}]"),
        (kind, text) => format!("[{kind}] {text}"),
    };
    Line { speaker: message["speaker"].as_str().unwrap_or_default().to_owned(), shown }
}
