//! The durable heart: a journal of events per bot, the lanes that read it, and the little that must be
//! remembered beside it.
//!
//! The crate has these parts:
//! - the **seam** ([`Store`] and the traits it joins): the store's real verbs, each of which takes a batch and is
//!   one commit. What must be true together is one verb; there is no `begin` or `commit` to be seen from above,
//!   because engines group the commits of many callers.
//! - [`sqlite`], the engine that needs no set-up, and [`tail`], which any engine can use for lanes that keep up;
//! - `conformance` (feature `conformance`): the cases that every engine has to pass.
//!
//! **Promises.** A verb that writes returns `Ok` only after its commit has reached the disk. A verb that fails has
//! changed nothing, with one exception that every store has: when the answer is lost ([`WriteError::Unavailable`]),
//! the commit may or may not have happened, and whoever repeats it must be able to bear that (an append recognises
//! a repeated update, a settlement is the same when made twice). What is read is what was written or an error that
//! says it is damaged.
//!
//! **Does not** deliver anything, know Telegram or a CRM, or look into an event's body. Nothing in it blocks the
//! thread that calls.

#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod sealed;
mod seam;
pub mod sqlite;
pub mod tail;

pub use error::{Cause, LaneError, LeaseError, ReadError, SealError, SettingsError, WriteError};
pub use sealed::{KeyId, SealedSecret, Sealer};
pub use seam::{
    App, Append, Appended, Bot, CommitSpread, Connection, ContactLink, Document, Events, Fact, HandOff,
    Haste, Head, Health, HeldCounts, HeldStates, Inbox, InboxEntry, InboxId, JournalPage, Lane, LaneFault,
    LaneGlance, LaneKind, LanePage, LaneReads, LaneState, Lanes, Lease, LeaseHolder, Leases, Link, LinkScope,
    Links, Lost, NewInboxEntry, NewLane, Order, Outline, OutlinePage, Page, Passed, People, Person,
    PersonChange, Presence, Retention, Revision, Route, SecretOwner, Secrets, Settings, SettingsChange,
    Settlement, Shard, Start, StartSource, Stats, Store, Survey, Swept, Upkeep, Urgency, Vacuumed,
};
