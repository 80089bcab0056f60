//! Why the service could not be opened.

use std::io;

use tandem_bridge::{OpenError, OwnershipError};
use tandem_journal::{SealError, sqlite};
use tandem_telegram::upstream::{ProxyError, ServerBaseError, SetUpError};

use crate::{Failure, control::SocketError, failure::chain};

/// Why the service could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The database. Its own sentence says what to do.
    #[error(transparent)]
    Store(#[from] sqlite::OpenError),
    /// The key file.
    #[error("the key that seals secrets is not at hand")]
    Key(#[source] SealError),
    /// The right to write.
    #[error("the database cannot be taken into use")]
    Ownership(#[source] OwnershipError),
    /// An address of Telegram's.
    #[error("telegram.{key} is no address of a Bot API server")]
    Base {
        /// Which key.
        key: &'static str,
        /// Why.
        #[source]
        source: ServerBaseError,
    },
    /// The proxy.
    #[error("telegram.proxy is no proxy")]
    Proxy(#[source] ProxyError),
    /// The public address.
    #[error("server.public_url is no address that Telegram can post to")]
    PublicUrl(#[source] tandem_bridge::PublicUrlError),
    /// The client for Telegram.
    #[error("Telegram's server cannot be spoken to")]
    Upstream(#[source] SetUpError),
    /// The clients for CRMs.
    #[error("the servers of CRMs cannot be spoken to")]
    Vendors(#[source] tandem_amocrm::SetUpError),
    /// What the store holds.
    #[error("the bots cannot be read")]
    Bridge(#[source] OpenError),
    /// A part of the service ended that should not.
    #[error("{part} ended by itself, so everything was stopped")]
    Part {
        /// Which.
        part: &'static str,
    },
    /// The disk failed the store, which takes nothing more until it is opened again.
    #[error("the disk failed the database, so everything was stopped: {reason}")]
    StoreFailed {
        /// In the database's words.
        reason: String,
    },
    /// The threads that serve apps.
    #[error("cannot start threads")]
    Threads(#[source] io::Error),
    /// The control socket.
    #[error(transparent)]
    Control(#[from] SocketError),
}

impl RunError {
    /// For a person: what happened, and what to do.
    pub fn failure(&self) -> Failure {
        let what_to_do = match self {
            Self::Store(sqlite::OpenError::Locked { .. }) => {
                return Failure::new(
                    chain(self),
                    "Two of them would deliver everything twice. Commands such as `tandem status` work beside it.",
                );
            }
            Self::Store(_) => return Failure::of(self),
            Self::Key(SealError::KeyFile { .. }) => {
                "See that security.key_file names a file that this user can read, in a directory it can write."
            }
            Self::Key(_) => {
                "Restore the key file from a backup: without it the stored tokens cannot be opened."
            }
            Self::Ownership(_) => {
                "See that no other Tandem uses this database, and start again in half a minute."
            }
            Self::Base { .. } | Self::Proxy(_) | Self::PublicUrl(_) => {
                "Correct it in the settings; `tandem config show` prints those in force."
            }
            Self::Upstream(_) | Self::Vendors(_) => {
                "Install the certificates of the system's authorities (Debian: ca-certificates), or set SSL_CERT_FILE."
            }
            Self::Bridge(_) => {
                "If the database is damaged, restore it from a backup made by `tandem backup`."
            }
            Self::Part { .. } => "Start it again; if this repeats, report it with the log.",
            Self::StoreFailed { .. } => {
                "Look at the disk and the system's log, then start it again: what was acknowledged is read back from the disk."
            }
            Self::Threads(_) => "Raise the limit of this user's processes.",
            Self::Control(_) => {
                "See that the database's directory can be written and that its path has fewer than 100 characters."
            }
        };
        Failure::new(chain(self), what_to_do)
    }
}
