//! Space, checks and backups.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, params};

use super::{
    beside, connection,
    disk::directory_of,
    event_rows::{self, Header, header_columns},
    fault::Fault,
    options::Options,
};
use crate::{Cause, ReadError, Vacuumed, WriteError};

fn pragma(connection: &Connection, sql: &str) -> Result<u64, Fault> {
    let value: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    u64::try_from(value).map_err(|_range| Fault::corrupt(format!("{sql} says {value}")))
}

/// Bytes of the database file.
pub(super) fn file_bytes(connection: &Connection) -> Result<u64, Fault> {
    Ok(pragma(connection, "PRAGMA page_count")? * pragma(connection, "PRAGMA page_size")?)
}

/// Bytes of the database file, and of them free for reuse.
pub(super) fn sizes(connection: &Connection) -> Result<(u64, u64), Fault> {
    let free = pragma(connection, "PRAGMA freelist_count")? * pragma(connection, "PRAGMA page_size")?;
    Ok((file_bytes(connection)?, free))
}

/// Moves everything from the write-ahead log into the database file and waits until the disk has it.
pub(super) fn empty_log(connection: &Connection) -> Result<(), Fault> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_row| Ok(()))?;
    Ok(())
}

/// Pages, indexes and their agreement, but not the checksums of rows; stops at the first damage.
pub(super) fn check_structure(connection: &Connection) -> Result<(), Fault> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Fault::Corrupt(found)) }
}

/// Gives free pages at the end of the file back.
pub(super) fn vacuum(connection: &Connection, max_bytes: u64) -> Result<Vacuumed, Fault> {
    let page = pragma(connection, "PRAGMA page_size")?;
    let before = file_bytes(connection)?;
    let mut statement =
        connection.prepare(&format!("PRAGMA incremental_vacuum({})", (max_bytes / page).max(1)))?;
    let mut rows = statement.query([])?;
    // Each row is a page that was moved.
    while rows.next()?.is_some() {}
    let (after, left_bytes) = sizes(connection)?;
    Ok(Vacuumed { freed_bytes: before.saturating_sub(after), left_bytes })
}

/// Writes a copy beside the target, makes it durable, and puts it in place.
pub(super) async fn backup(options: &Options, to: PathBuf) -> Result<(), WriteError> {
    let options = options.clone();
    run(move || {
        let part = beside(&to, ".part");
        let name = part.to_str().ok_or_else(|| {
            WriteError::Unavailable(Cause::new(io::Error::from(io::ErrorKind::InvalidFilename)))
        })?;
        if to.exists() {
            return Err(WriteError::Unavailable(Cause::new(io::Error::from(io::ErrorKind::AlreadyExists))));
        }
        // What an interrupted backup has left.
        let _ = fs::remove_file(&part);
        let copied = connection::open_reader(&options)
            .and_then(|connection| {
                // The copy counts as a write.
                connection.pragma_update(None, "query_only", "OFF")?;
                Ok(connection.execute("VACUUM INTO ?1", params![name])?)
            })
            .map_err(|fault| fault.to_write_error())
            .and_then(|_rows| put_in_place(&part, &to).map_err(of_io));
        if copied.is_err() {
            let _ = fs::remove_file(&part);
        }
        copied
    })
    .await
    .map_err(|error| WriteError::Unavailable(Cause::new(error)))?
}

fn of_io(error: io::Error) -> WriteError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => WriteError::Full,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => WriteError::ReadOnly,
        _ => WriteError::Unavailable(Cause::new(error)),
    }
}

/// SQLite does not wait for the disk when it writes such a copy.
fn put_in_place(part: &Path, to: &Path) -> io::Result<()> {
    File::open(part)?.sync_all()?;
    fs::rename(part, to)?;
    File::open(directory_of(to))?.sync_all()
}

/// The structure, and the checksum of every event.
pub(super) async fn check(options: &Options) -> Result<Vec<String>, ReadError> {
    let options = options.clone();
    run(move || {
        let connection = connection::open_reader(&options)?;
        let mut statement = connection.prepare("PRAGMA integrity_check")?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut damage: Vec<String> = lines.collect::<Result<_, _>>()?;
        damage.retain(|line| line != "ok");
        drop(statement);
        check_events(&connection, &mut damage)?;
        Ok(damage)
    })
    .await
    .map_err(|error| ReadError::Unavailable(Cause::new(error)))?
    .map_err(|fault: Fault| fault.to_read_error())
}

/// Damage that is listed one by one; a file with more is lost as a whole.
const DAMAGE_LIMIT: usize = 100;

fn check_events(connection: &Connection, damage: &mut Vec<String>) -> Result<(), Fault> {
    let mut statement = connection.prepare(concat!(
        "SELECT ",
        header_columns!(),
        ", body
         FROM events
         ORDER BY position"
    ))?;
    let mut rows = statement.query([])?;
    while damage.len() < DAMAGE_LIMIT {
        let Some(row) = rows.next()? else { break };
        let body =
            row.get_ref(event_rows::BODY)?.as_blob().map_err(|error| Fault::corrupt(error.to_string()))?;
        if let Err(fault) = Header::read(row).and_then(|header| header.verify_body(body)) {
            damage.push(match fault {
                Fault::Corrupt(what) => what,
                fault => return Err(fault),
            });
        }
    }
    Ok(())
}

async fn run<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    tokio::task::spawn_blocking(work).await
}
