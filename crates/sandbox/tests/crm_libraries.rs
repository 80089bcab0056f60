//! Real libraries for amoCRM's REST and OAuth against the sandbox: whether they can tell it from amoCRM.
//!
//! Each goes on the errand of `clients/README.md`: exchanges a code, reads the account, makes, finds and changes contacts
//! and leads, pages, stumbles, renews its tokens. One transcript serves for all. Where libraries do differ, in what they
//! do about a 401 and a 429, each has a line of its own here.
//!
//! The programs and what they need come from `scripts/setup`.

#![allow(clippy::unwrap_used, reason = "where a test panics, it fails")]
#![allow(dead_code, reason = "the support is shared with the bots' tests")]

mod support;

use std::fmt::Write as _;

use anyhow::Context;
use serde_json::{Value, json};
use support::program::{Program, installed, python, source};
use tandem_sandbox::{Config, Sandbox};
use tokio::process::Command;

/// What a program prints, in this order.
const EVENTS: [&str; 12] = [
    "account",
    "missing",
    "found",
    "changed",
    "pages",
    "pipeline",
    "lead",
    "notes",
    "refused",
    "users",
    "manners",
    "refreshed",
];

async fn control(sandbox: &Sandbox, path: &str, body: Value) -> anyhow::Result<Value> {
    let address = format!("{}/amocrm/{path}", sandbox.control_url());
    let client = reqwest::Client::builder().no_proxy().build()?;
    let answer = client.post(address).json(&body).send().await?.error_for_status()?;
    Ok(serde_json::from_str(&answer.text().await?).unwrap_or(Value::Null))
}

fn node(client: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(source(&format!("clients/{client}/script.js")));
    command.env("NODE_PATH", installed(&format!("node/{client}/node_modules")));
    command
}

/// Sends a program on its errand; the answer is how it met a 401 and a 429.
async fn errand(mut command: Command) -> anyhow::Result<Value> {
    let sandbox = Sandbox::start(Config::default()).await?;
    // The libraries go by clocks of their own; what they would wait for here is nothing but time.
    control(&sandbox, "account", json!({"rate_limit": false})).await?;
    let made = control(&sandbox, "integrations", json!({})).await?;
    let word = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
    let (client_id, secret, redirect) = (word("client_id"), word("client_secret"), word("redirect_uri"));
    let granted = control(&sandbox, &format!("integrations/{client_id}/authorise"), json!({})).await?;
    let trouble = |code: u16, endpoint: &str| {
        let fault = json!({"kind": "status", "code": code, "retry_after": (code == 429).then_some(0)});
        json!({"fault": fault, "endpoint": endpoint, "times": 1})
    };
    control(&sandbox, "faults/rest", trouble(401, "account")).await?;
    control(&sandbox, "faults/rest", trouble(429, "users")).await?;
    command
        .env("AMOCRM_BASE", sandbox.amocrm_url())
        .env("AMOCRM_CLIENT_ID", client_id)
        .env("AMOCRM_CLIENT_SECRET", secret)
        .env("AMOCRM_REDIRECT_URI", redirect)
        .env("AMOCRM_CODE", granted["code"].as_str().context("no code")?);
    let mut program = Program::start(&mut command)?;
    let mut transcript = String::new();
    let mut manners = Value::Null;
    for event in EVENTS.into_iter().chain(["spent"]) {
        let mut seen = program.reports(event).await?;
        seen.as_object_mut().context("no object")?.remove("event");
        if event == "manners" {
            manners = seen;
        } else {
            writeln!(transcript, "{event}: {seen}")?;
        }
    }
    insta::assert_snapshot!("errand", transcript);
    sandbox.stop().await;
    Ok(manners)
}

#[tokio::test]
async fn aioamocrm_cannot_tell_it_from_amocrm() -> anyhow::Result<()> {
    let manners = errand(python("clients/aioamocrm/script.py")).await?;
    assert_eq!(manners, json!({"unauthorized": "renews", "limited": "waits"}));
    Ok(())
}

/// It knows no other address than amoCRM's own; its program's agent for HTTPS leads here.
#[tokio::test]
async fn amocrm_js_cannot_tell_it_from_amocrm() -> anyhow::Result<()> {
    let manners = errand(node("amocrm-js")).await?;
    assert_eq!(manners, json!({"unauthorized": "tells", "limited": "tells"}));
    Ok(())
}
