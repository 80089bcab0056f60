//! The store's verbs, one trait per subject. All of them are safe to cancel in this sense: a write whose future is
//! dropped has either happened or not, and never in part.

mod commits;
mod events;
mod inbox;
mod lanes;
mod leases;
mod links;
mod people;
mod secrets;
mod settings;
mod upkeep;

pub use commits::CommitSpread;
pub use events::{
    Append, Appended, Events, Fact, Head, JournalPage, LanePage, Order, Outline, OutlinePage, Page, Urgency,
};
pub use inbox::{Inbox, InboxEntry, InboxId, NewInboxEntry};
pub use lanes::{
    Haste, HeldCounts, HeldStates, Lane, LaneFault, LaneGlance, LaneKind, LaneState, Lanes, Lost, NewLane,
    Passed, Settlement, Start, Survey,
};
pub use leases::{Lease, LeaseHolder, Leases, Shard};
pub use links::{Link, LinkScope, Links};
pub use people::{ContactLink, HandOff, People, Person, PersonChange, Presence, StartSource};
pub use secrets::{SecretOwner, Secrets};
pub use settings::{App, Bot, Connection, Document, Revision, Route, Settings, SettingsChange};
pub use upkeep::{Health, LaneReads, Retention, Stats, Swept, Upkeep, Vacuumed};

/// Everything a store can do. Users hold an `Arc<dyn Store>` and ask for the part they need by upcasting
/// (`Arc<dyn Events>`).
pub trait Store:
    Events + Lanes + Links + People + Settings + Secrets + Leases + Inbox + Upkeep + std::fmt::Debug
{
}
