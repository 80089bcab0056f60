//! Opening connections to the file, with every setting that correctness rests on.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{
    fault::Fault,
    options::{Options, Synchronous},
};

/// Pages of write-ahead log after which they are moved into the database file: 16 MB. SQLite's own 1,000 would
/// write the pages of the conversation index several times as often.
const CHECKPOINT_PAGES: u32 = 4000;
/// What a write-ahead log that has once grown larger is cut back to.
const LOG_LIMIT_BYTES: u32 = 64 << 20;
/// The pages that each connection keeps, in SQLite's words: 2 MiB. What the writer needs again and again (the ends of
/// the trees and their upper pages) is far less, and an index over many conversations is far more than any cache that
/// is worth its memory: with four times as much nothing was faster.
const CACHE_KIB: i64 = -2 * 1024;

/// The one connection that writes. Makes the file when there is none.
pub(super) fn open_writer(options: &Options) -> Result<Connection, Fault> {
    let connection = open(options, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    // Before the first table, or it has no effect.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(Fault::ReadOnly);
    }
    connection.pragma_update(
        None,
        "synchronous",
        match options.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Off => "OFF",
        },
    )?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT_BYTES)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// A connection that reads. The file must exist.
pub(super) fn open_reader(options: &Options) -> Result<Connection, Fault> {
    // Not SQLITE_OPEN_READ_ONLY: the last connection to close would then leave the log behind.
    let connection = open(options, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", "ON")?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn open(options: &Options, flags: OpenFlags) -> Result<Connection, Fault> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let path: &Path = &options.path;
    let connection = match &options.vfs {
        None => Connection::open_with_flags(path, flags)?,
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str())?,
    };
    // Or SQLite would plan for each value that is given to `LIMIT ?`, and prepare the statement anew each time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "cell_size_check", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}
