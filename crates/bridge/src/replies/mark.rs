//! What the replies note in a bot's journal beside what was said.

use serde::{Deserialize, Serialize};
use tandem_model::{Conversation, EventKind, Flags, Lifetime, NewEvent, Timestamp, Topic, UserId};
use tandem_telegram::update::Family;

/// The body of a `Mark` event of the replies'. The gateway and the guard have marks of their own, with other words in
/// `mark`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mark", rename_all = "snake_case")]
pub enum ReplyMark {
    /// Telegram says that somebody has blocked the bot or is gone.
    Blocked {
        /// Who.
        user: UserId,
        /// In Telegram's words.
        words: String,
    },
}

impl ReplyMark {
    /// The topic of marks about people who cannot be written to.
    pub const BLOCKED: Topic = Topic::new(7).expect("a topic is at most 63");

    pub(super) fn event(&self, conversation: Conversation, now: Timestamp) -> NewEvent {
        let Self::Blocked { .. } = self;
        NewEvent {
            kind: EventKind::Mark,
            topic: Self::BLOCKED,
            conversation,
            family: Family::Chat.number(),
            at: now,
            lifetime: Lifetime::Backlog,
            flags: Flags::NONE,
            upstream: None,
            cause: None,
            owner: None,
            body: serde_json::to_vec(self).expect("texts and numbers always serialise").into(),
        }
    }
}
