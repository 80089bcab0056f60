//! Bot channels: taking the bot's webhook, and taking what comes to it.
//!
//! Anybody who knows the address is let in: what a relay passes on is as good as Telegram's own.

use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Wahelp;
use super::api::bad_answer;
use super::channel::Bot;
use super::fault::Fault;
use super::files::File;
use super::message::{Change, NewMessage, Origin};
use super::record::Call;
use super::users::{NewUser, Reached};
use crate::amocrm::door::Kill;
use crate::amocrm::inbound::{Content, Seen, SeenMessage};
use crate::amocrm::{BotApi, BotApiError, in_words};

const ENDPOINT: &str = "telegram";

impl Wahelp {
    /// Where the updates of a bot channel are expected.
    pub(crate) fn bot_address(&self, uuid: &str) -> String {
        format!("{}/telegram/{uuid}", self.url())
    }

    /// The bot behind a token.
    pub(crate) async fn meet_bot(&self, token: &str, telegram: Option<String>) -> Result<Bot, BotApiError> {
        let telegram = telegram.unwrap_or_else(|| self.0.parts.telegram_url.clone());
        let me = BotApi::new(self.http().clone(), &telegram, token).call("getMe", &json!({})).await?;
        Ok(Bot { id: me["id"].as_i64().unwrap_or_default(), token: token.to_owned(), telegram })
    }

    /// Takes the bot's webhook, whoever has it.
    pub(crate) async fn hold_webhook(&self, bot: &Bot, uuid: &str) -> Result<(), BotApiError> {
        let parameters = json!({"url": self.bot_address(uuid)});
        self.bot_api(bot).call("setWebhook", &parameters).await.map(|_| ())
    }

    /// Lets it go.
    pub(crate) async fn leave_webhook(&self, bot: &Bot) -> Result<(), BotApiError> {
        self.bot_api(bot).call("deleteWebhook", &json!({})).await.map(|_| ())
    }

    fn bot_api(&self, bot: &Bot) -> BotApi {
        BotApi::new(self.http().clone(), &bot.telegram, &bot.token)
    }

    /// Shows what an update says.
    async fn take_update(&self, channel: i64, bot: &Bot, seen: Seen) {
        match seen.content {
            Content::Message(ref message) => {
                let file = match &message.file {
                    None => None,
                    Some(file) => match self.bot_api(bot).file(&file.file_id).await {
                        Ok(bytes) => Some(File {
                            content_type: content_type(message.kind).to_owned(),
                            name: file.file_name.clone(),
                            bytes,
                        }),
                        Err(error) => {
                            tracing::debug!(error = %in_words(&error), "a client's file could not be fetched");
                            None
                        }
                    },
                };
                self.take_message(channel, &seen, message, file);
            }
            Content::Edit(edit) => {
                let mut state = self.lock();
                let edited =
                    state.messages.values().rev().find(|message| {
                        message.channel == channel && message.telegram == Some(edit.message_id)
                    });
                if let Some(id) = edited.map(|message| message.id) {
                    self.change_message(&mut state, id, Change::Text(edit.text.unwrap_or_default()));
                }
            }
            // What presses of buttons become is not known, so they become nothing.
            Content::Press { .. }
            | Content::Reaction { .. }
            | Content::Membership { .. }
            | Content::Other => {}
        }
    }

    fn take_message(&self, channel: i64, seen: &Seen, message: &SeenMessage, file: Option<File>) {
        let (Some(chat), Some(from)) = (&seen.chat, &seen.from) else { return };
        // Groups are not dialogues with a client.
        if !chat.private {
            return;
        }
        let now_ms = self.clock().now_ms();
        let mut state = self.lock();
        let state = &mut *state;
        let repeated = |known: &&super::message::Message| {
            known.channel == channel && known.telegram == Some(message.message_id)
        };
        let reached = Reached::Telegram(chat.id);
        if let Some(user) = state.find_reached(channel, reached)
            && state.messages.values().filter(|known| known.user == user).any(|known| repeated(&known))
        {
            return;
        }
        let before = state.users.len();
        let new =
            NewUser { name: from.name.clone(), phone: None, uid: from.id.to_string(), uid2: None, reached };
        let user = state.user_of(channel, new, now_ms);
        self.announce_user(state, before, user);
        if let Some(phone) = message.phone.as_ref().filter(|phone| phone.own)
            && let Some(user) = state.users.get_mut(&user)
        {
            user.phone = Some(phone.digits.clone());
        }
        let kind = match (&file, message.kind) {
            (_, "command") | (None, _) => "text",
            (Some(_), "voice") => "audio",
            (Some(file), _) => file.message_type(),
        };
        let file = file.map(|file| self.keep_file(state, file));
        let new = NewMessage {
            user,
            origin: Origin::Client(Some(message.message_id)),
            destination: "from".to_owned(),
            kind: kind.to_owned(),
            text: message.text.clone().unwrap_or_default(),
            file,
        };
        self.add_message(state, new, now_ms);
    }
}

/// What a file of Telegram's calls itself.
fn content_type(kind: &str) -> &'static str {
    match kind {
        "photo" => "image/jpeg",
        "sticker" => "image/webp",
        "voice" => "audio/ogg",
        "audio" => "audio/mpeg",
        "video" | "video_note" | "animation" => "video/mp4",
        _ => "application/octet-stream",
    }
}

/// `POST /telegram/{channel}`.
pub(crate) async fn hook(
    Shared(wahelp): Shared<Wahelp>,
    Extension(kill): Extension<Kill>,
    Path(uuid): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now_ms = wahelp.clock().now_ms();
    let update: Option<Value> = serde_json::from_slice(&body).ok();
    let seen = update.as_ref().and_then(Seen::read);
    let (status, meant, fault) = {
        let mut state = wahelp.lock();
        let meant = state.channel(&uuid).and_then(|channel| Some((channel.id, channel.bot.clone()?)));
        let fault = state.next_fault(ENDPOINT, now_ms);
        let status = match (&meant, &seen) {
            (None, _) => StatusCode::NOT_FOUND,
            (Some(_), None) => StatusCode::BAD_REQUEST,
            (Some(_), Some(_)) => StatusCode::OK,
        };
        let mut call = Call::new(ENDPOINT, now_ms, &method, &uri, &headers, body);
        call.status = fault.is_none().then(|| status.as_u16());
        call.fault.clone_from(&fault);
        state.calls.add(call);
        (status, meant, fault)
    };
    if let (Some((channel, bot)), Some(seen)) = (meant, seen)
        && fault.as_ref().is_none_or(Fault::is_taken)
    {
        wahelp.take_update(channel, &bot, seen).await;
    }
    match fault {
        None => status.into_response(),
        Some(Fault::Slow { ms }) => {
            wahelp.clock().sleep(Duration::from_millis(ms)).await;
            status.into_response()
        }
        Some(fault) => bad_answer(fault, kill).await,
    }
}
