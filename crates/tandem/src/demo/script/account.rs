//! amoCRM's account beside the chat: what it tells of itself, its talks, and the notes on its cards.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::demo::stage::Stage;

/// The account, and the token of an administrator's own integration.
pub(super) struct Account {
    amocrm: String,
    token: String,
}

impl Account {
    /// An administrator makes an integration.
    pub(super) async fn of(stage: &Stage) -> anyhow::Result<Self> {
        let shown = stage.look("/amocrm").await?;
        let token = shown["account"]["access_token"].as_str().context("an account has a token")?.to_owned();
        // The demo looks at cards far more often than an integration may.
        stage.act("/amocrm/account", &json!({ "rate_limit": false })).await?;
        Ok(Self { amocrm: stage.amocrm_url(), token })
    }

    /// What the owner writes into `bots.toml`, with its secrets in files beside it: the route is the one that is there.
    pub(super) fn write_settings(
        &self,
        folder: &Path,
        bot_token: &str,
        route: &str,
        language: &str,
    ) -> anyhow::Result<PathBuf> {
        for (name, secret) in [("bot.token", bot_token), ("amo.token", &self.token)] {
            std::fs::write(folder.join(name), secret).with_context(|| name.to_owned())?;
        }
        let amocrm = &self.amocrm;
        let settings = format!(
            r#"[[connection]]
name = "shop"
vendor = "amocrm"
account = "sandbox.amocrm.ru"
rest_base = "{amocrm}"
chats_base = "{amocrm}"
oauth_base = "{amocrm}"
token_file = "amo.token"

[[bot]]
token_file = "bot.token"
  [[bot.app]]
  name = "main"
  drop_pending = "ignore"
  while_manager_talks = "skip"
  [[bot.route]]
  name = "{route}"
  kind = "amocrm"
  mode = "native"
  connection = "shop"
  notes_after_secs = 1
  language = "{language}"
"#
        );
        let file = folder.join("bots.toml");
        std::fs::write(&file, settings).context("bots.toml")?;
        Ok(file)
    }

    /// How many addresses the account tells what happens in it.
    pub(super) async fn addresses(&self, stage: &Stage) -> anyhow::Result<usize> {
        let hooks = stage.look("/amocrm/hooks").await?;
        Ok(hooks["hooks"].as_array().map_or(0, Vec::len))
    }

    /// How often it has told of such a thing, and was answered that it is heard.
    pub(super) async fn has_told(&self, stage: &Stage, code: &str) -> anyhow::Result<usize> {
        let attempts = stage.look("/amocrm/hooks/attempts").await?;
        let heard = |attempt: &&Value| attempt["code"] == code && attempt["status"] == 200;
        Ok(attempts["attempts"].as_array().into_iter().flatten().filter(heard).count())
    }

    /// The manager closes the talk that is open.
    pub(super) async fn close_talk(&self, stage: &Stage) -> anyhow::Result<()> {
        let talks = stage.look("/amocrm/talks").await?;
        let open = talks["talks"].as_array().into_iter().flatten().find(|talk| talk["open"] == true);
        let id = &open.context("a talk is open")?["id"];
        stage.act(&format!("/amocrm/talks/{id}/close"), &json!({})).await.map(drop)
    }

    /// The notes on clients' cards, oldest first.
    pub(super) async fn notes(&self, stage: &Stage) -> anyhow::Result<Vec<String>> {
        let address = format!("{}/api/v4/contacts/notes?limit=250", self.amocrm);
        let page = stage.http.get_as(&self.token, &address).await?;
        let notes = page["_embedded"]["notes"].as_array().into_iter().flatten();
        Ok(notes.map(|note| note["params"]["text"].as_str().unwrap_or_default().to_owned()).collect())
    }
}
