//! Somebody connects amoCRM anew while the service runs: the stream comes back, both go on, and the owner is told.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use serde_json::{Value, json};
use support::{poller::Poller, shop::Shop, until};
use tandem_gateway::DropPending;

/// What `tandem bots --json` says of the only bot.
async fn bots(shop: &Shop) -> anyhow::Result<Value> {
    let said = shop.tandem.command().args(["bots", "--json"]).output().await?;
    anyhow::ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let said: Value = serde_json::from_slice(&said.stdout)?;
    Ok(said["bots"][0].clone())
}

async fn amocrm_connects_anew(shop: &Shop) -> anyhow::Result<()> {
    let (path, anew) = (format!("/amocrm/{}/reconnect", shop.bot), json!({ "new_address": true }));
    // Telegram takes one webhook a second.
    until("the new webhook", async || Ok(shop.control.post(&path, &anew).await.is_ok()), |set| *set)
        .await
        .map(drop)
}

#[tokio::test]
async fn amocrm_connected_anew_is_handed_on_to_and_the_stream_comes_back() -> anyhow::Result<()> {
    let shop = Shop::adopted(DropPending::Ignore).await?;
    let poller = Poller::start(&shop.wire.url(), &shop.app_token);
    shop.client_says("До").await?;
    shop.amocrm_has(&["До"]).await?;

    amocrm_connects_anew(&shop).await?;
    until(
        "the stream again",
        async || bots(&shop).await,
        |bot| bot["guard"]["retakes"] == 1 && bot["guard"]["state"] == "watching",
    )
    .await?;
    assert_eq!(shop.webhook().await?, "", "Tandem polls again");
    shop.client_says("После").await?;
    // At its new address.
    shop.amocrm_has(&["До", "После"]).await?;
    until("both at the bot", async || Ok(poller.said()), |said| *said == ["До", "После"]).await?;
    let log = shop.tandem.log()?;
    assert!(
        log.contains("amoCRM") && log.contains("they were taken back (1 of 6 times within an hour)"),
        "the log names who it was"
    );

    // Told to give way, it does, names who has the stream, and says what to do.
    let policy = shop.tandem.command().args(["bots", "guard", "stand-down"]).output().await?;
    anyhow::ensure!(policy.status.success(), "{}", String::from_utf8_lossy(&policy.stderr));
    amocrm_connects_anew(&shop).await?;
    let bot =
        until("the standing down", async || bots(&shop).await, |bot| bot["guard"]["state"] == "stood_down")
            .await?;
    assert_eq!(bot["guard"]["retakes"], 1);
    assert!(bot["trouble"]["what_to_do"].as_str().unwrap().contains("tandem"), "{bot}");
    shop.client_says("К ним").await?;
    shop.amocrm_has(&["До", "После", "К ним"]).await?;

    let retaken = shop.tandem.command().args(["bots", "retake"]).output().await?;
    anyhow::ensure!(retaken.status.success(), "{}", String::from_utf8_lossy(&retaken.stderr));
    until("the stream again", async || bots(&shop).await, |bot| bot["guard"]["state"] == "watching").await?;
    shop.client_says("Обоим").await?;
    shop.amocrm_has(&["До", "После", "К ним", "Обоим"]).await?;
    until("the bot's part", async || Ok(poller.said()), |said| *said == ["До", "После", "Обоим"]).await?;
    // What went past us is counted and said, with who had it.
    until(
        "the count",
        async || bots(&shop).await,
        |bot| bot["guard"]["went_past"] == json!([{ "to": "amocrm", "updates": 1 }]),
    )
    .await?;
    let page = reqwest::get(format!("{}/metrics", shop.tandem.gateway_url())).await?.text().await?;
    for line in [
        format!("tandem_guard_alerts_total{{bot=\"{}\"}} 2", shop.bot),
        format!("tandem_guard_missing_updates{{bot=\"{}\"}} 1", shop.bot),
    ] {
        assert!(page.contains(&line), "{line} in:\n{page}");
    }
    Ok(())
}
