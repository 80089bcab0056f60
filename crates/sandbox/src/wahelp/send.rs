//! Outgoing messages of bot channels: sent with the bot's own token, one after the other for each client.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::Wahelp;
use super::message::Change;
use super::state::State;
use super::users::Reached;
use crate::amocrm::{BotApi, BotApiError, Upload, in_words};

impl Wahelp {
    /// Puts a message on its way to the client of a bot.
    pub(crate) fn send_by_bot(&self, state: &mut State, user: i64, message: i64) {
        if let Some(queue) = state.sending.get_mut(&user) {
            queue.push_back(message);
        } else {
            state.sending.insert(user, VecDeque::from([message]));
            self.spawn(drain(self.clone(), user));
        }
    }

    fn next_to_send(&self, user: i64) -> Option<i64> {
        let mut state = self.lock();
        let next = state.sending.get_mut(&user).and_then(VecDeque::pop_front);
        if next.is_none() {
            state.sending.remove(&user);
        }
        next
    }

    /// What has to be called for a message.
    fn call_of(&self, message: i64) -> Option<Call> {
        let state = self.lock();
        let message = state.messages.get(&message)?;
        let Reached::Telegram(chat) = state.users.get(&message.user)?.reached else { return None };
        let bot = state.channels.get(&message.channel)?.bot.as_ref()?;
        let file = message.file.as_deref().and_then(|url| state.files.at(url));
        let upload = file.map(|file| Upload { bytes: file.bytes.clone(), file_name: file.name.clone() });
        let (method, field) = match file.map(|file| file.content_type.as_str()) {
            None => ("sendMessage", "text"),
            Some("image/gif") => ("sendAnimation", "animation"),
            Some(kind) if kind.starts_with("image/") => ("sendPhoto", "photo"),
            Some(kind) if kind.starts_with("video/") => ("sendVideo", "video"),
            Some("audio/ogg") => ("sendVoice", "voice"),
            Some(kind) if kind.starts_with("audio/") => ("sendAudio", "audio"),
            Some(_) => ("sendDocument", "document"),
        };
        let said = if file.is_some() { "caption" } else { "text" };
        Some(Call {
            api: BotApi::new(self.http().clone(), &bot.telegram, &bot.token),
            method,
            field,
            parameters: json!({"chat_id": chat, said: message.text}),
            upload,
        })
    }
}

struct Call {
    api: BotApi,
    method: &'static str,
    field: &'static str,
    parameters: Value,
    upload: Option<Upload>,
}

impl Call {
    async fn make(self) -> Result<Value, BotApiError> {
        match self.upload {
            None => self.api.call(self.method, &self.parameters).await,
            Some(file) => self.api.upload(self.method, &self.parameters, self.field, file).await,
        }
    }
}

async fn drain(wahelp: Wahelp, user: i64) {
    while let Some(message) = wahelp.next_to_send(user) {
        let Some(call) = wahelp.call_of(message) else { continue };
        let sent = call.make().await;
        let mut state = wahelp.lock();
        match sent {
            Ok(sent) => {
                if let Some(message) = state.messages.get_mut(&message) {
                    message.telegram = sent["message_id"].as_i64();
                }
                wahelp.tell_delivered(&mut state, message);
            }
            Err(error) => {
                if let Some(message) = state.messages.get_mut(&message) {
                    message.error = Some(in_words(&error));
                }
                let failed = state.switches.status_words.failed.clone();
                wahelp.change_message(&mut state, message, Change::Status(failed));
            }
        }
    }
}
