//! The guard (DESIGN section 7): notices that somebody else takes a bot's stream, names him, answers by policy, and
//! counts what went past.
//!
//! - **Noticing.** Where we ask for updates, a 409 says it, and one look says who ([`meet`]). Where they are posted to
//!   us, [`watch`] looks at all bots in turn, and sooner at one that is oddly quiet. All calls of the guard together
//!   keep one [`pace`].
//! - **Naming.** By the host of the webhook, as `adopt` does ([`whose`]); of a program that polls nothing is known.
//! - **Answering.** [`decide`] is the rule; [`keep`] says to whom what he took is handed on from now on; [`meet`]
//!   commits both, then takes the stream back with our own kinds and nothing dropped.
//! - **Counting.** [`numbers`] finds what is missing among `update_id`s; [`holes`] notes it in the journal, once each.
//!
//! It does nothing by itself but look: what is done is done by the bot's own intake, one step at a time, so that a
//! bot that is stopped, released or adopted has nobody else's hand on its stream.

mod decide;
mod holes;
mod keep;
mod marks;
mod meet;
mod memory;
mod numbers;
mod operate;
mod pace;
mod view;
pub(crate) mod watch;
mod whose;

pub use marks::GuardMark;
pub use view::{GuardCounters, GuardState, GuardView, WentPast};

pub(crate) use self::{
    meet::{LOOK_AGAIN, Met, Stream},
    memory::Memory,
    pace::Pace,
    whose::Whose,
};
