//! From a call to the method that answers it, and into the record.

use std::sync::Arc;

use serde_json::json;

use super::{
    ApiError, Bot, ErrorStyle, Telegram,
    envelope::Answer,
    files::MAX_DOWNLOAD_BYTES,
    methods,
    params::{Call, Params},
    polling,
    record::{End, StoredCall},
    schema::Schema,
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

/// A call on its way into the record. If it is dropped before it has ended, whoever called did not wait for the
/// answer: a client that closed the connection during a long poll, above all.
pub(crate) struct Entry<'a> {
    bot: &'a Bot,
    call: Option<StoredCall>,
}

impl<'a> Entry<'a> {
    pub(crate) fn open(bot: &'a Bot, call: &Call, origin: Origin) -> Self {
        let webhook_reply = origin == Origin::WebhookReply;
        let (method, params) = (call.method.clone(), recorded(call));
        let call = StoredCall { at_ms: 0, method, params, webhook_reply, end: End::Abandoned };
        Self { bot, call: Some(call) }
    }

    /// Records how the call ended; only the first end counts.
    pub(crate) fn end(&mut self, end: End) {
        if let Some(call) = self.call.take() {
            let at_ms = self.bot.clock.now_ms();
            self.bot.lock().calls.add(StoredCall { at_ms, end, ..call });
        }
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.end(End::Abandoned);
    }
}

/// Runs a call and records its outcome.
pub(crate) async fn run(
    telegram: &Telegram,
    bot: &Arc<Bot>,
    call: Call,
    mut entry: Entry<'_>,
) -> Result<Answer, ApiError> {
    let outcome = dispatch(telegram, bot, call).await;
    entry.end(match &outcome {
        Ok(_) => End::Answered,
        Err(error) => End::refused(error),
    });
    outcome
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

/// Whether there is a method of this name in lower case.
pub(super) fn is_method(name: &str) -> bool {
    Schema::get().find_method(&canonical(name)).is_some()
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
