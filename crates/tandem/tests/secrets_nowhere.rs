//! Secrets are nowhere: a busy day with every kind of secret and every kind of trouble, the log at its most talkative,
//! and then every byte that Tandem has written, printed or answered is searched for each of them.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]

mod support;

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};
use support::{poller::Poller, shop::Shop, until};
use tandem_bridge::{
    UpstreamMode,
    operations::{
        Adopt, AnotherPoller, AppSettings, Confidential, KeepHolder, Request, Response, Undelivered,
    },
};
use tandem_testkit::{around, contains};

/// What the owner's second app checks when its webhook is called.
const WEBHOOK_SECRET: &str = "hush_hush-of-the-owners-webhook-77";

/// A token that nobody has; that, too, may be somebody's.
const WRONG_SECRET: &str = "AAwrongwrongwrongwrongwrongwrong-35";

/// The secret part of a token: with it anybody is the bot.
fn secret_part(token: &str) -> String {
    token.split_once(':').unwrap().1.to_owned()
}

#[tokio::test]
async fn no_secret_is_in_any_log_answer_file_or_output() -> anyhow::Result<()> {
    let mut shop = Shop::open().await?;
    let mut outputs: Vec<(String, Vec<u8>)> = Vec::new();

    // Adopted by the command, as people do it; the one place that shows the app's token is its answer.
    let token_file = shop.tandem.folder().join("bot.token");
    std::fs::write(&token_file, &shop.token)?;
    let mut adopt = shop.tandem.command();
    adopt.args(["adopt", "--json", "--drop-pending", "ignore", "--token-file"]).arg(&token_file);
    let adopted = adopt.output().await?;
    std::fs::remove_file(&token_file)?;
    anyhow::ensure!(adopted.status.success(), "{}", String::from_utf8_lossy(&adopted.stderr));
    outputs.push(("the errors of adopt".to_owned(), adopted.stderr));
    let answer: Value = serde_json::from_slice(&adopted.stdout)?;
    let app_token = find_token(&answer).context("adopt shows the app's token")?;
    shop.app_token.clone_from(&app_token);
    let shown_once = String::from_utf8(adopted.stdout)?.replace(&secret_part(&app_token), "");
    outputs.push(("the answer of adopt".to_owned(), shown_once.into_bytes()));

    let add = Request::AddApp { bot: None, name: "second".to_owned(), settings: AppSettings::default() };
    let Response::AppToken(second) = shop.tandem.ask(add).await? else { panic!("an app has a token") };
    let second = second.token.expose().to_owned();

    busy_day(&mut shop, &second, &mut outputs).await?;

    let secrets = [
        ("the bot's token", secret_part(&shop.token)),
        ("the first app's token", secret_part(&app_token)),
        ("the second app's token", secret_part(&second)),
        ("a webhook's secret", WEBHOOK_SECRET.to_owned()),
        ("a wrong token", WRONG_SECRET.to_owned()),
    ];
    for arguments in [
        &["status"][..],
        &["bots"],
        &["apps", "list"],
        &["lanes", "list"],
        &["held", "list"],
        &["config", "show"],
        &["config", "check"],
        &["apps", "list", "--json"],
        &["lanes", "list", "--json"],
        &["bots", "--json"],
        &["held", "list", "--json"],
        &["status", "--json"],
    ] {
        let done = shop.tandem.command().args(arguments).output().await?;
        let said = [done.stdout, done.stderr].concat();
        anyhow::ensure!(!said.is_empty(), "{arguments:?} says nothing");
        outputs.push((format!("tandem {}", arguments.join(" ")), said));
    }
    let copy = shop.tandem.folder().join("copy.db");
    let backup = shop.tandem.command().arg("backup").arg(&copy).output().await?;
    anyhow::ensure!(backup.status.success() && copy.exists(), "{}", String::from_utf8_lossy(&backup.stderr));
    let refused = shop.tandem.command().args(["release", "--json"]).output().await?;
    anyhow::ensure!(!refused.status.success(), "the second app's webhook was never there to take anything");
    outputs.push(("the refusal of release".to_owned(), [refused.stdout, refused.stderr].concat()));
    let released = shop.tandem.release(Undelivered::Leave).await?;
    outputs
        .push(("the answer of release".to_owned(), format!("{released:?} {}", json!(released)).into_bytes()));
    shop.tandem.stop().await?;

    for (place, bytes) in outputs.iter().chain(&files(shop.tandem.folder())?) {
        for (name, secret) in &secrets {
            assert!(!contains(bytes, secret.as_bytes()), "{name} is in {place}:\n{}", around(bytes, secret));
        }
    }
    // The search finds what is there: the key to everything else, which is the log's own business not to know.
    let log = shop.tandem.log()?;
    assert!(log.contains(&shop.bot.to_string()) && log.len() > 10_000, "the log was not talkative: {log}");
    Ok(())
}

/// Sends, webhooks, wrong calls, and every kind of trouble, on both sides.
async fn busy_day(shop: &mut Shop, second: &str, outputs: &mut Vec<(String, Vec<u8>)>) -> anyhow::Result<()> {
    let poller = Poller::start(&shop.wire.url(), &shop.app_token);
    let gateway = shop.tandem.gateway_url();
    let hook = json!({ "url": "http://127.0.0.1:9/hook", "secret_token": WEBHOOK_SECRET });
    let send = json!({ "chat_id": shop.client, "text": "Здравствуйте" });
    let mut calls = vec![
        (second.to_owned(), "setWebhook", hook),
        (second.to_owned(), "getWebhookInfo", json!({})),
        (format!("{}:{WRONG_SECRET}", shop.bot), "getMe", json!({})),
        (format!("{}{WRONG_SECRET}", shop.bot), "getMe", json!({})),
        (shop.app_token.clone(), "noSuchMethod", json!({})),
        (shop.app_token.clone(), "getFile", json!({ "file_id": "nothing" })),
        (shop.app_token.clone(), "setWebhook", json!({ "url": "nonsense" })),
        (shop.app_token.clone(), "logOut", json!({})),
        // The bot's own token is the app `main`.
        (shop.token.clone(), "getMe", json!({})),
        (shop.token.clone(), "getWebhookInfo", json!({})),
    ];
    shop.client_says("Первое").await?;
    calls.extend(std::iter::repeat_n((shop.app_token.clone(), "sendMessage", send), 5));
    for (number, (token, method, body)) in calls.into_iter().enumerate() {
        // Telegram's side of the trouble strikes every second send.
        if method == "sendMessage" && number % 2 == 0 {
            let faults = [
                json!({ "kind": "status", "code": 502, "body": "html" }),
                json!({ "kind": "reset" }),
                json!({ "kind": "status", "code": 429, "retry_after": 1 }),
            ];
            let planted = json!({ "method": "sendMessage", "fault": faults[number % 3], "times": 1 });
            shop.control.post(&format!("/bots/{}/faults", shop.bot), &planted).await?;
        }
        let address = format!("{gateway}/bot{token}/{method}");
        let answer = reqwest::Client::new().post(address).json(&body).send().await?;
        outputs.push((format!("the answer to {method}"), answer.bytes().await?.to_vec()));
    }
    let strange = [
        format!("{gateway}/file/bot{}/no/such/file", shop.app_token),
        format!("{gateway}/nowhere?token={}", shop.app_token),
        format!("{}/hooks/telegram/{}", shop.tandem.public_url(), shop.bot),
        format!("{}/healthz", shop.tandem.public_url()),
    ];
    for address in strange {
        let answer = reqwest::get(&address).await?;
        outputs.push(("the answer to a strange call".to_owned(), answer.bytes().await?.to_vec()));
    }

    // amoCRM fails in its ways, Telegram in its own, and Tandem is killed.
    for fault in [json!({ "kind": "status", "code": 500 }), json!({ "kind": "reset" })] {
        let planted = json!({ "fault": fault, "times": 1 });
        shop.control.post(&format!("/amocrm/{}/faults", shop.bot), &planted).await?;
        shop.client_says("Ещё").await?;
    }
    for fault in [json!({ "kind": "status", "code": 502, "body": "html" }), json!({ "kind": "reset" })] {
        let planted = json!({ "method": "getUpdates", "fault": fault, "times": 1 });
        shop.control.post(&format!("/bots/{}/faults", shop.bot), &planted).await?;
    }
    shop.amocrm_goes_down().await?;
    shop.client_says("Пока amoCRM нет").await?;
    shop.tandem.kill().await?;
    shop.tandem.revive().await?;
    shop.amocrm_comes_up().await?;
    shop.client_says("Последнее").await?;
    shop.amocrm_has(&["Первое", "Ещё", "Ещё", "Пока amoCRM нет", "Последнее"]).await?;
    until("the bot has everything", async || Ok(poller.said().len()), |count| *count == 5).await?;
    Ok(())
}

/// The first text in a JSON value that looks like a token.
fn find_token(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let (id, secret) = text.split_once(':')?;
            let whole = id.bytes().all(|byte| byte.is_ascii_digit()) && secret.len() == 35;
            (whole && !id.is_empty()).then(|| text.clone())
        }
        Value::Array(values) => values.iter().find_map(find_token),
        Value::Object(fields) => fields.values().find_map(find_token),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Every file of a folder with its bytes: the database with its log, its copy, the key, the log.
fn files(folder: &Path) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            found.push((path.display().to_string(), std::fs::read(&path)?));
        }
    }
    anyhow::ensure!(found.len() >= 3, "database, key and log are there: {:?}", found.len());
    Ok(found)
}

/// What the former holder checks: the owner gave it, and every delivery carries it.
const FOREIGN_SECRET: &str = "what_the-holder-checks-0123456789";

#[tokio::test]
async fn webhook_secrets_ours_and_foreign_go_where_they_belong_and_nowhere_else() -> anyhow::Result<()> {
    let mut shop = Shop::open().await?;
    let adopt = Adopt {
        token: Confidential::new(shop.token.as_str()),
        drop_pending: None,
        holder_secret: Some(Confidential::new(FOREIGN_SECRET)),
        holder_certificate: None,
        holder: KeepHolder::AsRoute,
        upstream: Some(UpstreamMode::Webhook),
        another_poller: AnotherPoller::Refuse,
        guard: None,
    };
    shop.tandem.ask(Request::Adopt(adopt)).await?;
    let set = shop.control.calls(shop.bot).await?.into_iter().rev();
    let mut set = set.filter(|call| call["method"].as_str().is_some_and(|name| name == "setWebhook"));
    let own = set.next().context("Tandem has set its webhook")?["params"]["secret_token"].clone();
    let own = own.as_str().context("it has set it with a secret")?.to_owned();

    shop.client_says("Первое").await?;
    shop.amocrm_has(&["Первое"]).await?;
    shop.amocrm_goes_down().await?;
    shop.client_says("Второе").await?;
    for wrong in [FOREIGN_SECRET, WRONG_SECRET] {
        let address = format!("{}/hooks/telegram/{}", shop.tandem.public_url(), shop.bot);
        let posted = reqwest::Client::new().post(address).header("X-Telegram-Bot-Api-Secret-Token", wrong);
        assert_eq!(posted.body(r#"{"update_id":1}"#).send().await?.status(), 401);
    }
    shop.tandem.kill().await?;
    shop.tandem.revive().await?;
    shop.amocrm_comes_up().await?;
    shop.amocrm_has(&["Первое", "Второе"]).await?;
    let raw = shop.control.get(&format!("/amocrm/{}/raw?after=0", shop.bot)).await?;
    assert!(raw["deliveries"].to_string().contains(FOREIGN_SECRET), "the holder gets what it checks");
    shop.tandem.stop().await?;

    for (place, bytes) in files(shop.tandem.folder())? {
        for secret in [own.as_str(), FOREIGN_SECRET, WRONG_SECRET, &secret_part(&shop.token)] {
            assert!(!contains(&bytes, secret.as_bytes()), "found in {place}:\n{}", around(&bytes, secret));
        }
    }
    Ok(())
}
