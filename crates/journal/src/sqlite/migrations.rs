//! Numbered schema steps, forward only, embedded. The number stands in SQLite's `user_version`, and what program
//! the file belongs to in its `application_id`.

use std::path::Path;

use rusqlite::Connection;

use super::{OpenError, fault::Fault};

/// "Tndm". Written into the header of every database of ours.
const APPLICATION_ID: i64 = 0x546e_646d;

/// The steps; each brings a database to its number. Never edited after a release.
const STEPS: &[(i64, &str)] = &[
    (1, include_str!("migrations/0001_first.sql")),
    (2, include_str!("migrations/0002_found_by_phone_and_by_age.sql")),
];

/// The version this program writes.
pub(super) const LATEST: i64 = STEPS[STEPS.len() - 1].0;

/// Brings a database to [`LATEST`], each step in a transaction of its own, or says why it does not.
pub(super) fn migrate(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| OpenError::of_fault(path, error.into());
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let application: i64 =
        connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(failed)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(failed)?;
    let ours = application == APPLICATION_ID;
    if !ours && (version != 0 || tables != 0) {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    if version > LATEST {
        return Err(OpenError::Newer { path: path.to_owned(), found: version, known: LATEST });
    }
    if ours && version < 1 {
        let fault = Fault::corrupt(format!("schema version {version}"));
        return Err(OpenError::of_fault(path, fault));
    }
    for (number, step) in STEPS.iter().filter(|(number, _)| *number > version) {
        connection
            .execute_batch(&format!(
                "BEGIN IMMEDIATE;\n{step}\n\
                 PRAGMA user_version = {number};\nPRAGMA application_id = {APPLICATION_ID};\nCOMMIT;"
            ))
            .map_err(failed)?;
    }
    Ok(())
}
