//! What ties Telegram, the journal, the gateway and the CRMs together.
//!
//! [`Bridge`] takes bots' updates in, keeps who held their streams before as routes, and delivers to those routes.
//! Routes plug in by one trait, [`Connector`]; the relay to a foreign webhook, which is also how amoCRM's built-in
//! integration is served, is built in. Vendors that are spoken to message by message are known by the seam of
//! `tandem-vendor`: [`connections`] keeps their accounts, and what they post is heard and committed here.
//!
//! **Promises** (DESIGN section 2): no update is confirmed to Telegram before it is committed; a route gets
//! Telegram's own bytes; one bot's trouble is no other bot's; no token, secret or address with one is in any log,
//! error or status.
//!
//! **Does not** speak to apps (the gateway does), keep anything outside the store, or read settings files.

mod adopt;
pub mod apply;
mod bots;
mod bridge;
mod chats;
mod companion;
pub mod connections;
mod connector;
pub mod doctor;
mod documents;
mod guard;
mod hooks;
mod intake;
mod media;
pub mod operations;
mod ownership;
mod parts;
mod relay;
mod release;
mod replies;
pub mod rules;
pub mod secrets;
mod status;
mod sync;
mod turns;
mod upkeep;

pub use bots::ChangeError;
pub use bridge::{Bridge, OpenError};
pub use companion::UnknownChatView;
pub use connections::{ConnectionState, ConnectionView, Connections, Unusable};
pub use connector::{ConnectError, Connected, Connector, RouteSetting};
pub use documents::{
    AdoptStep, BotDocument, BotPhase, ChannelDocument, CompanionDocument, ConnectionDocument, GuardDocument,
    GuardPolicy, Holder, HolderKind, NewLeads, PersonalAccount, RouteDocument, RouteKind, RouteMode,
    StoodDown, Taken, Taker, UpstreamMode, WahelpDocument, WahelpEncoding, WahelpFiles, WithoutRest,
};
pub use guard::{GuardCounters, GuardMark, GuardState, GuardView, WentPast};
pub use hooks::METRICS;
pub use intake::StreamError;
pub use media::Media;
pub use ownership::{Ownership, OwnershipError};
pub use parts::{Config, Parts, PublicUrl, PublicUrlError};
pub use replies::{FileConfig, FileRule, ReplyMark, button_of};
pub use status::{BotStatus, IntakeState, IntakeStatus};
pub use sync::SyncError;
pub use tandem_model::message::Language;
