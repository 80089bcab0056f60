//! What the journal is measured against: rusqlite alone, on one thread, with the journal's own tables and indexes.
//!
//! It hands nothing over between threads, looks for no duplicate, computes no checksum and answers nobody: what it
//! reaches is what SQLite gives on this machine for these rows.

use std::path::Path;

use anyhow::Result;
use rusqlite::{CachedStatement, Connection, params};
use tandem_model::NewEvent;

/// The very file that makes the journal's tables.
const TABLES: &str = include_str!("../../../crates/journal/src/sqlite/migrations/0001_first.sql");

const INSERT: &str = "INSERT INTO events (position, kind, topic, family, flags, conversation, at, appended_at, \
     lifetime, source, upstream, cause, owner, virtual_id, total_bytes, body_sum, sum, body) \
     VALUES (?1, 0, 1, 0, 0, ?2, ?3, ?3, NULL, 1, ?4, NULL, NULL, ?4, ?5, ?6, ?6, ?7)";

/// One database.
pub(crate) struct Bare {
    connection: Connection,
    last: i64,
}

impl Bare {
    /// Makes the database, with every setting that the journal has.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(
            "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -8192;",
        )?;
        connection.execute_batch(TABLES)?;
        Ok(Self { connection, last: 0 })
    }

    /// Appends them, so many in each commit.
    pub(crate) fn append(&mut self, events: &[NewEvent], per_commit: usize) -> Result<()> {
        for events in events.chunks(per_commit) {
            self.commit(events)?;
        }
        Ok(())
    }

    /// Appends them in one commit.
    pub(crate) fn commit<'a>(&mut self, events: impl IntoIterator<Item = &'a NewEvent>) -> Result<()> {
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute(())?;
        let mut insert = self.connection.prepare_cached(INSERT)?;
        for event in events {
            self.last += 1;
            insert_one(&mut insert, self.last, event)?;
        }
        drop(insert);
        self.connection.prepare_cached("COMMIT")?.execute(())?;
        Ok(())
    }

    /// Reads everything as a lane does: pages of so many rows, the cursor committed after each.
    pub(crate) fn drain(&mut self, per_page: i64) -> Result<usize> {
        self.connection.execute_batch(
            "INSERT OR IGNORE INTO counters (name, value, sum) VALUES ('cursor', 0, 0);
             UPDATE counters SET value = 0 WHERE name = 'cursor'",
        )?;
        let mut read =
            self.connection.prepare("SELECT * FROM events WHERE position > ?1 ORDER BY position LIMIT ?2")?;
        let mut settle = self.connection.prepare("UPDATE counters SET value = ?1 WHERE name = 'cursor'")?;
        let (mut cursor, mut count, mut bytes) = (0_i64, 0, 0);
        loop {
            let mut rows = read.query([cursor, per_page])?;
            let before = count;
            while let Some(row) = rows.next()? {
                cursor = row.get(0)?;
                let conversation: String = row.get(5)?;
                let body: Vec<u8> = row.get(17)?;
                bytes += std::hint::black_box(body).len() + std::hint::black_box(conversation).len();
                count += 1;
            }
            if count == before {
                break;
            }
            drop(rows);
            settle.execute([cursor])?;
        }
        std::hint::black_box(bytes);
        Ok(count)
    }

    /// Deletes so many rows after the first `from`, so many in each commit.
    pub(crate) fn delete(&mut self, from: usize, rows: usize, per_commit: usize) -> Result<()> {
        let mut done = 0;
        while done < rows {
            done = rows.min(done + per_commit);
            self.connection
                .prepare_cached("DELETE FROM events WHERE position <= ?1")?
                .execute([i64::try_from(from + done)?])?;
        }
        Ok(())
    }
}

fn insert_one(insert: &mut CachedStatement<'_>, position: i64, event: &NewEvent) -> Result<()> {
    // As wide as the checksums that stand there otherwise.
    let sum = position.wrapping_mul(0x09E3_779B_97F4_A7C1);
    let at = event.at.as_millis();
    let total = position * 700;
    insert.execute(params![
        position,
        event.conversation.as_str(),
        at,
        position,
        total,
        sum,
        &event.body[..]
    ])?;
    Ok(())
}
