//! Rows of `links`.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tandem_model::{ConnectionId, Timestamp};

use super::{fault::Fault, sums::Sum};
use crate::{Link, LinkScope};

fn scope_columns(scope: LinkScope) -> (i64, i64) {
    match scope {
        LinkScope::Lane(lane) => (0, lane.get()),
        LinkScope::Connection(connection) => (1, connection.get()),
        LinkScope::Bot => (2, 0),
    }
}

fn sum(journal: i64, scope: (i64, i64), ours: &str, theirs: &str, at: i64) -> Sum {
    Sum::of("links").int(journal).int(scope.0).int(scope.1).text(ours).text(theirs).int(at)
}

pub(super) fn put(connection: &Connection, journal: i64, link: &Link) -> Result<(), Fault> {
    let scope = scope_columns(link.scope);
    let at = link.at.as_millis();
    connection
        .prepare_cached(
            "INSERT INTO links (journal, scope, scope_id, ours, theirs, at, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET theirs = excluded.theirs, at = excluded.at, sum = excluded.sum",
        )?
        .execute(params![
            journal,
            scope.0,
            scope.1,
            link.ours,
            link.theirs,
            at,
            sum(journal, scope, &link.ours, &link.theirs, at).done()
        ])?;
    Ok(())
}

fn read(journal: i64, scope: LinkScope, row: &Row<'_>) -> Result<Link, Fault> {
    let (ours, theirs, at): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
    sum(journal, scope_columns(scope), &ours, &theirs, at)
        .verify(row.get(3)?, || format!("the link of {ours} in journal {journal}"))?;
    Ok(Link { scope, ours, theirs, at: Timestamp::from_millis(at) })
}

pub(super) fn find(
    connection: &Connection,
    journal: i64,
    scope: LinkScope,
    ours: &str,
) -> Result<Option<Link>, Fault> {
    let (kind, id) = scope_columns(scope);
    connection
        .prepare_cached(
            "SELECT ours, theirs, at, sum
             FROM links
             WHERE journal = ?1 AND scope = ?2 AND scope_id = ?3 AND ours = ?4",
        )?
        .query_row(params![journal, kind, id, ours], |row| Ok(read(journal, scope, row)))
        .optional()?
        .transpose()
}

pub(super) fn list(
    connection: &Connection,
    journal: i64,
    scope: LinkScope,
    theirs: &str,
    limit: i64,
) -> Result<Vec<Link>, Fault> {
    let (kind, id) = scope_columns(scope);
    let mut statement = connection.prepare_cached(
        "SELECT ours, theirs, at, sum
         FROM links
         WHERE journal = ?1 AND scope = ?2 AND scope_id = ?3 AND theirs = ?4
         ORDER BY at, ours
         LIMIT ?5",
    )?;
    let mut rows = statement.query(params![journal, kind, id, theirs, limit])?;
    let mut links = Vec::new();
    while let Some(row) = rows.next()? {
        links.push(read(journal, scope, row)?);
    }
    Ok(links)
}

/// The newest links of an account at a vendor.
pub(super) fn list_recent(
    connection: &Connection,
    journal: i64,
    account: ConnectionId,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Link>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT ours, theirs, at, sum
         FROM links INDEXED BY links_recent
         WHERE journal = ?1 AND scope = 1 AND scope_id = ?2 AND at >= ?3
         ORDER BY at DESC, ours DESC
         LIMIT ?4",
    )?;
    let mut rows = statement.query(params![journal, account.get(), since.as_millis(), limit])?;
    let mut links = Vec::new();
    while let Some(row) = rows.next()? {
        links.push(read(journal, LinkScope::Connection(account), row)?);
    }
    Ok(links)
}

/// Deletes links that are older, at most so many; how many it were.
pub(super) fn sweep(
    connection: &Connection,
    journal: i64,
    before: Timestamp,
    limit: i64,
) -> Result<usize, Fault> {
    Ok(connection
        .prepare_cached(
            "DELETE FROM links
             WHERE (journal, scope, scope_id, ours) IN (
                 SELECT journal, scope, scope_id, ours
                 FROM links INDEXED BY links_at
                 WHERE journal = ?1 AND at < ?2
                 LIMIT ?3
             )",
        )?
        .execute(params![journal, before.as_millis(), limit])?)
}
