//! Rows of `inbox`.

use bytes::Bytes;
use rusqlite::{Connection, params};
use tandem_model::{BotId, Timestamp};

use super::{
    fault::{Abort, Fault},
    sums::{Sum, body_sum},
    writing::Writing,
};
use crate::{InboxEntry, InboxId, NewInboxEntry, Shard, WriteError};

fn sum(shard: i64, bot: i64, source: &str, at: i64, body: &[u8]) -> Sum {
    Sum::of("inbox").int(shard).int(bot).text(source).int(at).int(body_sum(body))
}

pub(super) fn put(
    writing: &mut Writing<'_>,
    entries: &[NewInboxEntry],
) -> Result<Vec<InboxId>, Abort<WriteError>> {
    let at = writing.now.as_millis();
    let mut statement = writing.connection.prepare_cached(
        "INSERT INTO inbox (shard, bot, source, at, body, sum)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut ids = Vec::with_capacity(entries.len());
    for entry in entries {
        let (shard, bot) = (i64::from(Shard::of(entry.bot).get()), entry.bot.get());
        let sum = sum(shard, bot, &entry.source, at, &entry.body).done();
        statement.execute(params![shard, bot, entry.source, at, &entry.body[..], sum])?;
        ids.push(InboxId(writing.connection.last_insert_rowid()));
    }
    Ok(ids)
}

pub(super) fn list(
    connection: &Connection,
    shard: Shard,
    after: Option<InboxId>,
    limit: i64,
) -> Result<Vec<InboxEntry>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT id, bot, source, at, body, sum
         FROM inbox INDEXED BY inbox_shard
         WHERE shard = ?1 AND id > ?2
         ORDER BY id
         LIMIT ?3",
    )?;
    let mut rows = statement.query(params![shard.get(), after.map_or(0, |id| id.0), limit])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, bot, source, at): (i64, i64, String, i64) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let body = row.get_ref(4)?.as_blob().map_err(|error| Fault::corrupt(error.to_string()))?;
        sum(shard.get().into(), bot, &source, at, body)
            .verify(row.get(5)?, || format!("entry {id} of the inbox"))?;
        entries.push(InboxEntry {
            id: InboxId(id),
            at: Timestamp::from_millis(at),
            entry: NewInboxEntry {
                bot: BotId::new(bot).map_err(|error| Fault::corrupt(error.to_string()))?,
                source,
                body: Bytes::copy_from_slice(body),
            },
        });
    }
    Ok(entries)
}

/// Deletes entries of this bot; those that are gone already were consumed by an earlier try.
pub(super) fn consume(connection: &Connection, bot: BotId, ids: &[InboxId]) -> Result<(), Fault> {
    for id in ids {
        connection
            .prepare_cached("DELETE FROM inbox WHERE id = ?1 AND bot = ?2")?
            .execute(params![id.0, bot.get()])?;
    }
    Ok(())
}
