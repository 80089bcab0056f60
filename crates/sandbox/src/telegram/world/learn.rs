//! Learning from raw updates: who and what a pushed update speaks of becomes known, so that a bot's answer to
//! it finds its chat, its message and its query.

use serde_json::Value;

use super::State;
use super::chat::{ChatKey, ChatKind, Member, Status};
use super::message::{Author, Content, Message};
use super::queries::Question;
use super::user::User;

impl State {
    /// Takes in the object of an update of this kind that was pushed to the bot.
    pub(crate) fn learn(&mut self, bot: i64, kind: &str, object: &Value) {
        if let Some(user) = object.get("from").or_else(|| object.get("user")).and_then(User::read) {
            self.users.entry(user.id).or_insert(user);
        }
        let id = object.get("id").and_then(Value::as_str).map(str::to_owned);
        let from =
            object.get("from").and_then(|from| from.get("id")).and_then(Value::as_i64).unwrap_or_default();
        match (kind, id) {
            (
                "message"
                | "edited_message"
                | "channel_post"
                | "edited_channel_post"
                | "business_message"
                | "edited_business_message",
                _,
            ) => {
                self.learn_message(bot, object);
            }
            ("callback_query", Some(id)) => {
                let message = object.get("message");
                let chat = message.and_then(|message| self.learn_message(bot, message));
                let message_id =
                    message.and_then(|message| message.get("message_id")).and_then(Value::as_i64);
                let data = object.get("data").and_then(Value::as_str).map(str::to_owned);
                self.ask_quietly(bot, id, from, Question::Callback { chat, message_id, data });
            }
            ("business_connection", Some(id)) => {
                self.business.insert((bot, id), object.clone());
            }
            ("inline_query", Some(id)) => self.ask_quietly(bot, id, from, Question::Inline),
            ("shipping_query" | "pre_checkout_query", Some(id)) => {
                let chat = self.open_private(bot, from);
                let invoice = super::queries::InvoiceRef { chat, message_id: 0 };
                let question = if kind == "shipping_query" {
                    Question::Shipping { invoice }
                } else {
                    Question::Checkout { invoice }
                };
                self.ask_quietly(bot, id, from, question);
            }
            _ => {
                if let Some(chat) = object.get("chat") {
                    self.learn_chat(bot, chat);
                }
            }
        }
    }

    fn ask_quietly(&mut self, bot: i64, id: String, user: i64, question: Question) {
        let now = self.clock.now_ms();
        drop(self.queries.ask(bot, id, user, question, now));
    }

    fn learn_chat(&mut self, bot: i64, chat: &Value) -> Option<ChatKey> {
        let id = chat.get("id")?.as_i64()?;
        let kind = match chat.get("type").and_then(Value::as_str)? {
            "private" => {
                if let Some(user) = User::read(chat) {
                    self.users.entry(id).or_insert(user);
                }
                return Some(self.open_private(bot, id));
            }
            "group" => ChatKind::Group,
            "channel" => ChatKind::Channel,
            _ => ChatKind::Supergroup,
        };
        let key = ChatKey::Group(id);
        let title = chat.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
        let instance = self.random.range(i64::MIN..i64::MAX).to_string();
        let known =
            self.chats.entry(key).or_insert_with(|| super::chat::Chat::new(key, kind, title, instance));
        known.members.entry(bot).or_insert_with(|| Member::new(Status::Administrator));
        Some(key)
    }

    fn learn_message(&mut self, bot: i64, object: &Value) -> Option<ChatKey> {
        let key = self.learn_chat(bot, object.get("chat")?)?;
        let from = object.get("from").and_then(User::read);
        let author = match from {
            Some(user) => {
                let id = user.id;
                self.users.entry(id).or_insert(user);
                if let Some(chat) = self.chats.get_mut(&key).filter(|chat| chat.kind != ChatKind::Private) {
                    chat.members.entry(id).or_insert_with(|| Member::new(Status::Member));
                }
                Author::Account(id)
            }
            None => Author::Chat,
        };
        let fields = object.as_object()?;
        let id = fields.get("message_id")?.as_i64().filter(|id| *id > 0)?;
        if matches!(key, ChatKey::Private { .. }) {
            let counter = self.private_counters.entry(bot).or_default();
            *counter = (*counter).max(id);
        }
        let number = |name: &str| fields.get(name).and_then(Value::as_i64);
        let message = Message {
            id,
            date: number("date").unwrap_or_default(),
            edit_date: number("edit_date"),
            sender: if let Author::Account(id) = author { id } else { 0 },
            author,
            content: Content::read(fields),
            context: serde_json::Map::new(),
            reply_to: fields.get("reply_to_message").and_then(|other| other.get("message_id")?.as_i64()),
            inline_keyboard: fields.get("reply_markup").cloned(),
            reply_keyboard: None,
            hidden: serde_json::Map::new(),
            reactions: std::collections::BTreeMap::new(),
            deleted: false,
        };
        self.keep(key, message);
        Some(key)
    }
}
