//! The companion of a vendor's built-in integration (routes of mode `native` with a connection): what it adds to the
//! relaying, which goes on as it was.
//!
//! The integration holds the conversation: it gets the client's updates from the relay and sends managers' words to
//! Telegram itself. What goes on there is heard by the account's own hooks, which name chats by ids of the vendor's:
//! whose a chat is becomes known once, when the vendor meets a client ([`Notice::Met`](tandem_vendor::Notice)), or is
//! found out when a chat shows the words that were relayed a moment ago ([`relayed`]). Chats of nobody known are listed
//! ([`unknown`]); nothing is guessed about them.
//!
//! With that, a manager's words are an event of his, his conversation is his ([`crate::hooks`]), and what the bot says is
//! written onto the client's card ([`notes`]).
//!
//! **Promises:** the relay waits for none of it and loses nothing by its failures; memory is bounded.

mod chats;
mod listening;
pub(crate) mod notes;
mod relayed;
mod unknown;

pub use self::unknown::UnknownChatView;
pub(crate) use self::{
    chats::{NativeChat, chat_with, facts as native_facts, whose},
    listening::Listener,
    notes::{Notes, RunningNotes},
    relayed::Relayed,
    unknown::{Doer, UnknownChats},
};
