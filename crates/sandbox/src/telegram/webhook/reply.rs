//! A webhook's answer that carries a call (reference/telegram.md 3.3).

use std::sync::Arc;

use super::link::WebhookAnswer;
use crate::telegram::{
    Bot, Telegram,
    dispatch::{self, Entry, Origin},
    http,
    params::Call,
};

/// Runs the call in a 2xx answer, if there is one. Its result is reported nowhere but in the record of calls.
pub(super) async fn run(telegram: &Telegram, bot: &Arc<Bot>, answer: WebhookAnswer) {
    if answer.body.is_empty() {
        return;
    }
    let Ok(parsed) = http::parse("", &answer.headers, answer.body).await else { return };
    let Some(method) = parsed.params.text("method").map(str::to_owned) else { return };
    if is_refused(&method) {
        return;
    }
    let call = Call { method, params: parsed.params, files: parsed.files };
    let entry = Entry::open(bot, &call, Origin::WebhookReply);
    if let Err(error) = dispatch::run(telegram, bot, call, entry).await {
        tracing::debug!(%error, "the call in a webhook's answer failed");
    }
}

/// Methods that a webhook's answer cannot call.
fn is_refused(method: &str) -> bool {
    let method = method.to_ascii_lowercase();
    method.starts_with("get") || ["setwebhook", "deletewebhook", "close", "logout"].contains(&method.as_str())
}
