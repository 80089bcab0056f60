//! A bot's journal as a whole: its number in this file, its ends, and how both are found without counting.
//!
//! Each event carries how things stand after it (the last `update_id` given to apps, the bytes so far), so the
//! last event is all that must be read to go on, and nothing but the event is written to append one. Only
//! retention moves the other end, and notes it in `journals`.

use rusqlite::{Connection, OptionalExtension, params};
use tandem_model::{BotId, Seq, VirtualId};

use super::{event_rows, fault::Fault, sums::Sum};
use crate::Head;

/// Bits of a position that are the `seq`.
pub(super) const SEQ_BITS: u32 = 40;
/// The largest `seq`: 2^40 events of one bot.
pub(super) const LAST_SEQ: i64 = (1 << SEQ_BITS) - 1;

/// A point in a journal and how things stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) seq: i64,
    /// The last `update_id` given to apps; 0: none.
    pub(super) virtual_id: i64,
    /// Bytes of all bodies up to here.
    pub(super) bytes: i64,
}

/// A journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Journal {
    pub(super) number: i64,
    pub(super) next_lane: i64,
    /// The last event that retention has passed.
    pub(super) swept: Point,
    /// The last event.
    pub(super) end: Point,
}

impl Journal {
    /// The key of an event.
    pub(super) fn position(&self, seq: i64) -> i64 {
        position(self.number, seq)
    }

    pub(super) fn head(&self) -> Result<Head, Fault> {
        Ok(Head {
            last: seq(self.end.seq)?,
            oldest: seq(self.swept.seq.saturating_add(1))?,
            next_virtual: match self.end.virtual_id {
                0 => None,
                last => Some(
                    VirtualId::new(last.saturating_add(1))
                        .map_err(|error| Fault::corrupt(error.to_string()))?,
                ),
            },
            bytes: u64::try_from(self.end.bytes - self.swept.bytes).unwrap_or(0),
        })
    }
}

/// The key of an event: the journal's number and the `seq` in one row id, clamped to that journal.
pub(super) fn position(journal: i64, seq: i64) -> i64 {
    journal << SEQ_BITS | seq.clamp(0, LAST_SEQ)
}

/// The `seq` in a key.
pub(super) fn seq_of(position: i64) -> i64 {
    position & LAST_SEQ
}

/// A `seq` that was read.
pub(super) fn seq(value: i64) -> Result<Seq, Fault> {
    Seq::new(value).map_err(|error| Fault::corrupt(error.to_string()))
}

fn sum(bot: BotId, journal: i64, next_lane: i64, swept: Point) -> Sum {
    Sum::of("journals")
        .int(journal)
        .int(bot.get())
        .int(next_lane)
        .int(swept.seq)
        .int(swept.virtual_id)
        .int(swept.bytes)
}

/// The number of a bot's journal, for what does not ask where it ends.
pub(super) fn find_number(connection: &Connection, bot: BotId) -> Result<Option<i64>, Fault> {
    Ok(find_row(connection, bot)?.map(|(number, ..)| number))
}

/// A bot's journal.
pub(super) fn find(connection: &Connection, bot: BotId) -> Result<Option<Journal>, Fault> {
    let Some((number, next_lane, swept)) = find_row(connection, bot)? else { return Ok(None) };
    let end = event_rows::last_point(connection, number, swept)?;
    Ok(Some(Journal { number, next_lane, swept, end }))
}

fn find_row(connection: &Connection, bot: BotId) -> Result<Option<(i64, i64, Point)>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT journal, next_lane, swept_seq, swept_virtual, swept_bytes, sum
         FROM journals
         WHERE bot = ?1",
    )?;
    let row = statement
        .query_row([bot.get()], |row| {
            let swept = Point { seq: row.get(2)?, virtual_id: row.get(3)?, bytes: row.get(4)? };
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, swept, row.get::<_, i64>(5)?))
        })
        .optional()?;
    let Some((number, next_lane, swept, stored)) = row else { return Ok(None) };
    sum(bot, number, next_lane, swept).verify(stored, || format!("the journal of bot {bot}"))?;
    Ok(Some((number, next_lane, swept)))
}

/// Makes the journal of a bot that has none.
pub(super) fn create(connection: &Connection, bot: BotId) -> Result<Journal, Fault> {
    let number: i64 = connection
        .prepare_cached("SELECT coalesce(max(journal), 0) + 1 FROM journals")?
        .query_row([], |row| row.get(0))?;
    let start = Point { seq: 0, virtual_id: 0, bytes: 0 };
    let journal = Journal { number, next_lane: 1, swept: start, end: start };
    connection
        .prepare_cached(
            "INSERT INTO journals (journal, bot, next_lane, swept_seq, swept_virtual, swept_bytes, sum)
             VALUES (?1, ?2, 1, 0, 0, 0, ?3)",
        )?
        .execute(params![number, bot.get(), sum(bot, number, 1, start).done()])?;
    Ok(journal)
}

/// Writes down the number of the next lane and how far retention has come.
pub(super) fn update(connection: &Connection, bot: BotId, journal: &Journal) -> Result<(), Fault> {
    let Journal { number, next_lane, swept, .. } = *journal;
    let changed = connection
        .prepare_cached(
            "UPDATE journals
             SET next_lane = ?2, swept_seq = ?3, swept_virtual = ?4, swept_bytes = ?5, sum = ?6
             WHERE journal = ?1",
        )?
        .execute(params![
            number,
            next_lane,
            swept.seq,
            swept.virtual_id,
            swept.bytes,
            sum(bot, number, next_lane, swept).done()
        ])?;
    if changed == 1 { Ok(()) } else { Err(Fault::corrupt(format!("the journal of bot {bot} is missing"))) }
}
