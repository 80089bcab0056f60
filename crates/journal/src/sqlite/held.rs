//! Rows of `held`.

use rusqlite::{Connection, OptionalExtension, Row, params};
use tandem_model::{Conversation, Family, Held, HeldState, LaneId, OrderKey, Timestamp};

use super::{fault::Fault, journals, lane_rows::to_i64, sums::Sum};
use crate::{HeldCounts, HeldStates};

macro_rules! columns {
    () => {
        "seq, conversation, family, state, tries, attempts, next_at, reason, sum"
    };
}

const STATES: [HeldState; 4] = [HeldState::Sending, HeldState::Retrying, HeldState::Unknown, HeldState::Dead];

fn state_code(state: HeldState) -> i64 {
    match state {
        HeldState::Sending => 0,
        HeldState::Retrying => 1,
        HeldState::Unknown => 2,
        HeldState::Dead => 3,
    }
}

fn sum(journal: i64, lane: i64, held: &Held, attempts: &str) -> Sum {
    Sum::of("held")
        .int(journal)
        .int(lane)
        .int(held.seq.get())
        .text(held.conversation.as_str())
        .maybe(held.family.map(|family| family.0.into()))
        .int(state_code(held.state))
        .int(held.tries.into())
        .text(attempts)
        .int(held.next_at.as_millis())
        .text(&held.reason)
}

fn read(journal: i64, lane: i64, row: &Row<'_>) -> Result<Held, Fault> {
    let seq: i64 = row.get(0)?;
    let name = || format!("held event {seq} of lane {lane} of journal {journal}");
    let misfit = |column: &str| Fault::corrupt(format!("{column} of {}", name()));
    let text = |index| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
    let attempts = text(5)?;
    let held = Held {
        seq: journals::seq(seq)?,
        conversation: Conversation::from_stored(text(1)?),
        family: match row.get::<_, Option<i64>>(2)? {
            None => None,
            Some(family) => Some(Family(u8::try_from(family).map_err(|_range| misfit("family"))?)),
        },
        state: usize::try_from(row.get::<_, i64>(3)?)
            .ok()
            .and_then(|code| STATES.get(code).copied())
            .ok_or_else(|| misfit("state"))?,
        tries: u32::try_from(row.get::<_, i64>(4)?).map_err(|_range| misfit("tries"))?,
        attempts: serde_json::from_str(attempts)
            .map_err(|error| Fault::corrupt(format!("attempts of {}: {error}", name())))?,
        next_at: Timestamp::from_millis(row.get(6)?),
        reason: row.get(7)?,
    };
    sum(journal, lane, &held, attempts).verify(row.get(8)?, name)?;
    Ok(held)
}

fn read_all(journal: i64, lane: LaneId, mut rows: rusqlite::Rows<'_>) -> Result<Vec<Held>, Fault> {
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        held.push(read(journal, lane.get(), row)?);
    }
    Ok(held)
}

pub(super) fn put(connection: &Connection, journal: i64, lane: LaneId, held: &Held) -> Result<(), Fault> {
    let attempts =
        serde_json::to_string(&held.attempts).map_err(|error| Fault::corrupt(error.to_string()))?;
    connection
        .prepare_cached(concat!(
            "INSERT OR REPLACE INTO held (journal, lane, ",
            columns!(),
            ")
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
        ))?
        .execute(params![
            journal,
            lane.get(),
            held.seq.get(),
            held.conversation.as_str(),
            held.family.map(|family| family.0),
            state_code(held.state),
            held.tries,
            attempts,
            held.next_at.as_millis(),
            held.reason,
            sum(journal, lane.get(), held, &attempts).done()
        ])?;
    Ok(())
}

pub(super) fn remove(connection: &Connection, journal: i64, lane: LaneId, seq: i64) -> Result<(), Fault> {
    connection
        .prepare_cached("DELETE FROM held WHERE journal = ?1 AND lane = ?2 AND seq = ?3")?
        .execute([journal, lane.get(), seq])?;
    Ok(())
}

pub(super) fn find(
    connection: &Connection,
    journal: i64,
    lane: LaneId,
    seq: i64,
) -> Result<Option<Held>, Fault> {
    connection
        .prepare_cached(concat!(
            "SELECT ",
            columns!(),
            "
             FROM held
             WHERE journal = ?1 AND lane = ?2 AND seq = ?3"
        ))?
        .query_row([journal, lane.get(), seq], |row| Ok(read(journal, lane.get(), row)))
        .optional()?
        .transpose()
}

/// By `seq`. Each state is read in order from its own stretch of an index, and the stretches are merged.
pub(super) fn list(
    connection: &Connection,
    journal: i64,
    lane: LaneId,
    states: HeldStates,
    after: i64,
    limit: usize,
) -> Result<Vec<Held>, Fault> {
    let rows_limit = to_i64(limit as u64);
    if states == HeldStates::ALL {
        let mut statement = connection.prepare_cached(concat!(
            "SELECT ",
            columns!(),
            "
             FROM held
             WHERE journal = ?1 AND lane = ?2 AND seq > ?3
             ORDER BY seq
             LIMIT ?4"
        ))?;
        return read_all(journal, lane, statement.query([journal, lane.get(), after, rows_limit])?);
    }
    let mut all = Vec::new();
    for state in STATES.into_iter().filter(|state| states.contains(*state)) {
        let mut statement = connection.prepare_cached(concat!(
            "SELECT ",
            columns!(),
            "
             FROM held INDEXED BY held_state
             WHERE journal = ?1 AND lane = ?2 AND state = ?3 AND seq > ?4
             ORDER BY seq
             LIMIT ?5"
        ))?;
        let rows = statement.query([journal, lane.get(), state_code(state), after, rows_limit])?;
        all.extend(read_all(journal, lane, rows)?);
    }
    all.sort_unstable_by_key(|held| held.seq);
    all.truncate(limit);
    Ok(all)
}

pub(super) fn find_blocking(
    connection: &Connection,
    journal: i64,
    lane: LaneId,
    key: &OrderKey,
) -> Result<Option<Held>, Fault> {
    connection
        .prepare_cached(concat!(
            "SELECT ",
            columns!(),
            "
             FROM held
             WHERE journal = ?1 AND lane = ?2 AND conversation = ?3 AND (?4 IS NULL OR family = ?4)
                 AND state IN (0, 1)
             ORDER BY seq
             LIMIT 1"
        ))?
        .query_row(
            params![journal, lane.get(), key.conversation.as_str(), key.family.map(|family| family.0)],
            |row| Ok(read(journal, lane.get(), row)),
        )
        .optional()?
        .transpose()
}

pub(super) fn list_blocked(
    connection: &Connection,
    journal: i64,
    lane: LaneId,
    after: Option<&Conversation>,
    limit: i64,
) -> Result<Vec<OrderKey>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT conversation, family
         FROM held INDEXED BY held_blocking
         WHERE journal = ?1 AND lane = ?2 AND conversation IN (
                 SELECT DISTINCT conversation
                 FROM held INDEXED BY held_blocking
                 WHERE journal = ?1 AND lane = ?2 AND (?3 IS NULL OR conversation > ?3) AND state IN (0, 1)
                 ORDER BY conversation
                 LIMIT ?4
             )
             AND state IN (0, 1)
         ORDER BY conversation, family",
    )?;
    let mut rows = statement.query(params![journal, lane.get(), after.map(Conversation::as_str), limit])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let conversation = row.get_ref(0)?.as_str().map_err(|error| Fault::corrupt(error.to_string()))?;
        keys.push(OrderKey {
            conversation: Conversation::from_stored(conversation),
            family: row.get::<_, Option<u8>>(1)?.map(Family),
        });
    }
    Ok(keys)
}

pub(super) fn count(connection: &Connection, journal: i64, lane: LaneId) -> Result<HeldCounts, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*)
         FROM held INDEXED BY held_state
         WHERE journal = ?1 AND lane = ?2 AND state = ?3",
    )?;
    let mut count = |state| -> Result<u64, Fault> {
        let count: i64 = statement.query_row([journal, lane.get(), state_code(state)], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    };
    Ok(HeldCounts {
        sending: count(HeldState::Sending)?,
        retrying: count(HeldState::Retrying)?,
        unknown: count(HeldState::Unknown)?,
        dead: count(HeldState::Dead)?,
    })
}

/// Whether any lane of a journal needs an event.
pub(super) fn needs(connection: &Connection, journal: i64, seq: i64) -> Result<bool, Fault> {
    Ok(connection
        .prepare_cached("SELECT 1 FROM held INDEXED BY held_seq WHERE journal = ?1 AND seq = ?2 LIMIT 1")?
        .query_row([journal, seq], |_row| Ok(()))
        .optional()?
        .is_some())
}
