//! Who speaks: names of users and chats, and on which side somebody stands.

use tandem_model::{
    UserId,
    message::{Client, Manager, PersonKey, Speaker},
};

use super::{Reader, object::Object};

/// The name of a user, or of a chat of two: first and last name, else the `@name`.
pub(super) fn user_name(user: &Object<'_>) -> Option<String> {
    let names: Vec<_> = ["first_name", "last_name"].iter().filter_map(|name| user.words(name)).collect();
    if names.is_empty() {
        user.words("username").map(|name| format!("@{name}"))
    } else {
        Some(names.join(" "))
    }
}

/// The name of a chat: its title, else that of whoever it is with.
pub(super) fn chat_name(chat: &Object<'_>) -> Option<String> {
    chat.words("title").or_else(|| user_name(chat))
}

/// Who sent a message, by name.
pub(super) fn sender_name(message: &Object<'_>) -> Option<String> {
    let of_chat = |member| message.object(member).as_ref().and_then(chat_name);
    of_chat("sender_chat")
        .or_else(|| message.object("from").as_ref().and_then(user_name))
        .or_else(|| of_chat("chat"))
}

/// Whom a message was forwarded from: the name in a `MessageOrigin`.
pub(super) fn origin_name(origin: &Object<'_>) -> Option<String> {
    let name = ["sender_chat", "chat"].iter().find_map(|member| chat_name(&origin.object(member)?));
    let name = name
        .or_else(|| origin.object("sender_user").as_ref().and_then(user_name))
        .or_else(|| origin.words("sender_user_name"))?;
    Some(match origin.words("author_signature") {
        Some(signature) => format!("{name} ({signature})"),
        None => name,
    })
}

impl Reader {
    /// Who sent this message.
    pub(super) fn speaker(&self, message: &Object<'_>) -> Speaker {
        let from = message.object("from");
        let business = message.words("business_connection_id").is_some();
        if business && message.has("sender_business_bot") {
            return Speaker::Bot { app: None };
        }
        if let Some(chat) = message.object("sender_chat") {
            // `from` is a placeholder then (reference/telegram.md 4.1).
            return Speaker::Client(self.chat_as_client(&chat, message.words("author_signature")));
        }
        let chat = message.object("chat").unwrap_or_default();
        let Some(user) = from else {
            return Speaker::Client(self.chat_as_client(&chat, message.words("author_signature")));
        };
        if business && user.integer("id") != chat.integer("id") {
            // The account's owner, with his own hands: in a chat of two the other one is the chat.
            let id = user.integer("id").unwrap_or_default();
            return Speaker::Manager(Manager { id: format!("tg:{id}"), name: user_name(&user) });
        }
        self.user(&user)
    }

    /// A user: the bot itself or a client.
    pub(super) fn user(&self, user: &Object<'_>) -> Speaker {
        if user.integer("id") == Some(self.bot.get()) {
            return Speaker::Bot { app: None };
        }
        Speaker::Client(self.client(user))
    }

    pub(super) fn client(&self, user: &Object<'_>) -> Client {
        let id = user.integer("id").unwrap_or_default();
        let person = UserId::new(id).map_or_else(|_| PersonKey::of_chat(id), PersonKey::of);
        let nameless = || format!("{} {id}", self.language.pick("Пользователь Telegram", "Telegram user"));
        Client {
            person,
            name: user_name(user).unwrap_or_else(nameless),
            username: user.words("username"),
            phone: None,
            avatar: None,
        }
    }

    /// A chat that speaks for itself.
    pub(super) fn chat_as_client(&self, chat: &Object<'_>, signature: Option<String>) -> Client {
        let id = chat.integer("id").unwrap_or_default();
        let nameless = || format!("{} {id}", self.language.pick("Чат Telegram", "Telegram chat"));
        let name = chat_name(chat).unwrap_or_else(nameless);
        Client {
            person: PersonKey::of_chat(id),
            name: match signature {
                Some(signature) => format!("{name} ({signature})"),
                None => name,
            },
            username: chat.words("username"),
            phone: None,
            avatar: None,
        }
    }
}
