//! A Telegram Bot API server: what a bot talks to, and the world of people and chats behind it.
//!
//! The server core (addresses, request forms, envelope, `getUpdates`, webhooks, files, faults) follows
//! `reference/telegram.md` sections 1 to 3; the world and the methods that show something in a chat are in
//! `world` and `methods`.

mod allowed;
mod bot;
mod dispatch;
mod envelope;
mod error;
mod faults;
pub(crate) mod files;
mod http;
mod kinds;
mod lifecycle;
pub(crate) mod methods;
pub(crate) mod params;
mod polling;
mod queue;
mod record;
pub(crate) mod schema;
mod server;
mod token;
mod webhook;
pub(crate) mod world;

pub use bot::{Bot, Pushed, RawUpdateError};
pub use error::ApiError;
pub use faults::{Fault, FaultBody, FaultError, FaultSpec, When};
pub(crate) use http::serve;
pub use record::{CallRecord, Delivered, UpdateRecord};
pub(crate) use server::Settings;
pub use server::{CreateBotError, ErrorStyle, NewBot, Telegram};
