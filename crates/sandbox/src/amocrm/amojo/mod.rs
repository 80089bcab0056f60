//! amojo, the chat service behind amoCRM, as a channel's integration meets it (reference 1 and 2).
//!
//! Requests are authorised by signature alone; what a manager writes goes out as signed hooks, once each. A
//! message is accepted with 200 and shown a moment later; files and avatars are fetched by plain GET, and what is
//! wrong with them is a complaint that the control API shows.
//!
//! Where the reference knows nothing, `docs/sandbox-amocrm.md` says what was chosen.

mod accept;
mod answer;
mod cards;
pub(crate) mod channel;
pub(crate) mod chat;
mod chats;
mod complaint;
mod connect;
mod directory;
mod edit;
mod event;
mod fetch;
pub(crate) mod fields;
mod gate;
pub(crate) mod given;
mod history;
pub(crate) mod hook;
pub(crate) mod manager;
mod outbox;
mod process;
pub(crate) mod sign;
mod signals;
mod status;

use std::collections::BTreeMap;

pub(crate) use self::channel::Channel;
use self::complaint::Complaints;
use self::directory::Directory;
pub(crate) use self::gate::serve;
use self::outbox::Outbox;
pub(crate) use self::process::{Work, worker};

/// What amojo keeps beside the account's cards.
#[derive(Debug, Default)]
pub(crate) struct Amojo {
    pub(crate) channels: BTreeMap<String, Channel>,
    directory: Directory,
    pub(crate) outbox: Outbox,
    pub(crate) complaints: Complaints,
}

impl Amojo {
    /// The channel of a chat, by the chat's own word for it.
    pub(crate) fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.get(id)
    }
}
