//! The words of Tandem (DESIGN section 1) as types: ids, events, conversations, filters, verdicts, held states.
//!
//! Nothing here performs I/O, knows a database, HTTP, Telegram or a CRM. Time and randomness come in through
//! [`Clock`] and [`Rng`], so that whatever is built on these words can be run with a frozen clock and one seed.

mod clock;
mod event;
mod filter;
mod ids;
pub mod message;
mod rng;
mod verdict;

pub use clock::{Clock, Timestamp, Wait};
pub use event::{
    Conversation, Event, EventKind, Family, Flags, Lifetime, NewEvent, OrderKey, Topic, Upstream,
};
pub use filter::{Authorship, EventKinds, Filter, Topics};
pub use ids::{BotId, ConnectionId, Fence, IdError, LaneId, Seq, SourceId, UpstreamId, UserId, VirtualId};
pub use rng::{Rng, SeededRng};
pub use verdict::{Attempt, Blame, Held, HeldState, PauseReason, Verdict};
