//! Drives real bot programs and plays the client they talk to.
//!
//! The driver knows two addresses and nothing else of what is behind them: the Bot API that the program is given
//! ([`Stage::api_base`]), and a sandbox's control API, where the client acts and his chat is read. Usually both belong
//! to one sandbox; with a gateway between them the first is the gateway's.

pub(crate) mod bonus;
pub(crate) mod chat;
pub(crate) mod control;
pub(crate) mod conversation;
pub(crate) mod program;
pub(crate) mod weather;

pub(crate) use control::Control;

/// How long a condition may take to come true: start-up of an interpreter on a busy machine is in it.
pub(crate) const LIMIT: std::time::Duration = std::time::Duration::from_secs(45);

/// Where a conversation takes place.
pub(crate) struct Stage {
    /// The Bot API that the program talks to, without a slash at the end.
    pub(crate) api_base: String,
    /// The token that the program is given.
    pub(crate) token: String,
    /// The control API of the sandbox where the client is.
    pub(crate) control: Control,
    /// The bot's id there.
    pub(crate) bot: i64,
}
