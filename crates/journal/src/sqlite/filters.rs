//! Rows of `filters`: which filter of a lane held from which `seq` on.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tandem_model::Filter;

use super::{fault::Fault, sums::Sum};

/// A filter and from where it holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Version {
    pub(super) from_seq: i64,
    pub(super) filter: Filter,
}

fn sum(journal: i64, lane: i64, from_seq: i64, filter: &str) -> Sum {
    Sum::of("filters").int(journal).int(lane).int(from_seq).text(filter)
}

fn read(journal: i64, lane: i64, row: &Row<'_>) -> Result<Version, Fault> {
    let from_seq: i64 = row.get(0)?;
    let text = row.get_ref(1)?.as_str().map_err(|error| Fault::corrupt(error.to_string()))?;
    let name = || format!("the filter of lane {lane} of journal {journal}");
    sum(journal, lane, from_seq, text).verify(row.get(2)?, name)?;
    let filter =
        serde_json::from_str(text).map_err(|error| Fault::corrupt(format!("{}: {error}", name())))?;
    Ok(Version { from_seq, filter })
}

/// The filter that holds for an event, or the earliest one for events before all of them; `None` when there is no
/// such lane.
pub(super) fn in_force(
    connection: &Connection,
    journal: i64,
    lane: i64,
    seq: i64,
) -> Result<Option<Version>, Fault> {
    connection
        .prepare_cached(
            "SELECT from_seq, filter, sum
             FROM filters
             WHERE journal = ?1 AND lane = ?2 AND from_seq <= ?3
             ORDER BY from_seq DESC
             LIMIT 1",
        )?
        .query_row([journal, lane, seq], |row| Ok(read(journal, lane, row)))
        .optional()?
        .transpose()
}

/// The filter that comes next after a `seq`.
pub(super) fn next_after(
    connection: &Connection,
    journal: i64,
    lane: i64,
    seq: i64,
) -> Result<Option<Version>, Fault> {
    connection
        .prepare_cached(
            "SELECT from_seq, filter, sum
             FROM filters
             WHERE journal = ?1 AND lane = ?2 AND from_seq > ?3
             ORDER BY from_seq
             LIMIT 1",
        )?
        .query_row([journal, lane, seq], |row| Ok(read(journal, lane, row)))
        .optional()?
        .transpose()
}

/// Writes a filter down; one that would have begun at the same `seq` has never held and is replaced.
pub(super) fn put(
    connection: &Connection,
    journal: i64,
    lane: i64,
    from_seq: i64,
    filter: &Filter,
) -> Result<(), Fault> {
    let text = serde_json::to_string(filter).map_err(|error| Fault::corrupt(error.to_string()))?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO filters (journal, lane, from_seq, filter, sum)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![journal, lane, from_seq, text, sum(journal, lane, from_seq, &text).done()])?;
    Ok(())
}

/// Deletes the filters that hold for no event after `seq`.
pub(super) fn prune(connection: &Connection, journal: i64, lane: i64, seq: i64) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "DELETE FROM filters
             WHERE journal = ?1 AND lane = ?2 AND from_seq < (
                 SELECT max(from_seq) FROM filters WHERE journal = ?1 AND lane = ?2 AND from_seq <= ?3 + 1
             )",
        )?
        .execute([journal, lane, seq])?;
    Ok(())
}

/// The filters of a lane, looked up as a reader walks along the journal.
pub(super) struct Walk<'a> {
    connection: &'a Connection,
    journal: i64,
    lane: i64,
    now: Version,
    next: Option<Version>,
}

impl<'a> Walk<'a> {
    /// Begins at a `seq`; `None` when there is no such lane.
    pub(super) fn begin(
        connection: &'a Connection,
        journal: i64,
        lane: i64,
        seq: i64,
    ) -> Result<Option<Self>, Fault> {
        let next = next_after(connection, journal, lane, seq)?;
        // Before its first filter a lane is asked only when an operator goes back behind its beginning.
        let Some(now) = in_force(connection, journal, lane, seq)?.or(next) else { return Ok(None) };
        Ok(Some(Self { connection, journal, lane, now, next }))
    }

    /// The filter for this event; asked with growing `seq`s.
    pub(super) fn filter(&mut self, seq: i64) -> Result<Filter, Fault> {
        while let Some(next) = self.next.filter(|next| next.from_seq <= seq) {
            self.now = next;
            self.next = next_after(self.connection, self.journal, self.lane, next.from_seq)?;
        }
        Ok(self.now.filter)
    }

    /// The last of the filters, if the walk has come to it.
    pub(super) fn latest(&self) -> Option<Version> {
        if self.next.is_none() { Some(self.now) } else { None }
    }

    /// The last `seq` the filter in force holds for.
    pub(super) fn last_seq(&self) -> i64 {
        self.next.map_or(i64::MAX, |next| next.from_seq - 1)
    }
}

/// The filters of a lane, looked up in whatever order.
pub(super) struct InForce<'a> {
    connection: &'a Connection,
    journal: i64,
    lane: i64,
    /// The one that was looked up last, and the last `seq` it holds for.
    found: (Version, i64),
}

impl<'a> InForce<'a> {
    /// Looks up the first one; `None` when there is no such lane.
    pub(super) fn find(
        connection: &'a Connection,
        journal: i64,
        lane: i64,
        seq: i64,
    ) -> Result<Option<Self>, Fault> {
        let found = Self::look_up(connection, journal, lane, seq)?;
        Ok(found.map(|found| Self { connection, journal, lane, found }))
    }

    fn look_up(
        connection: &Connection,
        journal: i64,
        lane: i64,
        seq: i64,
    ) -> Result<Option<(Version, i64)>, Fault> {
        let Some(walk) = Walk::begin(connection, journal, lane, seq)? else { return Ok(None) };
        // The earliest one holds for what is before it too.
        let version = Version { from_seq: walk.now.from_seq.min(seq), ..walk.now };
        Ok(Some((version, walk.last_seq())))
    }

    /// The filter for this event.
    pub(super) fn filter(&mut self, seq: i64) -> Result<Filter, Fault> {
        let (version, last) = self.found;
        if seq < version.from_seq || seq > last {
            let found = Self::look_up(self.connection, self.journal, self.lane, seq)?;
            self.found = found.ok_or_else(|| Fault::corrupt(format!("lane {} has no filter", self.lane)))?;
        }
        Ok(self.found.0.filter)
    }
}
