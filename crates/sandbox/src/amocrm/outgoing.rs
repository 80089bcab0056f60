//! What the company says: a manager's answers and the Salesbot's, through the Bot API with the bot's own token.
//!
//! A message is in the chat before Telegram is asked, and shows afterwards what Telegram said. Nothing is
//! repeated on its own: whether the real amoCRM does is not known, and a repeat would be a second message.

use serde_json::{Value, json};

use super::AmoCrm;
use super::bot_api::{BotApiError, Upload, in_words};
use super::cards::{Author, Delivery, Message};
use super::hooks::event;

/// What to say.
#[derive(Debug, Clone)]
pub(crate) struct Saying {
    pub(crate) author: Author,
    pub(crate) author_name: String,
    pub(crate) text: Option<String>,
    pub(crate) media: Option<Media>,
    pub(crate) keyboard: Option<Value>,
    pub(crate) reply_to: Option<i64>,
}

/// A file to say it with.
#[derive(Debug, Clone)]
pub(crate) struct Media {
    pub(crate) kind: MediaKind,
    pub(crate) source: MediaSource,
}

/// How Telegram is to show a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MediaKind {
    Photo,
    Document,
    Voice,
    Video,
}

/// Where a file comes from.
#[derive(Debug, Clone)]
pub(crate) enum MediaSource {
    Bytes(Upload),
    /// An address that Telegram fetches, or a `file_id`.
    Reference(String),
}

impl MediaKind {
    pub(crate) fn field(self) -> &'static str {
        match self {
            Self::Photo => "photo",
            Self::Document => "document",
            Self::Voice => "voice",
            Self::Video => "video",
        }
    }

    fn method(self) -> &'static str {
        match self {
            Self::Photo => "sendPhoto",
            Self::Document => "sendDocument",
            Self::Voice => "sendVoice",
            Self::Video => "sendVideo",
        }
    }
}

impl AmoCrm {
    /// Says it in a chat; the answer is the message as it stands afterwards, or `None` if there is no
    /// such chat or its bot was removed.
    pub(crate) async fn say(&self, chat_id: &str, saying: Saying) -> Option<Message> {
        let (line_id, telegram_chat_id, api) = self.write(chat_id, &saying)?;
        let mut parameters = json!({"chat_id": telegram_chat_id});
        if let Some(keyboard) = saying.keyboard {
            parameters["reply_markup"] = keyboard;
        }
        if let Some(message_id) = saying.reply_to {
            parameters["reply_parameters"] = json!({"message_id": message_id});
        }
        if let Some(text) = saying.text {
            parameters[if saying.media.is_some() { "caption" } else { "text" }] = Value::String(text);
        }
        let sent = match saying.media {
            None => api.call("sendMessage", &parameters).await,
            Some(Media { kind, source: MediaSource::Reference(reference) }) => {
                parameters[kind.field()] = Value::String(reference);
                api.call(kind.method(), &parameters).await
            }
            Some(Media { kind, source: MediaSource::Bytes(upload) }) => {
                api.upload(kind.method(), &parameters, kind.field(), upload).await
            }
        };
        let mut state = self.lock();
        let line = state.account.chats.get_mut(chat_id)?.find_message_mut(&line_id)?;
        line.delivery = Some(match sent {
            Ok(message) => {
                line.telegram_message_id = message.get("message_id").and_then(Value::as_i64);
                Delivery::Sent
            }
            Err(error) => {
                let code = if let BotApiError::Refused { code, .. } = &error { Some(*code) } else { None };
                Delivery::Failed { code, error: in_words(&error) }
            }
        });
        Some(line.clone())
    }

    /// Puts the message into the chat and tells the hooks.
    fn write(&self, chat_id: &str, saying: &Saying) -> Option<(String, i64, super::bot_api::BotApi)> {
        let now_ms = self.clock().now_ms();
        let mut state = self.lock();
        let state = &mut *state;
        let id = state.account.uuid();
        let kind = saying.media.as_ref().map_or("text", |media| media.kind.field());
        let mut line = Message::new(id.clone(), now_ms, saying.author.clone(), &saying.author_name, kind);
        line.text.clone_from(&saying.text);
        line.reply_to = saying.reply_to;
        line.delivery = Some(Delivery::Sending);
        let chat = state.account.chats.get_mut(chat_id)?;
        let connection = state.connections.get(&chat.bot_id).filter(|connection| connection.connected)?;
        let telegram_chat_id = chat.telegram_chat_id;
        chat.push(line.clone());
        let api = self.bot_api(connection);
        let hook = event::add_outgoing_message(&state.account, connection, chat_id, &line);
        self.announce(state, hook);
        Some((id, telegram_chat_id, api))
    }
}
