//! Where a forwarded message came from, and posting in a bot's name.

use serde_json::{Value, json};

use super::State;
use super::chat::ChatKey;
use super::message::{Author, Draft, Message};

impl State {
    /// The `MessageOrigin` of a message; a forward of a forward keeps the first origin.
    pub(crate) fn origin_of(&self, key: ChatKey, message: &Message) -> Value {
        if let Some(origin) = message.context.get("forward_origin") {
            return origin.clone();
        }
        match message.author {
            Author::Account(id) => {
                json!({"type": "user", "date": message.date, "sender_user": self.user_json(id)})
            }
            Author::Chat => json!({
                "type": "channel",
                "date": message.date,
                "chat": self.chat_json(key),
                "message_id": message.id,
            }),
        }
    }

    /// Posts what a bot sends. In a channel other bots see the post; elsewhere bots do not see each other.
    pub(crate) fn post_from_bot(&mut self, key: ChatKey, draft: Draft) -> i64 {
        if draft.author == Author::Chat {
            return self.post(key, draft);
        }
        self.post_quietly(key, draft)
    }
}
