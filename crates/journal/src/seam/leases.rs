//! Who owns which bots. A bot has one owner at a time (DESIGN section 10); owners are found by shard.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use tandem_model::{BotId, Fence, Timestamp};

use crate::{LeaseError, ReadError, WriteError};

/// One of the 256 parts into which bots are divided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u8);

impl Shard {
    /// How many there are. Never changes.
    pub const COUNT: usize = 256;

    /// The shard with this number.
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The shard a bot belongs to. Never changes.
    pub fn of(bot: BotId) -> Self {
        Self(bot.get().to_le_bytes()[0])
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).map(Self)
    }

    /// Its number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shard({})", self.0)
    }
}

/// The right to write for the bots of a shard. Valid for writes until somebody else acquires the shard, even
/// past its time: time decides only about who may acquire it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The shard.
    pub shard: Shard,
    /// Grows with every owner.
    pub fence: Fence,
}

/// Who has a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseHolder {
    /// The lease.
    pub lease: Lease,
    /// The name that was given.
    pub holder: String,
    /// When it ends unless it is renewed.
    pub ends_at: Timestamp,
}

/// Leases, by the store's clock.
#[async_trait]
pub trait Leases: Send + Sync {
    /// Takes those of the shards that are free, have ended, or belong to the same holder (who may have been
    /// restarted), each with a new fence. Returns what it got: maybe fewer than asked for.
    async fn acquire(
        &self,
        shards: Vec<Shard>,
        holder: String,
        ttl: Duration,
    ) -> Result<Vec<Lease>, WriteError>;

    /// Lengthens all of them, counted from now, or none and says which one is lost.
    async fn renew(&self, leases: Vec<Lease>, ttl: Duration) -> Result<(), LeaseError>;

    /// Gives them up, so that the next owner need not wait; those that are lost already are passed over. Fences go
    /// on growing from where they were.
    async fn release(&self, leases: Vec<Lease>) -> Result<(), WriteError>;

    /// Who has what; shards that nobody has are missing.
    async fn list_leases(&self) -> Result<Vec<LeaseHolder>, ReadError>;
}
