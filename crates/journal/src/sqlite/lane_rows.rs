//! Rows of `lanes`.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tandem_model::{BotId, LaneId, PauseReason, Timestamp};

use super::{fault::Fault, filters, journals, sums::Sum};
use crate::{Lane, LaneFault, LaneKind, LaneState, Passed};

macro_rules! columns {
    () => {
        "lane, name, kind, acked, paused, paused_since, paused_until, paused_detail, fault_at, fault_text, \
         skipped, expired, created_at, sum"
    };
}

fn kind_code(kind: LaneKind) -> i64 {
    match kind {
        LaneKind::App => 0,
        LaneKind::Route => 1,
    }
}

fn pause_code(reason: PauseReason) -> i64 {
    match reason {
        PauseReason::Down => 0,
        PauseReason::Refused => 1,
        PauseReason::Operator => 2,
        PauseReason::Crowded => 3,
    }
}

pub(super) fn kind_of(code: i64) -> Option<LaneKind> {
    [LaneKind::App, LaneKind::Route].into_iter().find(|kind| kind_code(*kind) == code)
}

pub(super) fn pause_of(code: i64) -> Option<PauseReason> {
    use PauseReason::{Crowded, Down, Operator, Refused};
    [Down, Refused, Operator, Crowded].into_iter().find(|reason| pause_code(*reason) == code)
}

/// Counters of events stay far below 2^63; what does not fit stands at the end.
pub(super) fn to_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The columns of `LaneState`.
fn state_columns(state: &LaneState) -> (Option<i64>, Option<i64>, Option<i64>, Option<&str>) {
    match state {
        LaneState::Running => (None, None, None, None),
        LaneState::Paused { reason, since, until, detail } => (
            Some(pause_code(*reason)),
            Some(since.as_millis()),
            until.map(Timestamp::as_millis),
            Some(detail),
        ),
    }
}

/// Of everything in the row; the filter has a row of its own.
fn sum(journal: i64, lane: &Lane) -> Sum {
    let (paused, since, until, detail) = state_columns(&lane.state);
    Sum::of("lanes")
        .int(journal)
        .int(lane.id.get())
        .text(&lane.name)
        .int(kind_code(lane.kind))
        .int(lane.acked.get())
        .maybe(paused)
        .maybe(since)
        .maybe(until)
        .maybe_text(detail)
        .maybe(lane.last_fault.as_ref().map(|fault| fault.at.as_millis()))
        .maybe_text(lane.last_fault.as_ref().map(|fault| fault.text.as_str()))
        .int(to_i64(lane.passed.skipped))
        .int(to_i64(lane.passed.expired))
        .int(lane.created_at.as_millis())
}

fn read(connection: &Connection, bot: BotId, journal: i64, row: &Row<'_>) -> Result<Lane, Fault> {
    let id: i64 = row.get(0)?;
    let name = || format!("lane {id} of bot {bot}");
    let misfit = |column: &str| Fault::corrupt(format!("{column} of {}", name()));
    let count = |value: i64, column: &str| u64::try_from(value).map_err(|_range| misfit(column));
    let current = filters::in_force(connection, journal, id, i64::MAX)?
        .ok_or_else(|| Fault::corrupt(format!("{} has no filter", name())))?;
    let lane = Lane {
        bot,
        id: LaneId::new(id).map_err(|_range| misfit("id"))?,
        name: row.get(1)?,
        kind: kind_of(row.get(2)?).ok_or_else(|| misfit("kind"))?,
        acked: journals::seq(row.get(3)?)?,
        filter: current.filter,
        state: match row.get::<_, Option<i64>>(4)? {
            None => LaneState::Running,
            Some(code) => LaneState::Paused {
                reason: pause_of(code).ok_or_else(|| misfit("paused"))?,
                since: Timestamp::from_millis(row.get(5)?),
                until: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
                detail: row.get(7)?,
            },
        },
        last_fault: match (row.get::<_, Option<i64>>(8)?, row.get(9)?) {
            (Some(at), Some(text)) => Some(LaneFault { at: Timestamp::from_millis(at), text }),
            _ => None,
        },
        passed: Passed { skipped: count(row.get(10)?, "skipped")?, expired: count(row.get(11)?, "expired")? },
        created_at: Timestamp::from_millis(row.get(12)?),
    };
    sum(journal, &lane).verify(row.get(13)?, name)?;
    Ok(lane)
}

pub(super) fn find(
    connection: &Connection,
    bot: BotId,
    journal: i64,
    lane: LaneId,
) -> Result<Option<Lane>, Fault> {
    connection
        .prepare_cached(concat!(
            "SELECT ",
            columns!(),
            "
             FROM lanes
             WHERE journal = ?1 AND lane = ?2"
        ))?
        .query_row([journal, lane.get()], |row| Ok(read(connection, bot, journal, row)))
        .optional()?
        .transpose()
}

pub(super) fn list(
    connection: &Connection,
    bot: BotId,
    journal: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<Lane>, Fault> {
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        "
         FROM lanes
         WHERE journal = ?1 AND lane > ?2
         ORDER BY lane
         LIMIT ?3"
    ))?;
    let mut rows = statement.query([journal, after, limit])?;
    let mut lanes = Vec::new();
    while let Some(row) = rows.next()? {
        lanes.push(read(connection, bot, journal, row)?);
    }
    Ok(lanes)
}

pub(super) fn name_taken(connection: &Connection, journal: i64, name: &str) -> Result<bool, Fault> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM lanes WHERE journal = ?1 AND name = ?2")?
        .query_row(params![journal, name], |_row| Ok(()))
        .optional()?
        .is_some())
}

/// Writes a new lane or an existing one.
pub(super) fn put(connection: &Connection, journal: i64, lane: &Lane) -> Result<(), Fault> {
    let (paused, since, until, detail) = state_columns(&lane.state);
    connection
        .prepare_cached(concat!(
            "INSERT INTO lanes (journal, ",
            columns!(),
            ")
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             ON CONFLICT (journal, lane) DO UPDATE SET
                 acked = excluded.acked,
                 paused = excluded.paused,
                 paused_since = excluded.paused_since,
                 paused_until = excluded.paused_until,
                 paused_detail = excluded.paused_detail,
                 fault_at = excluded.fault_at,
                 fault_text = excluded.fault_text,
                 skipped = excluded.skipped,
                 expired = excluded.expired,
                 sum = excluded.sum"
        ))?
        .execute(params![
            journal,
            lane.id.get(),
            lane.name,
            kind_code(lane.kind),
            lane.acked.get(),
            paused,
            since,
            until,
            detail,
            lane.last_fault.as_ref().map(|fault| fault.at.as_millis()),
            lane.last_fault.as_ref().map(|fault| fault.text.as_str()),
            to_i64(lane.passed.skipped),
            to_i64(lane.passed.expired),
            lane.created_at.as_millis(),
            sum(journal, lane).done()
        ])?;
    Ok(())
}

/// Removes a lane with its filters, held rows and losses, which go with it by their foreign keys.
pub(super) fn remove(connection: &Connection, journal: i64, lane: LaneId) -> Result<bool, Fault> {
    let removed = connection
        .prepare_cached("DELETE FROM lanes WHERE journal = ?1 AND lane = ?2")?
        .execute([journal, lane.get()])?;
    Ok(removed == 1)
}
