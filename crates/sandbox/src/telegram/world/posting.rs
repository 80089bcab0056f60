//! Posting: a message enters a chat, and the bots that may see it are told.

use serde_json::{Map, Value, json};

use super::State;
use super::chat::{Chat, ChatKey, ChatKind};
use super::message::{Author, Content, Draft, INLINE_ID, Message};

impl State {
    /// Posts a message and tells every bot that may see it, except its author. Gives the new id.
    pub(crate) fn post(&mut self, key: ChatKey, draft: Draft) -> i64 {
        let id = self.post_quietly(key, draft);
        self.announce(key, id, "message");
        id
    }

    /// Posts without telling anybody: what a bot sends comes back to it only as the answer of its call.
    pub(crate) fn post_quietly(&mut self, key: ChatKey, draft: Draft) -> i64 {
        let id = self.next_message_id(key);
        let message = Message {
            id,
            date: self.clock.now_secs(),
            edit_date: None,
            sender: draft.sender,
            author: draft.author,
            content: draft.content,
            context: draft.context,
            reply_to: draft.reply_to,
            inline_keyboard: draft.inline_keyboard,
            reply_keyboard: draft.reply_keyboard,
            hidden: draft.hidden,
            reactions: std::collections::BTreeMap::new(),
            deleted: false,
        };
        if let Some(poll) = message.content.poll.as_ref().and_then(|poll| self.polls.get_mut(poll))
            && poll.message_id == 0
        {
            (poll.chat, poll.message_id) = (key, id);
        }
        if let Some(chat) = self.chats.get_mut(&key) {
            show_reply_keyboard(chat, &message);
            if chat.typing.as_ref().is_some_and(|typing| typing.bot == message.sender) {
                chat.typing = None;
            }
        }
        self.keep(key, message);
        id
    }

    /// Puts a message into a chat's history; what a message that leaves it stood for goes with it.
    pub(crate) fn keep(&mut self, key: ChatKey, message: Message) {
        let Some(oldest) = self.chats.get_mut(&key).and_then(|chat| chat.keep(message)) else { return };
        if let Some(poll) = oldest.content.poll {
            self.polls.remove(&poll);
        }
        if let Some(id) = oldest.hidden.get(INLINE_ID).and_then(Value::as_str) {
            self.inline_messages.remove(id);
        }
    }

    /// A service message by the account, told to everybody in the chat, its author included.
    pub(crate) fn post_service(&mut self, key: ChatKey, author: i64, kind: &str, value: Value) -> i64 {
        let id =
            self.post_quietly(key, Draft::new(author, Author::Account(author), Content::of(kind, value)));
        self.announce_to_all(key, id, "message");
        id
    }

    /// Tells the bots that may see the message, except its author.
    pub(crate) fn announce(&self, key: ChatKey, id: i64, kind: &str) {
        self.tell(key, id, kind, false);
    }

    /// Tells the bots that may see the message, its author too.
    pub(crate) fn announce_to_all(&self, key: ChatKey, id: i64, kind: &str) {
        self.tell(key, id, kind, true);
    }

    fn tell(&self, key: ChatKey, id: i64, kind: &str, author_too: bool) {
        let Some(chat) = self.chats.get(&key) else { return };
        let Some(message) = chat.find_message(id) else { return };
        let kind = match (chat.kind, kind) {
            (ChatKind::Channel, "message") => "channel_post",
            (ChatKind::Channel, "edited_message") => "edited_channel_post",
            (_, kind) => kind,
        };
        for bot in self.bots_in(chat) {
            if (!author_too && message.is_from(bot)) || !self.may_see(chat, message, bot) {
                continue;
            }
            if let Some(object) = self.message_json(key, id, bot) {
                self.push(bot, kind, &object);
            }
        }
    }

    /// Puts an update into a bot's queue.
    pub(crate) fn push(&self, bot: i64, kind: &str, object: &Value) {
        if let Some(bot) = self.bots.get(&bot) {
            bot.push(kind, object);
        }
    }

    /// The bots of a chat.
    pub(crate) fn bots_in(&self, chat: &Chat) -> Vec<i64> {
        match chat.key {
            ChatKey::Private { bot, .. } => vec![bot],
            ChatKey::Group(_) => chat
                .members
                .iter()
                .filter(|(id, member)| member.status.is_inside() && self.bots.contains_key(id))
                .map(|(id, _)| *id)
                .collect(),
        }
    }

    /// Privacy mode: a plain member of a group gets commands, answers to itself and service messages only,
    /// and never what other bots write.
    fn may_see(&self, chat: &Chat, message: &Message, bot: i64) -> bool {
        if chat.kind == ChatKind::Private || chat.kind == ChatKind::Channel || message.is_from(bot) {
            return true;
        }
        if self.bots.contains_key(&message.sender) {
            return message.content.is_service();
        }
        let reads_all = chat.status(bot).is_admin()
            || self.settings.get(&bot).is_some_and(|settings| settings.reads_all_groups);
        if reads_all || message.content.is_service() {
            return true;
        }
        let answers_it =
            message.reply_to.and_then(|id| chat.find_message(id)).is_some_and(|other| other.is_from(bot));
        let via = message.context.get("via_bot").and_then(|via| via.get("id")).and_then(Value::as_i64);
        answers_it || via == Some(bot) || self.is_command_for(message, bot)
    }

    fn is_command_for(&self, message: &Message, bot: i64) -> bool {
        let Some(text) = message.content.fields.get("text").and_then(Value::as_str) else { return false };
        let Some(command) = text.strip_prefix('/') else { return false };
        let word = command.split_whitespace().next().unwrap_or_default();
        match word.split_once('@') {
            None => !word.is_empty(),
            Some((_, name)) => self
                .users
                .get(&bot)
                .and_then(|user| user.username.as_deref())
                .is_some_and(|username| username.eq_ignore_ascii_case(name)),
        }
    }

    /// Changes what a message shows and tells the bots; `edited_message` carries the new state.
    pub(crate) fn edit(&mut self, key: ChatKey, id: i64, content: Content) {
        let now = self.clock.now_secs();
        if let Some(message) = self.chats.get_mut(&key).and_then(|chat| chat.find_message_mut(id)) {
            message.content = content;
            message.edit_date = Some(now);
        }
    }

    /// Marks a message deleted; a pin of it ends too.
    pub(crate) fn delete(&mut self, key: ChatKey, id: i64) {
        if let Some(chat) = self.chats.get_mut(&key) {
            if let Some(message) = chat.find_message_mut(id) {
                message.deleted = true;
            }
            chat.pinned.retain(|pinned| *pinned != id);
        }
    }

    /// The `text` content of a formatted text, entities rendered.
    pub(crate) fn text_content(&self, formatted: &super::entities::Formatted) -> Content {
        let mut content = Content::of("text", json!(formatted.text));
        self.put_entities(&mut content.fields, "entities", formatted);
        content
    }

    /// Adds entities to fields, if there are any.
    pub(crate) fn put_entities(
        &self,
        fields: &mut Map<String, Value>,
        name: &str,
        formatted: &super::entities::Formatted,
    ) {
        if !formatted.entities.is_empty() {
            let user = |id| self.users.contains_key(&id).then(|| self.user_json(id));
            let entities: Vec<Value> = formatted.entities.iter().map(|entity| entity.to_json(user)).collect();
            fields.insert(name.to_owned(), json!(entities));
        }
    }
}

/// A keyboard replaces the one before, a removal takes it away, anything else leaves it.
fn show_reply_keyboard(chat: &mut Chat, message: &Message) {
    let Some(markup) = &message.reply_keyboard else { return };
    if markup.get("keyboard").is_some() {
        chat.reply_keyboard = Some(markup.clone());
    } else if markup.get("remove_keyboard").is_some() {
        chat.reply_keyboard = None;
    }
}
