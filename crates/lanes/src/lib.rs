//! Ordered durable delivery: every lane gets every event its filter lets through, in order, until it has everything.
//!
//! [`Lanes`] is all of it. **Push lanes** hand events to a [`Destination`] and act on its verdicts: the cursor, what is held, retries,
//! pauses, probes, replays. **Pull lanes** answer whoever comes and asks, with the offsets of Telegram's `getUpdates`.
//! A lane is one or the other at a time, and can be switched: it is pushed while it is attached.
//!
//! **Promises** (DESIGN section 2): order per key; one failing conversation does not stop another, nor one failing
//! lane another lane; a destination that cannot recognise a repeat gets none by itself; what was confirmed does not
//! come back. An idle lane has no task and no timer. Memory is bounded by [`Config`], not by the backlog.
//!
//! **Does not** know Telegram or a CRM, nor look into an event's body.

mod core;
mod destination;
mod gate;
mod ladder;
mod metrics;
mod operate;
mod pull;
mod push;
mod reading;
mod registry;
mod shared;
mod spec;
mod worker;

pub use destination::{Delivered, Destination, LaneAddress, Run};
pub use ladder::{Between, Ladder};
pub use metrics::METRICS;
pub use operate::{Answer, OperateError, ReplayMode, Replayed};
pub use pull::{Pull, PullError};
pub use push::{AttachError, DetachError, Lanes, Waker};
pub use shared::LeaseSource;
pub use spec::{Config, OrderBy, PushSpec, Repeats};
