//! The story with Wahelp in the middle, in the mode `api`: a client writes to the bot, his words go to a channel of
//! Wahelp's and from there to amoCRM, and what a manager answers there comes back to the bot.

use anyhow::Context as _;
use serde_json::{Value, json};
use tandem_testkit::{around, contains};

use crate::support::{shop::Shop, until};

/// The shop's bot, and a project at Wahelp with the company's account at Telegram, which amoCRM is linked to.
struct Story {
    shop: Shop,
    /// The channel, as the emulator's control knows it.
    channel: String,
    uuid: String,
    project: String,
    /// The channel's in amoCRM.
    amocrm: String,
    /// The client as one who has Telegram, beside the bot.
    client: String,
}

impl Story {
    async fn open() -> anyhow::Result<Self> {
        let shop = Shop::open().await?;
        let made = shop.control.post("/wahelp/channels", &json!({"name": "clients_tg"})).await?;
        let (channel, uuid) = (made["id"].to_string(), made["uuid"].as_str().context("a uuid")?.to_owned());
        let link = shop.control.post(&format!("/wahelp/channels/{channel}/link"), &json!({})).await?;
        let amocrm = link["channel"].as_str().context("a channel in amoCRM")?.to_owned();
        let ann = json!({"name": "Анна", "phone": "+79990001122"});
        let client = shop.control.post(&format!("/wahelp/channels/{channel}/clients"), &ann).await?;
        let account = shop.control.get("/wahelp").await?;
        let folder = shop.tandem.folder();
        let word = |name: &str| account[name].as_str().map(str::to_owned).context("the account has it");
        std::fs::write(folder.join("bot.token"), &shop.token)?;
        std::fs::write(folder.join("wahelp.password"), word("password")?)?;
        let project = account["projects"][0]["id"].to_string();
        let story = Self { shop, channel, uuid, project, amocrm, client: client["id"].to_string() };
        story.describe(&word("login")?, "")?;
        Ok(story)
    }

    /// The file, with something more in its route.
    fn describe(&self, login: &str, more: &str) -> anyhow::Result<()> {
        let (base, uuid, project) = (self.shop.sandbox.wahelp_url(), &self.uuid, &self.project);
        let file = format!(
            r#"
[[connection]]
name = "wa"
vendor = "wahelp"
api_base = "{base}"
login = "{login}"
password_file = "wahelp.password"
project = {project}
channels = [{{ alias = "clients_tg", uuid = "{uuid}" }}]
pace = {{ min_gap_ms = 0, first_gap_ms = 0 }}
[[bot]]
token_file = "bot.token"
  [[bot.app]]
  name = "main"
  [[bot.route]]
  name = "wahelp"
  kind = "wahelp"
  mode = "api"
  connection = "wa"
  channel = "clients_tg"
  {more}
"#
        );
        Ok(std::fs::write(self.shop.tandem.folder().join("bots.toml"), file)?)
    }

    async fn told(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self.shop.tandem.command().args(arguments).arg("--json").output().await?;
        let shown = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&shown)
            .with_context(|| format!("{arguments:?}: {shown}{}", String::from_utf8_lossy(&output.stderr)))
    }

    async fn apply(&self) -> anyhow::Result<()> {
        self.told(&["apply", "bots.toml", "--prune", "--yes"]).await?;
        let connected = |view: &Value| view["connections"][0]["state"] == "connected";
        until("a connection", async || self.told(&["connections"]).await, connected).await?;
        Ok(())
    }

    /// The owner says that clients may be sent their own words.
    async fn confirm(&self) -> anyhow::Result<()> {
        let login = self.shop.control.get("/wahelp").await?["login"].as_str().context("a login")?.to_owned();
        self.describe(&login, "personal_account = \"confirmed\"")?;
        self.apply().await
    }

    /// Described, confirmed, connected, and the client has shared her number.
    async fn begun() -> anyhow::Result<Self> {
        let story = Self::open().await?;
        story.confirm().await?;
        story.shop.client_acts("contact", json!({"own": true})).await?;
        // The contact itself is told as the first thing.
        story.channel_has(&[]).await?;
        Ok(story)
    }

    /// What the company's account has said to the client.
    async fn company_said(&self) -> anyhow::Result<Vec<String>> {
        let path = format!("/wahelp/channels/{}/clients/{}", self.channel, self.client);
        let shown = self.shop.control.get(&path).await?;
        let lines = shown["chat"].as_array().context("a chat")?.iter();
        let company = lines.filter(|line| line["side"] == "company");
        Ok(company.map(|line| line["text"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Waits until exactly this was said there after the shared contact.
    async fn channel_has(&self, said: &[&str]) -> anyhow::Result<()> {
        let everything = |seen: &Vec<String>| seen.len() == said.len() + 1 && seen[1..] == *said;
        until("everything in the channel", async || self.company_said().await, everything).await.map(drop)
    }

    async fn held(&self) -> anyhow::Result<Vec<(String, String)>> {
        let held = self.told(&["held", "list", "--lane", "wahelp"]).await?;
        let rows = held["held"].as_array().context("rows")?.iter();
        let word = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        Ok(rows.map(|row| (word(row, "state"), word(row, "reason"))).collect())
    }

    /// The emulator goes down or comes up.
    async fn wahelp_moves(&self, how: &str, with: &Value) -> anyhow::Result<()> {
        let address = format!("{}/wahelp/{how}", self.shop.sandbox.control_url());
        reqwest::Client::new().post(address).json(with).send().await?.error_for_status()?;
        Ok(())
    }

    /// A manager answers in amoCRM, in the chat that Wahelp made.
    async fn manager_answers(&self, text: &str) -> anyhow::Result<()> {
        let chats = self.shop.control.get(&format!("/amocrm/channels/{}/chats", self.amocrm)).await?;
        let chat = chats["chats"][0]["id"].clone();
        let say = json!({"chat": chat, "text": text});
        self.shop.control.post(&format!("/amocrm/channels/{}/say", self.amocrm), &say).await?;
        Ok(())
    }

    async fn amocrm_lines(&self) -> anyhow::Result<String> {
        Ok(self.shop.control.get(&format!("/amocrm/channels/{}/chats", self.amocrm)).await?.to_string())
    }
}

#[tokio::test]
async fn the_client_is_seen_in_amocrm_and_the_manager_answers_through_the_bot() -> anyhow::Result<()> {
    let mut story = Story::open().await?;
    story.confirm().await?;
    story.shop.client_says("Здравствуйте").await?;
    let waits = |held: &Vec<(String, String)>| matches!(&held[..], [(state, reason)] if state == "retrying" && reason.starts_with("no phone yet"));
    until("somebody without a phone", async || story.held().await, waits).await?;
    story.shop.client_acts("contact", json!({"own": true})).await?;
    let told = |said: &Vec<String>| said.len() == 2 && said[0] == "Анна: Здравствуйте";
    until("her words in the channel", async || story.company_said().await, told).await?;
    let seen = |lines: &String| lines.contains("Анна: Здравствуйте");
    until("her words in amoCRM", async || story.amocrm_lines().await, seen).await?;

    let before = story.shop.phone().await?.len();
    story.manager_answers("Добрый день").await?;
    story.shop.client_is_told(before, &["Добрый день"]).await?;
    // Wahelp tells of what we told it as it does of managers: none of that comes to the bot.
    story.shop.client_says("Спасибо").await?;
    let told = |said: &Vec<String>| said.last().is_some_and(|last| last == "Анна: Спасибо");
    until("her thanks in the channel", async || story.company_said().await, told).await?;
    story.manager_answers("Пожалуйста").await?;
    story.shop.client_is_told(before, &["Добрый день", "Пожалуйста"]).await?;
    assert_eq!(story.held().await?, []);

    story.shop.tandem.stop().await?;
    let account = story.shop.control.get("/wahelp").await?;
    let hooks = account["projects"][0]["webhooks"].as_object().context("hooks by their uuids")?;
    let hook = hooks.values().find_map(|hook| hook["url"].as_str()).context("our hook")?;
    let secret = hook.rsplit('/').next().context("a secret")?;
    let password = account["password"].as_str().context("a password")?;
    for file in ["tandem.db", "tandem.log"] {
        let bytes = std::fs::read(story.shop.tandem.folder().join(file))?;
        for secret in [secret, password] {
            let shown = contains(&bytes, secret.as_bytes());
            assert!(!shown, "{file} shows a secret: {}", around(&bytes, secret));
        }
    }
    Ok(())
}

#[tokio::test]
async fn after_an_outage_everything_comes_in_order_and_once() -> anyhow::Result<()> {
    let story = Story::begun().await?;
    story.shop.client_says("Раз").await?;
    story.channel_has(&["Анна: Раз"]).await?;
    story.wahelp_moves("down", &json!({"how": "refuse"})).await?;
    for text in ["Два", "Три", "Четыре"] {
        story.shop.client_says(text).await?;
    }
    let stands = |lanes: &Value| lanes.to_string().contains("no connection can be made");
    until("a lane that waits", async || story.told(&["lanes"]).await, stands).await?;
    story.wahelp_moves("up", &json!({})).await?;
    story.channel_has(&["Анна: Раз", "Анна: Два", "Анна: Три", "Анна: Четыре"]).await?;
    assert_eq!(story.held().await?, []);
    Ok(())
}

#[tokio::test]
async fn what_was_being_sent_at_a_crash_is_not_sent_again() -> anyhow::Result<()> {
    let mut story = Story::begun().await?;
    let fault = json!({"fault": {"kind": "silence", "taken": true}, "endpoint": "send_message", "times": 1});
    story.shop.control.post("/wahelp/faults", &fault).await?;
    story.shop.client_says("Раз").await?;
    story.channel_has(&["Анна: Раз"]).await?;
    // It has been taken, and nobody was told so.
    story.shop.tandem.kill().await?;
    story.shop.tandem.revive().await?;
    story.shop.client_says("Два").await?;
    story.channel_has(&["Анна: Раз", "Анна: Два"]).await?;
    assert_eq!(story.held().await?, [], "its echo has shown that it arrived");
    assert!(story.shop.phone().await?.iter().all(|text| !text.contains("Анна:")), "and is no manager's");
    Ok(())
}

#[tokio::test]
async fn a_personal_account_is_refused_with_its_sentence_until_the_owner_confirms() -> anyhow::Result<()> {
    let story = Story::open().await?;
    story.apply().await?;
    story.shop.client_acts("contact", json!({"own": true})).await?;
    story.shop.client_says("Здравствуйте").await?;
    let refused = |lanes: &Value| lanes.to_string().contains("he would receive his own words");
    let lanes = until("a refusal", async || story.told(&["lanes"]).await, refused).await?;
    assert!(lanes.to_string().contains("personal_account = \\\"confirmed\\\""), "{lanes}");
    assert_eq!(story.company_said().await?, Vec::<String>::new());
    story.confirm().await?;
    story.channel_has(&["Анна: Здравствуйте"]).await?;
    Ok(())
}
