//! Chat hooks: what the integration hears of managers (reference 2.3 to 2.10).
//!
//! Builds their JSON from the chats and hands them to [`super::outbox`].

use serde_json::{Value, json};

use super::channel::{Channel, HookVersion};
use super::chat::{ChannelChat, Line};
use super::outbox::{HookKind, Letter};
use crate::amocrm::{AmoCrm, State};

/// A manager's typing is shown for so long.
const TYPING_SECS: i64 = 5;

/// Tells a message.
pub(crate) fn message(amocrm: &AmoCrm, state: &mut State, chat_id: &str, message: &str, now_ms: i64) {
    let Some((channel, chat, line)) = state.find_line(chat_id, message) else { return };
    let version = channel.connection.as_ref().map(|connection| connection.hook_api_version);
    let body = match version {
        Some(HookVersion::V1) => v1(chat, line, state),
        Some(HookVersion::V2) | None => state.wrap(now_ms, "message", state.message_v2(chat, line)),
    };
    let letter = Letter::new(channel, chat_id, Some(message), HookKind::Message, &body);
    amocrm.post(state, letter, now_ms);
}

/// Tells that a manager types.
pub(crate) fn typing(amocrm: &AmoCrm, state: &mut State, chat_id: &str, user: &str, now_ms: i64) {
    let Some(chat) = state.account.channel_chats.get(chat_id) else { return };
    let Some(channel) = state.amojo.channel(&chat.channel) else { return };
    let typing = json!({
        "user": {"id": user},
        "conversation": conversation(chat),
        "expired_at": now_ms / 1000 + TYPING_SECS,
    });
    let body = state.wrap(now_ms, "action", json!({"typing": typing}));
    let letter = Letter::new(channel, chat_id, None, HookKind::Typing, &body);
    amocrm.post(state, letter, now_ms);
}

/// Tells a manager's reaction; without an emoji that it was taken back.
pub(crate) fn reaction(
    amocrm: &AmoCrm,
    state: &mut State,
    chat_id: &str,
    message: &str,
    user: &str,
    emoji: Option<&str>,
    now_ms: i64,
) {
    let Some((channel, chat, line)) = state.find_line(chat_id, message) else { return };
    let mut about = json!({
        "id": line.id,
        "sender": {"id": line.sender_id},
        "timestamp": line.at.timestamp,
        "msec_timestamp": line.at.msec_timestamp,
    });
    if let Some(receiver) = &line.receiver_id {
        about["receiver"] = json!({"id": receiver});
    }
    if let Some(msgid) = &line.msgid {
        about["client_id"] = json!(msgid);
    }
    let mut reaction = json!({
        "message": about,
        "user": {"id": user},
        "conversation": conversation(chat),
        "type": if emoji.is_some() { "react" } else { "unreact" },
    });
    if let Some(emoji) = emoji {
        reaction["emoji"] = json!(emoji);
    }
    let body = state.wrap(now_ms, "action", json!({"reaction": reaction}));
    let letter = Letter::new(channel, chat_id, Some(message), HookKind::Reaction, &body);
    amocrm.post(state, letter, now_ms);
}

/// `client_id` is missing for chats that no message of the integration has named.
fn conversation(chat: &ChannelChat) -> Value {
    let mut shown = json!({"id": chat.id});
    if let Some(client_id) = &chat.client_id {
        shown["client_id"] = json!(client_id);
    }
    shown
}

/// The deprecated flat object (reference 2.10).
fn v1(chat: &ChannelChat, line: &Line, state: &State) -> Value {
    let person = state.account.persons.get(&chat.person_id);
    let media = line.media.as_ref();
    json!({
        "receiver": person.and_then(|person| person.client_id.clone()),
        "conversation_id": chat.client_id,
        "type": line.kind,
        "text": line.text,
        "media": media.map_or("", |media| media.link.as_str()),
        "thumbnail": media.map_or("", |media| media.thumbnail.as_str()),
        "file_name": media.map_or("", |media| media.file_name.as_str()),
        "file_size": media.map_or(0, |media| media.file_size),
        "msec_timestamp": line.at.msec_timestamp,
    })
}

impl State {
    fn find_line(&self, chat_id: &str, message: &str) -> Option<(&Channel, &ChannelChat, &Line)> {
        let chat = self.account.channel_chats.get(chat_id)?;
        Some((self.amojo.channel(&chat.channel)?, chat, chat.find(message)?))
    }

    fn wrap(&self, now_ms: i64, key: &str, content: Value) -> Value {
        let mut body = json!({"account_id": self.account.amojo_id, "time": now_ms / 1000});
        body[key] = content;
        body
    }

    fn message_v2(&self, chat: &ChannelChat, line: &Line) -> Value {
        let person = self.account.persons.get(&chat.person_id);
        let mut receiver = json!({
            "id": chat.person_id,
            "phone": person.and_then(|person| person.phone.as_deref()).unwrap_or_default(),
            "email": person.and_then(|person| person.email.as_deref()).unwrap_or_default(),
        });
        if let Some(client_id) = person.and_then(|person| person.client_id.as_ref()) {
            receiver["client_id"] = json!(client_id);
        }
        let mut message = json!({
            "receiver": receiver,
            "sender": {"id": line.sender_id},
            "conversation": conversation(chat),
            "timestamp": line.at.timestamp,
            "msec_timestamp": line.at.msec_timestamp,
            "message": self.content_v2(line),
        });
        if let Some(external_id) = self.source_of(&chat.id) {
            message["source"] = json!({"external_id": external_id});
        }
        message
    }

    fn content_v2(&self, line: &Line) -> Value {
        let media = line.media.as_ref();
        let mut content = json!({
            "id": line.id,
            "type": line.kind,
            "text": line.text,
            "markup": line.markup,
            "tag": "",
            "media": media.map_or("", |media| media.link.as_str()),
            "thumbnail": media.map_or("", |media| media.thumbnail.as_str()),
            "file_name": media.map_or("", |media| media.file_name.as_str()),
            "file_size": media.map_or(0, |media| media.file_size),
        });
        if let Some(group) = &line.media_group_id {
            content["media_group_id"] = json!(group);
        }
        if let Some(template) = &line.template {
            content["template"] = template.clone();
        }
        if let Some(quoted) = line.reply_to.as_ref().and_then(|quote| self.embedded(quote.id.as_deref()?)) {
            content["reply_to"] = json!({"message": quoted});
        }
        if let Some(id) = line.forwards.as_ref().and_then(|quote| quote.id.as_deref())
            && let Some(forwarded) = self.embedded(id)
        {
            content["forwards"] = json!({
                "messages": [forwarded],
                "conversation_ref_id": self.amojo.directory.chat_of(id),
            });
        }
        content
    }
}
