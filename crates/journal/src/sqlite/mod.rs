//! The engine that needs no set-up: one SQLite file.
//!
//! **How it works.** One thread writes: it takes everything that waits (fairly among bots, a bounded amount of each),
//! commits once, and answers everybody (`writer`). A few threads read, each verb on a snapshot (`readers`). The
//! log is write-ahead with `synchronous = FULL`, so a commit that was answered is on the disk. Each row carries a
//! checksum that is verified when it is read, and the file's structure is checked as a whole when it is opened (a
//! large file: while it is in use already).
//!
//! **Promises** what the [seam](crate) promises, for one process at a time (`lock`).
//!
//! **Does not** notice on reading that the disk has hidden an entry of an index: the check of the whole does. Does
//! not go on after the disk has failed a write: it must be opened again (`writer`).
//!
//! Refused: a connection pool for writers (they would only wait for each other's locks), statements one by one (a
//! seventh of the speed), a row for each lane and event (cost by lanes), a clustered table without row id (slower
//! by a tenth, see docs/decisions/0002-journal-table-layout.md).

mod append;
mod connection;
mod counters;
mod disk;
mod event_rows;
mod facts;
mod fault;
mod filters;
mod held;
mod inbox;
mod job;
mod journals;
mod lane_rows;
mod lanes;
mod leases;
mod links;
mod lock;
mod log_scan;
mod migrations;
mod open_error;
mod options;
mod outline;
mod people;
mod queue;
mod read;
mod readers;
mod secrets;
mod settings;
mod store;
mod sums;
mod survey;
mod sweep;
mod upkeep;
mod writer;
mod writing;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

pub use open_error::OpenError;
pub use options::{DiskSpace, FileSystem, Options, Synchronous, Waiting, Watermarks};
pub use store::SqliteStore;

/// A file of ours that stands beside the database.
fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
