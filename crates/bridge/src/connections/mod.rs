//! Connections: accounts at vendors, shared by the routes of several bots.
//!
//! A connection is read from the settings and opened with its [`Vendor`](tandem_vendor::Vendor). Nothing is asked of
//! the vendor by that; while the bridge runs, each connection has one task that sees to it that it is connected, again
//! and again by a ladder, and that hooks which were missed are looked for (`hooks`). Changed settings open it
//! anew; whoever uses it asks for the account each time ([`Connections::account`]) and never keeps it.
//!
//! **Promises.** What an account gives to be kept (a refreshed token) is committed before it is used. A connection that
//! was switched off at the vendor is not asked anything until somebody connects it again, over restarts too. Routes of
//! a connection that cannot be used stand still with a reason that says what to do, and go on by themselves afterwards.
//!
//! **Does not** know what a vendor's settings mean.

mod authorize;
mod change;
mod chats;
mod follow;
mod live;
mod operate;
mod registry;
mod safe;
mod task;
mod view;

pub use registry::{Connections, Unusable};
pub use view::{ConnectionState, ConnectionView};

pub(crate) use authorize::Authorizations;
pub(crate) use chats::{ChatName, recent_chats, where_is};
pub use chats::{chat_ids, remember_chat};
pub(crate) use live::{LiveConnection, account_of};
pub(crate) use registry::{CompanionOf, RouteOf};
