//! What must not be lost while the owner of its bot cannot be asked: a CRM's hook, Telegram's answer to a send.
//! Whoever has it commits it here; the owner makes events of it and consumes it in the same commit
//! ([`Append::inbox`](super::Append)).

use async_trait::async_trait;
use bytes::Bytes;
use tandem_model::{BotId, Timestamp};

use super::Shard;
use crate::{ReadError, WriteError};

/// An entry of the inbox. Grows with every entry of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InboxId(pub i64);

/// Something for a bot's owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInboxEntry {
    /// Whose.
    pub bot: BotId,
    /// What it is and where from, for whoever takes it out: a word of its owner's choosing.
    pub source: String,
    /// What came.
    pub body: Bytes,
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEntry {
    /// Its number.
    pub id: InboxId,
    /// When it came, by the store's clock.
    pub at: Timestamp,
    /// What was put.
    pub entry: NewInboxEntry,
}

/// The inbox. Writing needs no lease: that is what it is for.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Commits all of them, in order.
    async fn put_inbox(&self, entries: Vec<NewInboxEntry>) -> Result<Vec<InboxId>, WriteError>;

    /// The oldest entries of a shard after `after`.
    async fn list_inbox(
        &self,
        shard: Shard,
        after: Option<InboxId>,
        limit: usize,
    ) -> Result<Vec<InboxEntry>, ReadError>;
}
