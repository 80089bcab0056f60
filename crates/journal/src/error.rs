//! What can go wrong, by what the caller does next. No engine's own error type shows here: it travels as a
//! [`Cause`], for logs.

use std::{error::Error, fmt};

use tandem_model::LaneId;

use crate::{Lease, Revision, Shard};

/// The engine's own error, for the log.
#[derive(Debug)]
pub struct Cause(Box<dyn Error + Send + Sync>);

impl Cause {
    /// Wraps an engine's error.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What is stored is not what was written. Retrying does not help; a person must restore a backup.
    #[error(
        "the database is damaged: {what}; restore it from a backup, or run the integrity check to see how much is hit"
    )]
    Corrupt {
        /// Where, for a person.
        what: String,
    },
    /// It did not work now; it may later.
    #[error("the database could not be read")]
    Unavailable(#[source] Cause),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

/// Why something could not be written. Nothing has been changed, except as said at
/// [`WriteError::Unavailable`].
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another owner has taken the shard: stop everything that is done in its name.
    #[error("{lease:?} is no longer valid: the shard has a newer owner")]
    Fenced {
        /// The lease that was offered.
        lease: Lease,
    },
    /// Too much of this bot is waiting for its commit: come back shortly. Other bots are not concerned.
    #[error("{waiting} writes of this bot are waiting for their commit already")]
    Crowded {
        /// How many wait.
        waiting: usize,
    },
    /// The disk is nearly full, and this can wait where it comes from ([`Urgency::CanWait`](crate::Urgency)).
    #[error("the disk is nearly full: nothing that can wait is taken any more; free some space")]
    LowDisk,
    /// The disk is full.
    #[error("the disk is full: nothing can be stored until space is freed")]
    Full,
    /// The file or its directory cannot be written.
    #[error(
        "the database cannot be written: its file, directory or file system is read-only for this process"
    )]
    ReadOnly,
    /// One event is larger than any store takes. Repeating does not help.
    #[error("an event of {bytes} bytes is larger than the {limit} that can be stored")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// What is stored is not what was written.
    #[error(
        "the database is damaged: {what}; restore it from a backup, or run the integrity check to see how much is hit"
    )]
    Corrupt {
        /// Where, for a person.
        what: String,
    },
    /// The answer of the disk or the database was lost or was an error: **it may or may not have been stored**.
    /// Repeat it once the store is healthy again.
    #[error(
        "the database could not be written; whether this was stored will be known after it is opened again"
    )]
    Unavailable(#[source] Cause),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

/// Why a verb about a lane failed.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// There is no such lane (any more).
    #[error("lane {lane} does not exist")]
    Missing {
        /// The lane.
        lane: LaneId,
    },
    /// The bot has another lane of this name.
    #[error("this bot has a lane named {name:?} already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Why settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Somebody else changed them since they were read: read again.
    #[error("the settings were changed by somebody else: they are at revision {} now", current.0)]
    Stale {
        /// The revision now.
        current: Revision,
    },
    /// It cannot be removed yet.
    #[error("it is still used by {by}")]
    InUse {
        /// By whom.
        by: String,
    },
    /// A change names something that does not exist.
    #[error("{what} does not exist")]
    Missing {
        /// What.
        what: String,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Why a lease could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Somebody else has the shard by now.
    #[error("shard {} was taken over by another owner", shard.get())]
    Lost {
        /// The shard.
        shard: Shard,
    },
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Why a secret could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// It was sealed with a key that is not at hand.
    #[error("this secret was sealed with key {needed}, which is not in the key file")]
    UnknownKey {
        /// The key it needs.
        needed: crate::KeyId,
    },
    /// It was changed, or belongs to another owner.
    #[error("this secret is damaged, or belongs to something else")]
    Damaged,
    /// The key file cannot be read or made.
    #[error("key file {path}")]
    KeyFile {
        /// Which file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The key file has something else in it.
    #[error("key file {path} does not hold keys: {problem}")]
    BadKeyFile {
        /// Which file.
        path: String,
        /// What is wrong with it; never its contents.
        problem: &'static str,
    },
}

impl From<ReadError> for WriteError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Corrupt { what } => Self::Corrupt { what },
            ReadError::Unavailable(cause) => Self::Unavailable(cause),
            ReadError::Closed => Self::Closed,
        }
    }
}
