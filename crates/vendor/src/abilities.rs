//! What differs between vendors in what they can do.

/// What an account can do. Whatever it cannot the bridge does without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Whether a message that is told again is recognised.
    pub repeats: Recognition,
    /// Whether something can be told for the history alone.
    pub history: History,
    /// What becomes of a manager's words for somebody whom no bot knows.
    pub strangers: Strangers,
}

/// Whether a vendor recognises what it has had already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recognition {
    /// By our key of it: it can be told again.
    ByKey,
    /// Not at all: nothing is told twice, and of what was told last nobody may ever know whether it arrived.
    None,
}

/// Whether a vendor takes what is told silently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// It does, and new messages may be changed and reacted to afterwards.
    Kept,
    /// Whatever is told is sent to somebody: what was said before a chat is opened, edits and reactions stay away.
    None,
}

/// What becomes of what a manager writes to somebody whom no bot knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strangers {
    /// He meant a bot: he is told that nobody got it.
    Reported,
    /// Most of the vendor's clients have nothing to do with any bot: nothing follows.
    Ordinary,
}

impl Abilities {
    /// Everything can be done.
    pub const ALL: Self =
        Self { repeats: Recognition::ByKey, history: History::Kept, strangers: Strangers::Reported };
}
