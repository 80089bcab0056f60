//! From a call to the method that answers it, and into the record.

use std::sync::Arc;

use serde_json::json;

use super::{
    ApiError, Bot, ErrorStyle, Telegram,
    envelope::Answer,
    faults::Fault,
    files::MAX_DOWNLOAD_BYTES,
    methods,
    params::{Call, Params},
    polling,
    record::StoredCall,
    webhook,
};

/// Where a call came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The bot's own request.
    Request,
    /// The answer of its webhook.
    WebhookReply,
}

/// Runs a call and records it with its outcome.
pub(crate) async fn run(
    telegram: &Telegram,
    bot: &Arc<Bot>,
    call: Call,
    origin: Origin,
) -> Result<Answer, ApiError> {
    let method = call.method.clone();
    let params = recorded(&call);
    let outcome = dispatch(telegram, bot, call).await;
    let error = outcome.as_ref().err().map(|error| (error.code, error.description.clone()));
    let webhook_reply = origin == Origin::WebhookReply;
    let at_ms = bot.clock.now_ms();
    bot.lock().calls.add(StoredCall { at_ms, method, params, webhook_reply, error, fault: None });
    outcome
}

/// Records a call that a planted fault keeps from being carried out.
pub(crate) fn record_struck(bot: &Bot, call: &Call, fault: &Fault) {
    let (method, params, at_ms) = (call.method.clone(), recorded(call), bot.clock.now_ms());
    let fault = Some(fault.clone());
    bot.lock().calls.add(StoredCall { at_ms, method, params, webhook_reply: false, error: None, fault });
}

async fn dispatch(telegram: &Telegram, bot: &Arc<Bot>, mut call: Call) -> Result<Answer, ApiError> {
    call.method = canonical(&call.method);
    if call.method == "close" {
        bot.lock().lifecycle.close(bot.clock.now_ms())?;
        return Ok(Answer::Value(true.into()));
    }
    bot.lock().lifecycle.enter(bot.clock.now_ms())?;
    match call.method.as_str() {
        "getupdates" => polling::get_updates(bot, &call.params).await,
        "setwebhook" => webhook::set(telegram, bot, &call).await,
        "deletewebhook" => webhook::delete(bot, &call.params),
        "getwebhookinfo" => Ok(Answer::Value(webhook::info(bot))),
        "getfile" => get_file(telegram, bot, &call.params),
        "logout" => {
            log_out(bot);
            Ok(Answer::Value(true.into()))
        }
        // Undocumented and closed to ordinary bots.
        "sendcustomrequest" | "answercustomquery" => Err(ApiError::bad_request("BOT_METHOD_INVALID")),
        _ => methods::call(telegram, bot, call).await.map(Answer::Value),
    }
}

/// Any case, and the old names of three methods.
fn canonical(method: &str) -> String {
    let name = method.to_ascii_lowercase();
    match name.as_str() {
        "kickchatmember" => "banchatmember".to_owned(),
        "getchatmemberscount" => "getchatmembercount".to_owned(),
        "setstickersetthumb" => "setstickersetthumbnail".to_owned(),
        _ => name,
    }
}

fn get_file(telegram: &Telegram, bot: &Bot, params: &Params) -> Result<Answer, ApiError> {
    let file_id = params.text("file_id").ok_or_else(|| ApiError::bad_request("file_id not specified"))?;
    let file = telegram
        .files()
        .by_id(bot.id(), file_id)
        .ok_or_else(|| ApiError::bad_request("wrong file_id or the file is temporarily unavailable"))?;
    if file.size > MAX_DOWNLOAD_BYTES {
        return Err(ApiError::bad_request("file is too big"));
    }
    let path = telegram.files().open(&file, bot.id(), bot.clock.now_ms());
    Ok(Answer::Value(json!({
        "file_id": file.file_id,
        "file_unique_id": file.file_unique_id,
        "file_size": file.size,
        "file_path": &*path,
    })))
}

/// Leaves this server: queue and webhook are gone.
fn log_out(bot: &Arc<Bot>) {
    let now_ms = bot.clock.now_ms();
    webhook::remove(bot);
    let mut state = bot.lock();
    state.drop_pending();
    state.lifecycle.log_out(now_ms);
}

impl Telegram {
    /// The refusal of an unknown method.
    pub(crate) fn method_not_found(&self) -> ApiError {
        match self.settings().errors {
            ErrorStyle::Cloud => ApiError::not_found(),
            ErrorStyle::Bare => ApiError::new(404, "Not Found: method not found"),
        }
    }
}

/// The parameters as a test wants to read them: files as a name and a size.
fn recorded(call: &Call) -> Params {
    let mut params = call.params.clone();
    for file in &call.files {
        params.push(file.field.as_str(), format!("<{}, {} bytes>", file.file_name, file.bytes.len()));
    }
    params
}
