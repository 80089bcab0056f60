//! Routes that speak to a CRM message by message (modes `channel` and `api`): what the client and the company say is told in one
//! chat there, and its managers are told what became of their replies.
//!
//! How an event goes: the route's rules decide whether it is shown ([`reading`]); its chat is taken in hand, from memory
//! or from the store ([`known`]); if the CRM does not know the chat it is opened with what the company said before
//! ([`opening`]); its client and his card are looked after now and then ([`tending`]); then it is told ([`talk`]). What becomes known (the vendor's names of the chat, a contact) is committed
//! together with the lane's progress, so that either both are true after a crash or neither.
//!
//! **Promises:** in order within a chat, each message once as far as the vendor recognises its key; one chat's trouble is
//! no other's; nothing is told of a chat that is no conversation for the CRM (DESIGN section 6); a company's message is
//! told to nobody as his own. The time of a message is the same on each try ([`times`]).
//!
//! **Does not** know vendors (an [`Account`] does), carry out what managers want, or decide what is shown.

mod connector;
mod destination;
mod earlier;
mod entrance;
mod known;
pub(crate) mod links;
mod names;
mod once;
mod opening;
mod outcome;
mod quotes;
mod reading;
mod talk;
mod tending;
mod times;
mod verdict;

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use tandem_journal::Store;
use tandem_lanes::LeaseSource;
use tandem_model::{BotId, Clock, ConnectionId, UserId, Verdict, message::Attachment};
use tandem_vendor::Account;

pub(crate) use connector::Chats;

/// What all these routes share.
struct Shared {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    accounts: Arc<dyn Accounts>,
    leases: Arc<dyn LeaseSource>,
    media: Arc<dyn MediaLinks>,
    known: known::KnownChats,
}

/// Where accounts are found.
pub(crate) trait Accounts: Send + Sync {
    /// The account to speak to now, or what is to be said of everything that was meant for it.
    fn account(&self, connection: ConnectionId) -> Result<Arc<dyn Account>, Verdict>;
}

/// Where files and pictures are served.
#[async_trait]
pub(crate) trait MediaLinks: Send + Sync {
    /// Where a file can be fetched, if it can be served.
    fn file(&self, bot: BotId, file: &Attachment) -> Option<String>;

    /// Where somebody's picture can be fetched.
    async fn avatar(&self, bot: BotId, user: UserId) -> Option<String>;
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
