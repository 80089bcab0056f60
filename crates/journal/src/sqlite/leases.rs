//! Rows of `leases`.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use tandem_model::{Fence, Timestamp};

use super::{
    fault::{Abort, Fault},
    sums::Sum,
    writing::Writing,
};
use crate::{Lease, LeaseError, LeaseHolder, Shard, WriteError};

struct Row {
    fence: i64,
    holder: Option<String>,
    ends_at: i64,
}

fn sum(shard: u8, row: &Row) -> Sum {
    Sum::of("leases").int(shard.into()).int(row.fence).maybe_text(row.holder.as_deref()).int(row.ends_at)
}

fn find(connection: &Connection, shard: Shard) -> Result<Option<Row>, Fault> {
    let found = connection
        .prepare_cached("SELECT fence, holder, ends_at, sum FROM leases WHERE shard = ?1")?
        .query_row([shard.get()], |row| {
            let found = Row { fence: row.get(0)?, holder: row.get(1)?, ends_at: row.get(2)? };
            Ok((found, row.get::<_, i64>(3)?))
        })
        .optional()?;
    let Some((row, stored)) = found else { return Ok(None) };
    sum(shard.get(), &row).verify(stored, || format!("the lease of {shard:?}"))?;
    Ok(Some(row))
}

fn put(connection: &Connection, shard: Shard, row: &Row) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO leases (shard, fence, holder, ends_at, sum)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![shard.get(), row.fence, row.holder, row.ends_at, sum(shard.get(), row).done()])?;
    Ok(())
}

/// The last fence given for each shard.
pub(super) fn load_fences(connection: &Connection) -> Result<Box<[i64; Shard::COUNT]>, Fault> {
    let mut fences = Box::new([0; Shard::COUNT]);
    for shard in Shard::all() {
        if let Some(row) = find(connection, shard)? {
            fences[usize::from(shard.get())] = row.fence;
        }
    }
    Ok(fences)
}

pub(super) fn acquire(
    writing: &mut Writing<'_>,
    shards: &[Shard],
    holder: &str,
    ttl: Duration,
) -> Result<Vec<Lease>, Abort<WriteError>> {
    let now = writing.now;
    let mut leases = Vec::with_capacity(shards.len());
    for &shard in shards {
        let fence = match find(writing.connection, shard)? {
            None => 1,
            Some(Row { holder: Some(other), ends_at, .. })
                if other != holder && ends_at > now.as_millis() =>
            {
                continue;
            }
            Some(row) => row.fence + 1,
        };
        let row = Row { fence, holder: Some(holder.to_owned()), ends_at: now.plus(ttl).as_millis() };
        put(writing.connection, shard, &row)?;
        writing.fences()?[usize::from(shard.get())] = fence;
        leases.push(lease(shard, fence)?);
    }
    Ok(leases)
}

pub(super) fn renew(
    writing: &mut Writing<'_>,
    leases: &[Lease],
    ttl: Duration,
) -> Result<(), Abort<LeaseError>> {
    let mut rows = Vec::with_capacity(leases.len());
    for lease in leases {
        match find(writing.connection, lease.shard)? {
            // One that has ended is still ours as long as nobody else has taken it.
            Some(row) if row.fence == lease.fence.get() && row.holder.is_some() => rows.push(row),
            _ => return Err(Abort::Refuse(LeaseError::Lost { shard: lease.shard })),
        }
    }
    for (lease, row) in leases.iter().zip(rows) {
        let row = Row { ends_at: writing.now.plus(ttl).as_millis(), ..row };
        put(writing.connection, lease.shard, &row)?;
    }
    Ok(())
}

pub(super) fn release(writing: &mut Writing<'_>, leases: &[Lease]) -> Result<(), Abort<WriteError>> {
    for lease in leases {
        if let Some(row) = find(writing.connection, lease.shard)?
            && row.fence == lease.fence.get()
        {
            // A new number that nobody has, so that the one who gave it up cannot write any more either.
            let fence = row.fence + 1;
            put(writing.connection, lease.shard, &Row { fence, holder: None, ends_at: 0 })?;
            writing.fences()?[usize::from(lease.shard.get())] = fence;
        }
    }
    Ok(())
}

pub(super) fn list(connection: &Connection) -> Result<Vec<LeaseHolder>, Fault> {
    let mut holders = Vec::new();
    for shard in Shard::all() {
        if let Some(Row { fence, holder: Some(holder), ends_at }) = find(connection, shard)? {
            let ends_at = Timestamp::from_millis(ends_at);
            holders.push(LeaseHolder { lease: lease(shard, fence)?, holder, ends_at });
        }
    }
    Ok(holders)
}

fn lease(shard: Shard, fence: i64) -> Result<Lease, Fault> {
    let fence = Fence::new(fence).map_err(|error| Fault::corrupt(error.to_string()))?;
    Ok(Lease { shard, fence })
}
