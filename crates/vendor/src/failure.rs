//! What can go wrong at a vendor, by what follows from it.

use std::time::Duration;

use tandem_model::{Blame, PauseReason};

/// Something that was asked of a vendor did not happen, or may not have happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Failure {
    /// What follows.
    pub kind: FailureKind,
    /// For people: bounded, without secrets.
    pub words: String,
}

/// What follows from a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// Nothing came of it; the same can be asked again.
    Later {
        /// The vendor's own wish; otherwise the lane's ladder decides.
        after: Option<Duration>,
        /// Whose fault it was.
        blame: Blame,
    },
    /// The answer was lost: it may have happened.
    Lost {
        /// Whose fault it was.
        blame: Blame,
    },
    /// The vendor will never take it.
    Refused,
    /// Nobody can be meant before the client shares his phone number: his conversation waits for it.
    NoPhone,
    /// The vendor does not know the chat or the person that was meant (any more).
    Gone,
    /// Nothing at all can be done in this account until somebody acts.
    Stop(PauseReason),
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into() }
    }
}
