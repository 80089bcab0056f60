//! Why a database could not be opened. The operator reads these: each says what to do.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::fault::Fault;
use crate::Cause;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "{} is in use by another process{}; stop it first, or give this one another file",
        path.display(),
        process.map(|id| format!(" ({id})")).unwrap_or_default()
    )]
    Locked {
        /// The database.
        path: PathBuf,
        /// The other process, where it has said so.
        process: Option<u32>,
    },
    /// It was written by a later version.
    #[error(
        "{} was written by a newer version (its schema is {found}, this version knows up to {known}); \
         run that version again, or restore a backup from before the upgrade",
        path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The latest we know.
        known: i64,
    },
    /// It is something else.
    #[error("{} is a database of another program; give this one another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// What is stored is not what was written.
    #[error("{} is damaged: {what}; restore it from a backup", path.display())]
    Corrupt {
        /// The database.
        path: PathBuf,
        /// Where.
        what: String,
    },
    /// It cannot be written.
    #[error(
        "{} cannot be written: give this user the right to write the file and its directory, \
         and see that the file system is not mounted read-only",
        path.display()
    )]
    ReadOnly {
        /// The database.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("{} cannot be opened because its disk is full: free some space", path.display())]
    Full {
        /// The database.
        path: PathBuf,
    },
    /// Anything else.
    #[error("{} cannot be opened: see that its directory exists and can be read", path.display())]
    Failed {
        /// The database.
        path: PathBuf,
        /// Why.
        #[source]
        source: Cause,
    },
}

impl OpenError {
    pub(super) fn of_io(path: &Path, error: io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Failed { path, source: Cause::new(error) },
        }
    }

    pub(super) fn of_fault(path: &Path, fault: Fault) -> Self {
        let path = path.to_owned();
        match fault {
            Fault::Full => Self::Full { path },
            Fault::ReadOnly => Self::ReadOnly { path },
            Fault::Corrupt(what) => Self::Corrupt { path, what },
            Fault::Other(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                Self::Locked { path, process: None }
            }
            Fault::Failed(reason) => Self::Failed { path, source: Cause::new(reason) },
            Fault::Io(error) | Fault::Other(error) => {
                Self::Failed { path, source: Cause::new(error.to_string()) }
            }
        }
    }
}
