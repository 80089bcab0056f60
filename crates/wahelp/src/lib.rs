//! Wahelp, and its sister brand message.help, as a [`tandem_vendor::Vendor`].
//!
//! Wahelp connects messengers (one *channel* each) to a CRM. Its API sends messages of a channel to people and tells by
//! a webhook what was said there. There is **no** way to record something a client said elsewhere: whatever is told
//! goes out to the client as a message of the channel, and a CRM that is linked to the channel shows it as ours.
//!
//! Numbers in parentheses are sections of the project's reference of Wahelp. Nothing was ever tried on a live account;
//! what is a guess there is a setting here ([`ConnectionDocument`]), and words that nobody knows are counted and shown.
//!
//! Pure and tested by tables: answers (`envelope`), hooks (`hook`, `news`), words (`words`), times (`time`), texts (`text`),
//! bodies (`form`). What talks: `api` with `login`, `channels`, `users`. What is done in an account: `account`.
//!
//! Not here: what is told and when, and what becomes of failures; the bridge decides that.

mod account;
mod api;
mod channels;
mod connection;
mod document;
mod envelope;
mod form;
mod hook;
mod login;
mod news;
mod pace;
mod route;
mod text;
mod time;
mod users;
mod vendor;
mod words;

pub use document::{
    ChannelDocument, ChannelKind, ConnectionDocument, PaceDocument, TelegramId, WordsDocument, secret,
};
pub use hook::{Messages, Row, read_hook};
pub use vendor::Wahelp;
