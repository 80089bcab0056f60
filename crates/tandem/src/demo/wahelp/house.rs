//! Wahelp in its story: the account with a personal messenger account and, later, the shop's bot as a channel; and
//! the chats that amoCRM shows of it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::demo::stage::{Stage, look_until};

/// The route that is refused.
pub(super) const ROUTE: &str = "clients_tg";

/// The account, with the channel of the personal messenger account.
pub(super) struct House {
    api: String,
    login: String,
    password: String,
    project: i64,
    personal: String,
    /// amoCRM's id of Wahelp's channel there, once something is linked.
    amocrm: String,
}

/// A bot of the owner's beside the shop's.
pub(super) struct OtherBot {
    id: i64,
    token: String,
}

impl House {
    /// The owner has connected a personal account, in which the client is known.
    pub(super) async fn open(stage: &Stage) -> anyhow::Result<Self> {
        let account = stage.look("/wahelp").await?;
        let personal = stage.act("/wahelp/channels", &json!({ "name": ROUTE })).await?;
        let client = json!({ "name": "Anna", "phone": "+79001112233" });
        stage.act(&format!("/wahelp/channels/{}/clients", personal["id"]), &client).await?;
        Ok(Self {
            api: text(&account, "api")?,
            login: text(&account, "login")?,
            password: text(&account, "password")?,
            project: account["projects"][0]["id"].as_i64().context("a project has an id")?,
            personal: text(&personal, "uuid")?,
            amocrm: String::new(),
        })
    }

    /// The owner gives the bot's token to Wahelp, and links the channel to amoCRM; the address that took the webhook.
    pub(super) async fn connect_bot(&mut self, stage: &Stage) -> anyhow::Result<String> {
        let channel = stage.act("/wahelp/channels", &json!({ "token": stage.token, "name": "bot" })).await?;
        let linkage = stage.act(&format!("/wahelp/channels/{}/link", channel["id"]), &json!({})).await?;
        self.amocrm = text(&linkage, "channel")?;
        text(&channel, "webhook")
    }

    /// The client's chat in amoCRM as `speaker: text`, oldest first.
    pub(super) async fn chat(&self, stage: &Stage) -> anyhow::Result<Vec<String>> {
        let chats = stage.look(&format!("/amocrm/channels/{}/chats", self.amocrm)).await?;
        let lines = chats["chats"][0]["messages"].as_array().cloned().unwrap_or_default();
        let word = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        Ok(lines.iter().map(|line| format!("{}: {}", word(line, "speaker"), word(line, "text"))).collect())
    }

    /// A manager answers in amoCRM.
    pub(super) async fn manager_says(&self, stage: &Stage, said: &str) -> anyhow::Result<()> {
        let chats = stage.look(&format!("/amocrm/channels/{}/chats", self.amocrm)).await?;
        let say = json!({ "chat": chats["chats"][0]["id"], "text": said });
        stage.act(&format!("/amocrm/channels/{}/say", self.amocrm), &say).await.map(drop)
    }

    /// Wahelp accepts no connections any more. Those that were open have been broken off by then.
    pub(super) async fn goes(&self, stage: &Stage) -> anyhow::Result<()> {
        stage.act("/wahelp/down", &json!({})).await?;
        let address = stage.wahelp_url().replace("http://", "");
        let refused = async || Ok(TcpStream::connect(&address).await.is_err());
        let (met, _) = look_until(refused, |refused| *refused).await?;
        met.then_some(()).context("Wahelp goes on accepting connections")
    }

    /// It accepts them again.
    pub(super) async fn returns(&self, stage: &Stage) -> anyhow::Result<()> {
        stage.act("/wahelp/up", &json!({})).await.map(drop)
    }

    /// Another bot, which Wahelp knows nothing of.
    pub(super) async fn other_bot(&self, stage: &Stage) -> anyhow::Result<OtherBot> {
        let bot =
            stage.act("/bots", &json!({ "username": "zerno_orders_bot", "first_name": "Zerno" })).await?;
        let id = bot["id"].as_i64().context("a bot has an id")?;
        Ok(OtherBot { id, token: text(&bot, "token")? })
    }

    /// What the owner writes into `bots.toml`, with its secrets in files beside it.
    pub(super) fn write_settings(&self, folder: &Path, other: &OtherBot) -> anyhow::Result<PathBuf> {
        for (name, secret) in [("bot.token", &other.token), ("wahelp.password", &self.password)] {
            std::fs::write(folder.join(name), secret).with_context(|| name.to_owned())?;
        }
        let Self { api, login, project, personal, .. } = self;
        let settings = format!(
            r#"[[connection]]
name = "wahelp"
vendor = "wahelp"
api_base = "{api}"
login = "{login}"
password_file = "wahelp.password"
project = {project}
channels = [{{ alias = "{ROUTE}", uuid = "{personal}" }}]

[[bot]]
token_file = "bot.token"
  [[bot.app]]
  name = "main"
  [[bot.route]]
  name = "{ROUTE}"
  kind = "wahelp"
  mode = "api"
  connection = "wahelp"
  channel = "{ROUTE}"
"#
        );
        let file = folder.join("bots.toml");
        std::fs::write(&file, settings).context("bots.toml")?;
        Ok(file)
    }

    /// The client writes to the other bot.
    pub(super) async fn client_writes_to(
        &self,
        stage: &Stage,
        other: &OtherBot,
        said: &str,
    ) -> anyhow::Result<()> {
        stage.client_at(other.id, "text", json!({ "text": said })).await.map(drop)
    }

    /// How many messages the client has from the personal account.
    pub(super) async fn sent_by_the_account(&self, stage: &Stage) -> anyhow::Result<usize> {
        let client = stage.look(&format!("/wahelp/channels/{}/clients/1", self.personal)).await?;
        Ok(client["chat"].as_array().map_or(0, Vec::len))
    }
}

fn text(value: &Value, name: &str) -> anyhow::Result<String> {
    Ok(value[name].as_str().with_context(|| format!("{name} is missing"))?.to_owned())
}
