//! Bad weather between a polling program and Telegram: whether the library takes what it meets for what it is,
//! waits, and goes on.

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::{
    Stage,
    chat::from_bot,
    conversation::{Library, Mode, command},
    program::Program,
};

/// Three polls in a row fail, each in its own way; then everything is as before, and nothing is lost or repeated.
pub(crate) async fn passes(stage: &Stage, library: Library) -> anyhow::Result<()> {
    let client = stage.control.client(stage.bot, &json!({ "first_name": "Ann" })).await?;
    let mut program = Program::start(&mut command(stage, library, Mode::Polling)?)?;
    program.reports("ready").await?;
    for fault in [
        json!({ "kind": "status", "code": 502, "body": "html" }),
        json!({ "kind": "status", "code": 429, "retry_after": 1 }),
        json!({ "kind": "reset" }),
    ] {
        let planted = json!({ "method": "getUpdates", "fault": fault, "times": 1 });
        stage.control.post(&format!("/bots/{}/faults", stage.bot), &planted).await?;
    }
    // The first may still come by a poll that was waiting; the second only by one that no fault has struck.
    for text in ["before", "after"] {
        client.acts("text", json!({ "text": text })).await?;
        let report = program.reports("text").await?;
        ensure!(report["text"] == text, "{report} instead of {text}");
    }
    client.waits("two answers", |chat| from_bot(chat).len() == 2).await?;
    let rest = program.stop().await?;
    let [last] = &rest[..] else { bail!("the program printed {rest:?} in the end") };
    ensure!(serde_json::from_str::<Value>(last)? == json!({ "event": "stopped" }), "{last}");

    // All faults were met: none is left for a poll of ours. Some libraries leave without confirming what they
    // took last; it comes again, and nothing else does.
    let poll = format!("{}/bot{}/getUpdates", stage.api_base, stage.token);
    let answer: Value = reqwest::get(poll).await?.json().await?;
    let left = answer["result"].as_array().with_context(|| answer.to_string())?;
    ensure!(left.iter().all(|update| update["message"]["text"] == "after"), "{answer}");
    Ok(())
}
