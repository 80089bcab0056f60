//! Two programs of the owner's, as a bot library would make them: one polls, one is posted to. Both answer clients.

pub(crate) mod polling;
pub(crate) mod talk;
pub(crate) mod webhook;
