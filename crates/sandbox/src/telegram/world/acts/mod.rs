//! What people do: write, send, press, react, edit, vote, pay, block, leave.
//!
//! Each act checks what Telegram's apps would not let a person do and says what was expected instead.

mod inline;
mod interact;
mod press;
mod send;

use super::State;
use super::chat::ChatKey;

pub(crate) use press::{Press, Pressed};
pub(crate) use send::{Material, Upload};

/// An act that is impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ActError {
    /// What the act speaks of is not there.
    #[error("{0}")]
    NotFound(String),
    /// A person could not do that here and now.
    #[error("{why}")]
    Impossible {
        /// Why not.
        why: String,
        /// What would work.
        expected: String,
    },
}

impl ActError {
    pub(crate) fn impossible(why: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Impossible { why: why.into(), expected: expected.into() }
    }

    fn no_message(id: i64) -> Self {
        Self::NotFound(format!("there is no message {id} in this chat"))
    }
}

/// Who acts, and in which chat.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor {
    pub(crate) chat: ChatKey,
    pub(crate) user: i64,
}

impl State {
    /// The person may write here: the bot is not blocked, he is in the group.
    fn check_can_write(&self, actor: Actor) -> Result<(), ActError> {
        let Some(chat) = self.chats.get(&actor.chat) else {
            return Err(ActError::NotFound("there is no such chat".to_owned()));
        };
        if chat.removed {
            return Err(ActError::impossible("the group was deleted", "another group"));
        }
        if chat.blocked {
            return Err(ActError::impossible("the user has blocked the bot", "an unblock or a start first"));
        }
        if let Some(to) = chat.migrated_to {
            return Err(ActError::impossible("the group was upgraded", format!("the group's new id {to}")));
        }
        if !self.is_in(actor.chat, actor.user) {
            return Err(ActError::impossible("the user is not in this group", "a join first"));
        }
        Ok(())
    }
}
