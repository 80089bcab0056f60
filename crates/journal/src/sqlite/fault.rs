//! What SQLite's errors mean for a verb and for the connection it ran on.

use std::sync::Arc;

use rusqlite::{ErrorCode, ffi};

use crate::{Cause, ReadError, WriteError};

/// An error of SQLite, sorted by what has to be done.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// No space on the disk.
    Full,
    /// The file cannot be written.
    ReadOnly,
    /// What is stored is not what was written.
    Corrupt(String),
    /// The disk failed. After a failed fsync nobody knows what has reached it, and asking again would be told
    /// "all is well" by kernels that have dropped the pages: the connection must not be used any more.
    Io(Arc<rusqlite::Error>),
    /// The disk has failed before.
    Failed(String),
    /// Anything else: locked by somebody, out of memory.
    Other(Arc<rusqlite::Error>),
}

impl Fault {
    /// A row that does not fit.
    pub(super) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }

    pub(super) fn to_read_error(&self) -> ReadError {
        match self {
            Self::Corrupt(what) => ReadError::Corrupt { what: what.clone() },
            Self::Full => ReadError::Unavailable(Cause::new("the disk is full")),
            Self::ReadOnly => ReadError::Unavailable(Cause::new("the database is read-only")),
            Self::Failed(reason) => ReadError::Unavailable(Cause::new(reason.clone())),
            Self::Io(error) | Self::Other(error) => ReadError::Unavailable(Cause::new(Shared(error.clone()))),
        }
    }

    pub(super) fn to_write_error(&self) -> WriteError {
        match self {
            Self::Corrupt(what) => WriteError::Corrupt { what: what.clone() },
            Self::Full => WriteError::Full,
            Self::ReadOnly => WriteError::ReadOnly,
            Self::Failed(reason) => WriteError::Unavailable(Cause::new(reason.clone())),
            Self::Io(error) | Self::Other(error) => {
                WriteError::Unavailable(Cause::new(Shared(error.clone())))
            }
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, _) = &error else {
            // What remains is a value of another type than the column's, text that is not UTF-8, a row that is
            // missing: none of it can come from what we have written.
            return Self::Corrupt(error.to_string());
        };
        match failure.code {
            // Growing the shared memory of the write-ahead log fails this way on a full disk.
            _ if failure.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            ErrorCode::DiskFull => Self::Full,
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Self::ReadOnly,
            // Our SQL is fixed and every constraint is checked before it can be hit, so that a statement that
            // "cannot be right" means that the schema or a row is not what we have written.
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::Unknown
            | ErrorCode::TypeMismatch
            | ErrorCode::TooBig
            | ErrorCode::ConstraintViolation => Self::Corrupt(error.to_string()),
            ErrorCode::SystemIoFailure => Self::Io(Arc::new(error)),
            _ => Self::Other(Arc::new(error)),
        }
    }
}

/// One error for everybody whose write was in the commit.
#[derive(Debug)]
struct Shared(Arc<rusqlite::Error>);

impl std::fmt::Display for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Shared {}

/// Why one job did not do its work.
#[derive(Debug)]
pub(super) enum Abort<E> {
    /// It was refused and has changed nothing: the others in the commit go on.
    Refuse(E),
    /// The commit cannot go on as it is.
    Fault(Fault),
}

impl<E> From<rusqlite::Error> for Abort<E> {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(error.into())
    }
}

impl<E> From<Fault> for Abort<E> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
