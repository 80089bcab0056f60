//! What is stored of bots, connections and routes, as JSON documents of the settings. Secrets are not in them but beside them,
//! sealed ([`crate::secrets`]). An unknown field is an error: a newer version wrote it, and it must not be lost.

mod bot;
mod channel;
mod companion;
mod connection;
mod guard;
mod holder;
mod route;
mod wahelp;

pub use bot::{AdoptStep, BotDocument, BotPhase, UpstreamMode};
pub use channel::{ChannelDocument, NewLeads, WithoutRest};
pub use companion::CompanionDocument;
pub use connection::ConnectionDocument;
pub use guard::{GuardDocument, GuardPolicy, StoodDown, Taken, Taker};
pub use holder::{Holder, HolderKind};
pub use route::{RouteDocument, RouteKind, RouteMode};
pub use wahelp::{PersonalAccount, WahelpDocument, WahelpEncoding, WahelpFiles};
