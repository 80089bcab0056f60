//! A vendor's message id and ours: only what cannot be computed (DESIGN section 3).

use async_trait::async_trait;
use tandem_model::{BotId, ConnectionId, LaneId, Timestamp};

use super::Lease;
use crate::{ReadError, WriteError};

/// Where a vendor's ids are unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkScope {
    /// Within what one lane speaks to.
    Lane(LaneId),
    /// Within an account at a vendor.
    Connection(ConnectionId),
    /// Within the bot: a poll and the chat it was sent to.
    Bot,
}

/// Two ids of the same thing. One of ours has one of theirs; one of theirs can have several of ours (an album).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where `theirs` is unique.
    pub scope: LinkScope,
    /// Our id, as its owner writes it.
    pub ours: String,
    /// The vendor's.
    pub theirs: String,
    /// When it became known; retention counts from here.
    pub at: Timestamp,
}

/// Links. They are also written as a [`Fact`](super::Fact) of an append or a settlement.
#[async_trait]
pub trait Links: Send + Sync {
    /// Writes them all; one that exists for `ours` is replaced.
    async fn put_links(&self, lease: Lease, bot: BotId, links: Vec<Link>) -> Result<(), WriteError>;

    /// The link of one of our ids.
    async fn find_link(&self, bot: BotId, scope: LinkScope, ours: String) -> Result<Option<Link>, ReadError>;

    /// The links of one of theirs, oldest first; at most `limit`.
    async fn list_links(
        &self,
        bot: BotId,
        scope: LinkScope,
        theirs: String,
        limit: usize,
    ) -> Result<Vec<Link>, ReadError>;

    /// The links within an account at a vendor that became known at `since` or later, newest first; at most `limit`.
    async fn list_recent_links(
        &self,
        bot: BotId,
        connection: ConnectionId,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Link>, ReadError>;
}
