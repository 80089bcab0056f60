//! What is kept of a chat that a route tells of, and under which names.
//!
//! The vendor's names of it are the connection's ([`remember_chat`]). In the route's lane there is besides, as a link:
//!
//! | ours | theirs |
//! | --- | --- |
//! | `opened:` and the chat's key | the vendor's chat that was told first |
//! | `tended:` and the chat's key | what the client was called when he and his card were looked after last, which was at the link's time |
//! | a message's key | the vendor's message, for those that were born there (whoever sends managers' words puts them) |

use tandem_journal::{ContactLink, Fact, Link, LinkScope, ReadError, Store};
use tandem_lanes::LaneAddress;
use tandem_model::{
    BotId, ConnectionId, Conversation, Timestamp, UserId,
    message::{ChatKey, MessageKey},
};
use tandem_vendor::ChatIds;

use crate::connections::remember_chat;

/// How many links of one of the vendor's messages are looked at.
const ALIKE: usize = 8;

/// Whose names these are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    pub(super) lane: LaneAddress,
    pub(super) connection: ConnectionId,
}

/// The chat that a conversation is; `None` for those that are no chat.
pub(super) fn chat_of(bot: BotId, conversation: &Conversation) -> Option<ChatKey> {
    let text = conversation.as_str();
    match text.strip_prefix("b:") {
        Some(rest) => {
            let (business, chat) = rest.rsplit_once(':')?;
            Some(ChatKey::of(bot, Some(business), chat.parse().ok()?))
        }
        None => Some(ChatKey::of(bot, None, text.parse().ok()?)),
    }
}

/// The person that a private chat is with.
pub(super) fn person_of(chat: &ChatKey) -> Option<UserId> {
    let (_, _, chat) = ChatKey::read(chat.as_str())?;
    UserId::new(chat).ok().filter(|user| user.get() > 0)
}

impl Names {
    pub(super) fn lane_scope(&self) -> LinkScope {
        LinkScope::Lane(self.lane.lane)
    }

    /// Whether this route has told of a chat.
    pub(super) async fn was_opened(&self, store: &dyn Store, chat: &ChatKey) -> Result<bool, ReadError> {
        Ok(store.find_link(self.lane.bot, self.lane_scope(), opened(chat)).await?.is_some())
    }

    /// When the client and his card were looked after last, and what he was called then.
    pub(super) async fn tended(
        &self,
        store: &dyn Store,
        chat: &ChatKey,
    ) -> Result<Option<(Timestamp, String)>, ReadError> {
        let link = store.find_link(self.lane.bot, self.lane_scope(), tended(chat)).await?;
        Ok(link.map(|link| (link.at, link.theirs)))
    }

    /// He and his card were looked after.
    pub(super) fn tend(&self, chat: &ChatKey, called: &str, at: Timestamp) -> Fact {
        let theirs = called.to_owned();
        Fact::Link(Link { scope: self.lane_scope(), ours: tended(chat), theirs, at })
    }

    /// The vendor's id of a message that was born there.
    pub(super) async fn find_message(
        &self,
        store: &dyn Store,
        key: &MessageKey,
    ) -> Result<Option<String>, ReadError> {
        let link = store.find_link(self.lane.bot, self.lane_scope(), key.as_str().to_owned()).await?;
        Ok(link.map(|link| link.theirs))
    }

    /// Whether one of the messages that were told has this id at the vendor.
    pub(super) async fn is_told_as(&self, store: &dyn Store, id: &str) -> Result<bool, ReadError> {
        let links = store.list_links(self.lane.bot, self.lane_scope(), id.to_owned(), ALIKE).await?;
        Ok(links.iter().any(|link| MessageKey::read(&link.ours).is_some()))
    }

    /// A chat was used: its names at the vendor are kept for as long again.
    pub(super) fn used(&self, chat: &ChatKey, ids: &ChatIds, at: Timestamp) -> Vec<Fact> {
        let mut facts = remember_chat(self.connection, chat, ids, at);
        let theirs = ids.chat.clone().unwrap_or_default();
        facts.push(Fact::Link(Link { scope: self.lane_scope(), ours: opened(chat), theirs, at }));
        facts
    }

    /// Who the client of a chat is at the vendor.
    pub(super) fn contact(&self, chat: &ChatKey, contact: String) -> Option<Fact> {
        let user = person_of(chat)?;
        Some(Fact::Contact(ContactLink { user, connection: self.connection, contact }))
    }
}

fn tended(chat: &ChatKey) -> String {
    format!("tended:{chat}")
}

fn opened(chat: &ChatKey) -> String {
    format!("opened:{chat}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_a_chat_if_it_has_one() {
        let bot = BotId::new(777).unwrap();
        for (conversation, expected) in [
            (Conversation::chat(1001), Some("tg:777:1001")),
            (Conversation::chat(-100_123), Some("tg:777:-100123")),
            (Conversation::business("bc", 7), Some("tg:777:bc:7")),
            (Conversation::user(UserId::new(5).unwrap()), None),
            (Conversation::poll("9"), None),
            (Conversation::bot(), None),
        ] {
            let chat = chat_of(bot, &conversation);
            assert_eq!(chat.as_ref().map(ChatKey::as_str), expected);
        }
        assert_eq!(person_of(&ChatKey::of(bot, Some("bc"), 7)), UserId::new(7).ok());
        assert_eq!(person_of(&ChatKey::of(bot, None, -7)), None);
    }
}
