//! Whose a chat of the built-in integration is, as it was learned.
//!
//! A link of the bot's journal, within the connection: `native:` and the chat's key on our side, the vendor's name of the
//! chat on theirs. A client has one such chat with a bot; a newer one takes the place of the old. They are kept apart from
//! the chats of channels, to which things are told: nothing can be told to these.

use std::time::Duration;

use tandem_journal::{ContactLink, Fact, Link, LinkScope, ReadError, Store};
use tandem_model::{BotId, ConnectionId, Timestamp, UserId, message::ChatKey};

/// What is known of a chat is noted anew when it is as old as this, so that retention does not take it.
const FRESH: Duration = Duration::from_hours(24);
/// How many links of one chat are looked at.
const LINKS: usize = 4;

const PREFIX: &str = "native:";

/// A chat whose client is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NativeChat {
    pub(crate) bot: BotId,
    pub(crate) user: UserId,
    /// When that was noted last.
    noted: Timestamp,
}

impl NativeChat {
    /// Whether it is to be noted anew.
    pub(crate) fn is_old(&self, now: Timestamp) -> bool {
        now.since(self.noted) > FRESH
    }
}

/// Whose a chat of the vendor's is.
pub(crate) async fn whose(
    store: &dyn Store,
    bot: BotId,
    connection: ConnectionId,
    theirs: &str,
) -> Result<Option<NativeChat>, ReadError> {
    let links = store.list_links(bot, LinkScope::Connection(connection), theirs.to_owned(), LINKS).await?;
    Ok(links.iter().find_map(|link| {
        let (_, business, chat) = ChatKey::read(link.ours.strip_prefix(PREFIX)?)?;
        let user = UserId::new(chat).ok().filter(|_| business.is_none())?;
        Some(NativeChat { bot, user, noted: link.at })
    }))
}

/// The vendor's chat of a client.
pub(crate) async fn chat_with(
    store: &dyn Store,
    bot: BotId,
    connection: ConnectionId,
    user: UserId,
) -> Result<Option<String>, ReadError> {
    let link = store.find_link(bot, LinkScope::Connection(connection), ours(bot, user)).await?;
    Ok(link.map(|link| link.theirs))
}

/// What is to be committed when it is known whose a chat is, and to which contact it belongs.
pub(crate) fn facts(
    bot: BotId,
    connection: ConnectionId,
    user: UserId,
    theirs: &str,
    contact: Option<&str>,
    now: Timestamp,
) -> Vec<Fact> {
    let scope = LinkScope::Connection(connection);
    let link = Link { scope, ours: ours(bot, user), theirs: theirs.to_owned(), at: now };
    let contact = contact.map(|contact| ContactLink { user, connection, contact: contact.to_owned() });
    std::iter::once(Fact::Link(link)).chain(contact.map(Fact::Contact)).collect()
}

fn ours(bot: BotId, user: UserId) -> String {
    format!("{PREFIX}{}", ChatKey::of(bot, None, user.get()))
}
