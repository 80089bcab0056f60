//! Messages as the Bot API shows them: rendered for one bot, at the moment they are asked for.

use serde_json::{Map, Value, json};

use super::State;
use super::chat::{Chat, ChatKey};
use super::message::{Author, FILE_KEY, Message};

/// Whether the answered message is shown inside; a message inside a message never has one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Outer,
    Inner,
}

impl State {
    /// The `Message` object for a bot; `None` when the message is gone.
    pub(crate) fn message_json(&self, key: ChatKey, message_id: i64, viewer: i64) -> Option<Value> {
        let chat = self.chats.get(&key)?;
        Some(self.render(chat, chat.find_message(message_id)?, viewer, Nesting::Outer))
    }

    /// The message, or the stand-in for one that is gone.
    pub(crate) fn maybe_inaccessible(&self, key: ChatKey, message_id: i64, viewer: i64) -> Value {
        self.message_json(key, message_id, viewer)
            .unwrap_or_else(|| json!({"chat": self.chat_json(key), "message_id": message_id, "date": 0}))
    }

    fn render(&self, chat: &Chat, message: &Message, viewer: i64, nesting: Nesting) -> Value {
        let mut object = Map::new();
        object.insert("message_id".into(), json!(message.id));
        object.insert("chat".into(), self.chat_json(chat.key));
        object.insert("date".into(), json!(message.date));
        match message.author {
            Author::Account(id) => object.insert("from".into(), self.user_json(id)),
            Author::Chat => object.insert("sender_chat".into(), self.chat_json(chat.key)),
        };
        if let Some(date) = message.edit_date {
            object.insert("edit_date".into(), json!(date));
        }
        for (name, value) in message.context.iter().chain(&message.content.fields) {
            let value =
                if message.content.has_files { self.with_file_ids(value, viewer) } else { value.clone() };
            object.insert(name.clone(), value);
        }
        if let Some(poll) = message.content.poll.as_ref().and_then(|id| self.polls.get(id)) {
            object.insert("poll".into(), poll.to_json(self.clock.now_ms()));
        }
        // Compatible fields: an animation is also a document, a venue also a location.
        if let Some(animation) = object.get("animation").cloned() {
            object.entry("document").or_insert(animation);
        }
        if let Some(location) = object.get("venue").and_then(|venue| venue.get("location")).cloned() {
            object.entry("location").or_insert(location);
        }
        if nesting == Nesting::Outer {
            if let Some(answered) = message.reply_to.and_then(|id| chat.find_message(id)) {
                object.insert("reply_to_message".into(), self.render(chat, answered, viewer, Nesting::Inner));
            }
            if let Some(id) = message.content.fields.get(PINNED).and_then(Value::as_i64) {
                let pinned = chat.find_message(id).map_or_else(
                    || json!({"chat": self.chat_json(chat.key), "message_id": id, "date": 0}),
                    |pinned| self.render(chat, pinned, viewer, Nesting::Inner),
                );
                object.insert(PINNED.into(), pinned);
            }
        } else {
            object.remove(PINNED);
        }
        if let Some(keyboard) = &message.inline_keyboard {
            object.insert("reply_markup".into(), keyboard.clone());
        }
        Value::Object(object)
    }

    /// Gives every described file the viewer's `file_id`.
    pub(crate) fn with_file_ids(&self, value: &Value, viewer: i64) -> Value {
        match value {
            Value::Object(fields) => {
                let mut object: Map<String, Value> = fields
                    .iter()
                    .filter(|(name, _)| *name != FILE_KEY)
                    .map(|(name, value)| (name.clone(), self.with_file_ids(value, viewer)))
                    .collect();
                if let Some(key) = fields.get(FILE_KEY).and_then(Value::as_str) {
                    object.insert("file_unique_id".into(), json!(key));
                    object.insert("file_id".into(), json!(self.shelf.file_id(viewer, key)));
                }
                Value::Object(object)
            }
            Value::Array(items) => items.iter().map(|item| self.with_file_ids(item, viewer)).collect(),
            other => other.clone(),
        }
    }
}

/// A pin names its message by id until it is shown.
pub(crate) const PINNED: &str = "pinned_message";
