//! Chats at a vendor and ours: several of the vendor's may be one of ours.
//!
//! A client's chat in Telegram usually has one chat at a vendor, which we opened and which goes by its
//! [`ChatKey`] there. When a manager begins another one with the same person ("Write first"), both lead to the same
//! Telegram chat, and what is told next goes to the one that was used last. The vendor needs a name of ours for each,
//! so further ones are `<ChatKey>#2`, `<ChatKey>#3` and so on.
//!
//! Three links of the bot's journal, within the connection ([`LinkScope::Connection`]), renewed whenever the chat is
//! used:
//!
//! | ours | theirs |
//! | --- | --- |
//! | `<ChatKey>#<number>` | the vendor's name of that chat: one row for each, number 1 has the plain key as its name |
//! | `<ChatKey>` | the vendor's name of the chat used last |
//! | `<ChatKey>@` | the number of the chat used last, a line break, the vendor's name of the client in it |
//!
//! They go when retention has passed them; a chat that was quiet for so long is opened again, which makes no other.

use tandem_journal::{Fact, Link, LinkScope, ReadError, Store};
use tandem_model::{BotId, ConnectionId, Timestamp, message::ChatKey};
use tandem_vendor::ChatIds;

/// So many chats of one person with one bot are told apart at most; a further one takes the place of the last.
const MOST: usize = 9;
/// How many links of one of the vendor's chats are looked at.
const LINKS: usize = 8;

/// Our name of a chat at a vendor: its key, and which of several it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChatName {
    pub(crate) key: ChatKey,
    /// From 1.
    pub(crate) number: usize,
}

impl ChatName {
    /// Reads what a vendor gives back. `None` for what is none of ours.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (key, number) = match text.split_once('#') {
            Some((key, number)) => (key, number.parse().ok().filter(|number| (1..=MOST).contains(number))?),
            None => (text, 1),
        };
        ChatKey::read(key)?;
        Some(Self { key: ChatKey::from_stored(key), number })
    }

    fn row(&self) -> String {
        format!("{}#{}", self.key, self.number)
    }

    /// As the vendor is to be told it; `None` for the plain key.
    pub(crate) fn further(&self) -> Option<String> {
        (self.number > 1).then(|| self.row())
    }
}

/// The names of the chat at a vendor that was used last. `None` where there is none (any more): it has to be opened.
pub async fn chat_ids(
    store: &dyn Store,
    bot: BotId,
    connection: ConnectionId,
    chat: &ChatKey,
) -> Result<Option<ChatIds>, ReadError> {
    let scope = LinkScope::Connection(connection);
    let Some(last) = store.find_link(bot, scope, chat.to_string()).await? else { return Ok(None) };
    let who = store.find_link(bot, scope, format!("{chat}@")).await?;
    let (number, person) = who.as_ref().map_or((1, ""), |link| {
        let (number, person) = link.theirs.split_once('\n').unwrap_or(("1", ""));
        (number.parse().unwrap_or(1), person)
    });
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let name = ChatName { key: chat.clone(), number };
    Ok(Some(ChatIds { ours: name.further(), chat: some(&last.theirs), person: some(person) }))
}

/// What is to be committed when a chat at a vendor was opened or used.
pub fn remember_chat(connection: ConnectionId, chat: &ChatKey, ids: &ChatIds, at: Timestamp) -> Vec<Fact> {
    let number = ids.ours.as_deref().and_then(ChatName::read).map_or(1, |name| name.number);
    let theirs = ids.chat.clone().unwrap_or_default();
    let who = format!("{number}\n{}", ids.person.as_deref().unwrap_or_default());
    let name = ChatName { key: chat.clone(), number };
    [(name.row(), theirs.clone()), (chat.to_string(), theirs), (format!("{chat}@"), who)]
        .into_iter()
        .map(|(ours, theirs)| Fact::Link(Link { scope: LinkScope::Connection(connection), ours, theirs, at }))
        .collect()
}

/// Which chat of a bot's one of the vendor's is, as far as it was remembered.
pub(crate) async fn where_is(
    store: &dyn Store,
    bot: BotId,
    connection: ConnectionId,
    theirs: &str,
) -> Result<Option<ChatName>, ReadError> {
    if theirs.is_empty() {
        return Ok(None);
    }
    let links = store.list_links(bot, LinkScope::Connection(connection), theirs.to_owned(), LINKS).await?;
    Ok(links.iter().filter(|link| link.ours.contains('#')).find_map(|link| ChatName::read(&link.ours)))
}

impl ChatName {
    /// The name for another chat at a vendor of somebody who may have some already.
    pub(crate) async fn another(
        store: &dyn Store,
        bot: BotId,
        connection: ConnectionId,
        key: ChatKey,
    ) -> Result<Self, ReadError> {
        let scope = LinkScope::Connection(connection);
        for number in 1..MOST {
            let name = Self { key: key.clone(), number };
            if store.find_link(bot, scope, name.row()).await?.is_none() {
                return Ok(name);
            }
        }
        Ok(Self { key, number: MOST })
    }
}

/// Chats that were used since then, the latest first, at most `limit`; and whether there are more.
pub(crate) async fn recent_chats(
    store: &dyn Store,
    bot: BotId,
    connection: ConnectionId,
    since: Timestamp,
    limit: usize,
) -> Result<(Vec<(ChatName, ChatIds)>, bool), ReadError> {
    // Three links a chat; those of one chat have one time.
    let links = store.list_recent_links(bot, connection, since, limit.saturating_mul(3) + 1).await?;
    let more = links.len() > limit.saturating_mul(3);
    let chats = links
        .into_iter()
        .filter(|link| link.ours.contains('#') && !link.theirs.is_empty())
        .filter_map(|link| {
            let name = ChatName::read(&link.ours)?;
            let ids = ChatIds { ours: name.further(), chat: Some(link.theirs), person: None };
            Some((name, ids))
        })
        .take(limit)
        .collect();
    Ok((chats, more))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_which_chat_of_which_client_it_is() {
        let bot = BotId::new(777).unwrap();
        let key = ChatKey::of(bot, None, 1001);
        let name = |text: &str| ChatName::read(text);
        assert_eq!(name("tg:777:1001"), Some(ChatName { key: key.clone(), number: 1 }));
        assert_eq!(name("tg:777:1001#1").unwrap().further(), None);
        assert_eq!(name("tg:777:1001#2").unwrap().further().as_deref(), Some("tg:777:1001#2"));
        assert_eq!(name("tg:777:bc:1001#9").unwrap().key, ChatKey::of(bot, Some("bc"), 1001));
        for strange in ["", "tg:777:1001#", "tg:777:1001#0", "tg:777:1001#10", "tg:777:1001#x", "wa:1#2"] {
            assert_eq!(name(strange), None, "{strange}");
        }
    }
}
