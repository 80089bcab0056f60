//! A bot channel of Wahelp beside the owner's code, by the real binary: recognised, kept, told every byte, given back.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use anyhow::Context as _;
use serde_json::{Value, json};
use support::{shop::Shop, until};
use tandem_bridge::{UpstreamMode, operations::Undelivered};
use tandem_gateway::DropPending;

/// A shop whose bot is a channel of Wahelp that is linked to amoCRM.
struct Story {
    shop: Shop,
    channel: String,
    webhook: String,
    amocrm: String,
}

impl Story {
    async fn open() -> anyhow::Result<Self> {
        let mut shop = Shop::open().await?;
        let wahelp = shop.sandbox.wahelp_url();
        shop.tandem.stop().await?;
        shop.tandem.set(format!("telegram.wahelp_hosts={}", wahelp.trim_start_matches("http://")));
        shop.tandem.revive().await?;
        // Wahelp takes the webhook from amoCRM's built-in integration, a second after that at the earliest.
        let made = json!({"token": shop.token, "name": "bot"});
        let made = until(
            "the channel",
            async || Ok(shop.control.post("/wahelp/channels", &made).await.ok()),
            Option::is_some,
        )
        .await?
        .context("a channel")?;
        let channel = made["id"].to_string();
        let link = shop.control.post(&format!("/wahelp/channels/{channel}/link"), &json!({})).await?;
        let word = |value: &Value| value.as_str().map(str::to_owned).context("a text");
        Ok(Self { webhook: word(&made["webhook"])?, amocrm: word(&link["channel"])?, channel, shop })
    }

    /// The chat in amoCRM as `speaker: text`, once it has so many lines.
    async fn amocrm_has(&self, lines: &[&str]) -> anyhow::Result<()> {
        let path = format!("/amocrm/channels/{}/chats", self.amocrm);
        let seen = async || {
            let chats = self.shop.control.get(&path).await?;
            let seen = chats["chats"][0]["messages"].as_array().cloned().unwrap_or_default();
            let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
            Ok(seen.iter().map(|line| format!("{}: {}", text(line, "speaker"), text(line, "text"))).collect())
        };
        until("amoCRM's chat", seen, |seen: &Vec<String>| seen == lines).await.map(drop)
    }

    async fn manager_says(&self, said: &str) -> anyhow::Result<()> {
        let chats = self.shop.control.get(&format!("/amocrm/channels/{}/chats", self.amocrm)).await?;
        let say = json!({"chat": chats["chats"][0]["id"], "text": said});
        self.shop.control.post(&format!("/amocrm/channels/{}/say", self.amocrm), &say).await.map(drop)
    }

    /// The bodies that came to Wahelp's hook.
    async fn told(&self) -> anyhow::Result<Vec<String>> {
        let calls = self.shop.control.get("/wahelp/calls?endpoint=telegram").await?;
        let calls = calls["calls"].as_array().context("calls")?;
        Ok(calls.iter().map(|call| call["body"].as_str().unwrap_or_default().to_owned()).collect())
    }

    async fn webhook(&self) -> anyhow::Result<String> {
        let (telegram, token) = (self.shop.sandbox.telegram_url(), &self.shop.token);
        let info = reqwest::get(format!("{telegram}/bot{token}/getWebhookInfo")).await?.text().await?;
        let info: Value = serde_json::from_str(&info)?;
        info["result"]["url"].as_str().map(str::to_owned).context("an address")
    }

    async fn finding(&self, step: &str) -> anyhow::Result<Value> {
        let said = self.shop.tandem.command().args(["doctor", "--json"]).output().await?;
        let report: Value = serde_json::from_slice(&said.stdout)?;
        let sections = report["sections"].as_array().context("sections")?;
        let mut findings = sections.iter().flat_map(|section| section["findings"].as_array().unwrap());
        findings
            .find(|finding| finding["step"] == step)
            .cloned()
            .with_context(|| format!("no {step}: {report}"))
    }
}

#[tokio::test]
async fn wahelps_bot_channel_stays_beside_the_owners_code_and_gets_its_bot_back() -> anyhow::Result<()> {
    let story = Story::open().await?;
    story.shop.client_says("before").await?;
    story.amocrm_has(&["client: before"]).await?;

    let adopted =
        story.shop.tandem.adopt(&story.shop.token, DropPending::Ignore, UpstreamMode::Polling).await?;
    assert_eq!(adopted.holder.kind.as_str(), "Wahelp");
    assert_eq!(adopted.kept.map(|kept| kept.route).as_deref(), Some("wahelp"));
    assert_eq!(story.webhook().await?, "");
    story.shop.client_says("after").await?;
    story.amocrm_has(&["client: before", "client: after"]).await?;
    story.manager_says("good day").await?;
    story.shop.client_is_told(0, &["good day"]).await?;
    let told = story.told().await?;
    let last: Value = serde_json::from_str(&told[told.len() - 1])?;
    assert_eq!(last["message"]["text"], "after", "the update itself, as Telegram has it");

    let holder = story.finding("holder").await?;
    assert_eq!(holder["state"], "good", "{holder}");
    assert!(holder["sentence"].as_str().unwrap().contains("Before us it had Wahelp"), "{holder}");
    let topology = story.finding("topology").await?;
    assert_eq!(topology["state"], "good", "{topology}");
    assert!(topology["sentence"].as_str().unwrap().contains("Route wahelp is T2"), "{topology}");

    // Nobody has ever asked for the app's updates here.
    let released = story.shop.tandem.release(Undelivered::Leave).await?;
    assert_eq!(released.holder.kind.as_str(), "Wahelp");
    assert_eq!(story.webhook().await?, story.webhook);
    story.shop.client_says("without us").await?;
    story.amocrm_has(&["client: before", "client: after", "manager: good day", "client: without us"]).await
}

#[tokio::test]
async fn a_wahelp_that_takes_the_bot_again_is_recognised_and_the_stream_comes_back() -> anyhow::Result<()> {
    let story = Story::open().await?;
    story.shop.tandem.adopt(&story.shop.token, DropPending::Ignore, UpstreamMode::Polling).await?;
    let again = format!("/wahelp/channels/{}/reconnect", story.channel);
    until(
        "Wahelp to take it again",
        async || Ok(story.shop.control.post(&again, &json!({})).await.is_ok()),
        |done| *done,
    )
    .await?;
    until("the stream to come back", async || story.webhook().await, String::is_empty).await?;
    story.shop.client_says("hello").await?;
    story.amocrm_has(&["client: hello"]).await
}
