//! Retention: deleting what has lived its time, in bounded steps.
//!
//! A step looks at events from the oldest on. One that is old enough goes when every route has passed it and
//! nothing holds it; one that is too old (or one too many) goes in any case, and a route that had not had it gets
//! a record of it. Single events that a lane holds stay behind while the sweep goes on over them.

use std::num::NonZeroU64;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};
use tandem_model::{BotId, LaneId, Timestamp};

use super::{
    event_rows::{Header, header_columns},
    fault::{Abort, Fault},
    filters::{self, Walk},
    held,
    journals::{self, Journal, Point},
    lane_rows::{self, to_i64},
    links,
    sums::Sum,
    writing::Writing,
};
use crate::{Lane, LaneKind, Lease, Lost, Retention, Swept, WriteError, tail::Change};

/// Events looked at in one step beyond those deleted, so that a step stays short.
const LOOK_ROWS: i64 = 4096;

/// A lane during a step.
struct Reader<'a> {
    lane: Lane,
    walk: Option<Walk<'a>>,
    /// What it had not had: the first, the last, how many it would have been given.
    gone: Option<(i64, i64, u64)>,
}

pub(super) fn sweep(
    writing: &mut Writing<'_>,
    lease: Lease,
    bot: BotId,
    retention: Retention,
    limit: usize,
) -> Result<Swept, Abort<WriteError>> {
    writing.admit(lease, bot)?;
    let (connection, now) = (writing.connection, writing.now);
    let Some(mut journal) = writing.find_journal(bot)? else {
        return Ok(Swept { deleted: 0, swept_to: tandem_model::Seq::ZERO, lost: Vec::new(), more: false });
    };
    let rules = Rules::new(&journal, retention, now);
    let limit = to_i64(limit as u64);
    let links_gone = links::sweep(connection, journal.number, rules.too_old, limit)?;
    let (left_gone, left_more) = sweep_left_behind(connection, &journal, &rules, limit)?;
    let mut readers = readers(connection, bot, &journal)?;
    let step = walk(connection, &journal, &rules, &mut readers, limit - left_gone)?;
    let deleted = delete(connection, &journal, &step)?;

    if step.to.seq > journal.swept.seq {
        journal.swept = step.to;
        journals::update(connection, bot, &journal)?;
        writing.note(Change::Swept(bot, journals::seq(journal.swept.seq)?));
    }
    let mut lost = Vec::new();
    for reader in readers {
        lost.extend(finish(connection, &journal, reader, now)?);
    }
    writing.keep_journal(bot, journal);
    Ok(Swept {
        deleted: u64::try_from(deleted + left_gone).unwrap_or(0),
        swept_to: journals::seq(journal.swept.seq)?,
        lost,
        more: step.more || left_more || to_i64(links_gone as u64) == limit,
    })
}

/// What goes.
struct Rules {
    /// Appended before this: goes once nobody needs it.
    old: Timestamp,
    /// Appended before this: goes in any case.
    too_old: Timestamp,
    /// What begins before this many bytes of the journal goes in any case.
    bytes: i64,
}

impl Rules {
    fn new(journal: &Journal, retention: Retention, now: Timestamp) -> Self {
        let at_most = retention.at_most.max(retention.keep);
        Self {
            old: now.minus(retention.keep),
            too_old: now.minus(at_most),
            bytes: match retention.max_bytes {
                None => i64::MIN,
                Some(max) => journal.end.bytes.saturating_sub(to_i64(max)),
            },
        }
    }

    /// `begins`: the bytes of the journal before this event.
    fn forces(&self, header: &Header, begins: i64) -> bool {
        header.appended_at < self.too_old.as_millis() || begins < self.bytes
    }

    fn allows(&self, header: &Header) -> bool {
        header.appended_at < self.old.as_millis()
    }
}

fn readers<'a>(connection: &'a Connection, bot: BotId, journal: &Journal) -> Result<Vec<Reader<'a>>, Fault> {
    let lanes = lane_rows::list(connection, bot, journal.number, 0, i64::MAX)?;
    lanes
        .into_iter()
        .map(|lane| {
            let from = lane.acked.get() + 1;
            let walk = Walk::begin(connection, journal.number, lane.id.get(), from)?;
            Ok(Reader { lane, walk, gone: None })
        })
        .collect()
}

/// How far a step goes.
struct Step {
    /// The last event it passes.
    to: Point,
    /// Events among them that stay because a lane holds them.
    kept: Vec<i64>,
    more: bool,
}

fn walk(
    connection: &Connection,
    journal: &Journal,
    rules: &Rules,
    readers: &mut [Reader<'_>],
    limit: i64,
) -> Result<Step, Fault> {
    let mut step = Step { to: journal.swept, kept: Vec::new(), more: false };
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        header_columns!(),
        "
         FROM events
         WHERE position > ?1 AND position <= ?2
         ORDER BY position
         LIMIT ?3"
    ))?;
    let rows_limit = limit.clamp(0, LOOK_ROWS);
    let mut rows = statement.query([
        journal.position(journal.swept.seq),
        journal.position(journal.end.seq),
        rows_limit,
    ])?;
    let mut passed = 0;
    while let Some(row) = rows.next()? {
        let header = Header::read(row)?;
        let seq = header.seq();
        if seq != step.to.seq + 1 {
            return Err(Fault::corrupt(format!("event {} is missing", step.to.seq + 1)));
        }
        if rules.forces(&header, step.to.bytes) {
            for reader in readers.iter_mut().filter(|reader| reader.lane.acked.get() < seq) {
                reader.lose(&header)?;
            }
        } else if rules.allows(&header) {
            if readers
                .iter()
                .any(|reader| reader.lane.kind == LaneKind::Route && reader.lane.acked.get() < seq)
            {
                return Ok(step);
            }
            if held::needs(connection, journal.number, seq)? {
                step.kept.push(seq);
            } else {
                // No route is behind here; an app that is has let it expire.
                for reader in readers.iter_mut().filter(|reader| reader.lane.acked.get() < seq) {
                    reader.lose(&header)?;
                }
            }
        } else {
            return Ok(step);
        }
        step.to = header.point();
        passed += 1;
    }
    step.more = passed == rows_limit && step.to.seq < journal.end.seq;
    Ok(step)
}

impl Reader<'_> {
    fn lose(&mut self, header: &Header) -> Result<(), Fault> {
        let seq = header.seq();
        let wanted = match &mut self.walk {
            None => false,
            Some(walk) => walk.filter(seq)?.admits(self.lane.id, &header.new_event(Bytes::new())?),
        };
        let (from, _, count) = self.gone.unwrap_or((seq, seq, 0));
        self.gone = Some((from, seq, count + u64::from(wanted)));
        Ok(())
    }
}

/// Deletes what a step has passed, but for what stays. A held row of an event that goes in any case goes too and is
/// a loss of its lane.
fn delete(connection: &Connection, journal: &Journal, step: &Step) -> Result<i64, Fault> {
    let mut statement =
        connection.prepare_cached("DELETE FROM events WHERE position > ?1 AND position < ?2")?;
    let mut deleted = 0;
    let mut from = journal.swept.seq;
    for &kept in step.kept.iter().chain([&(step.to.seq + 1)]) {
        deleted += statement.execute([journal.position(from), journal.position(kept)])?;
        from = kept;
    }
    Ok(to_i64(deleted as u64))
}

/// Events that earlier steps left behind because they were held: they go when they no longer are, or are too old.
fn sweep_left_behind(
    connection: &Connection,
    journal: &Journal,
    rules: &Rules,
    limit: i64,
) -> Result<(i64, bool), Fault> {
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        header_columns!(),
        "
         FROM events
         WHERE position > ?1 AND position <= ?2
             AND (appended_at < ?3 OR total_bytes <= ?4
                 OR NOT EXISTS (
                     SELECT 1 FROM held INDEXED BY held_seq
                     WHERE held.journal = ?5 AND held.seq = events.position - ?1
                 ))
         ORDER BY position
         LIMIT ?6"
    ))?;
    let mut rows = statement.query(params![
        journal.position(0),
        journal.position(journal.swept.seq),
        rules.too_old.as_millis(),
        rules.bytes,
        journal.number,
        limit,
    ])?;
    let mut gone = Vec::new();
    while let Some(row) = rows.next()? {
        gone.push(Header::read(row)?.position);
    }
    drop(rows);
    for position in &gone {
        connection.prepare_cached("DELETE FROM events WHERE position = ?1")?.execute([position])?;
    }
    let gone = to_i64(gone.len() as u64);
    Ok((gone, gone == limit))
}

/// Moves a lane's cursor over what went, and writes down what it lost by it.
fn finish(
    connection: &Connection,
    journal: &Journal,
    reader: Reader<'_>,
    now: Timestamp,
) -> Result<Option<(LaneId, Lost)>, Fault> {
    let Reader { mut lane, gone, .. } = reader;
    let (mut from, mut to, mut count) = gone.unwrap_or((i64::MAX, 0, 0));
    // Held rows whose event has gone.
    let mut statement = connection.prepare_cached(
        "DELETE FROM held
         WHERE journal = ?1 AND lane = ?2 AND seq <= ?3
             AND NOT EXISTS (SELECT 1 FROM events WHERE position = (?1 << 40) + held.seq)
         RETURNING seq, state",
    )?;
    let mut rows = statement.query([journal.number, lane.id.get(), journal.swept.seq])?;
    while let Some(row) = rows.next()? {
        let (seq, state): (i64, i64) = (row.get(0)?, row.get(1)?);
        // Unknown and dead ones had been given up before.
        if state <= 1 {
            (from, to, count) = (from.min(seq), to.max(seq), count + 1);
        }
    }
    drop(rows);
    let before = lane.clone();
    if let Some((_, last, _)) = gone {
        lane.acked = journals::seq(last)?.max(lane.acked);
    }
    if lane.kind == LaneKind::App {
        lane.passed.expired = lane.passed.expired.saturating_add(count);
    }
    if lane != before {
        lane_rows::put(connection, journal.number, &lane)?;
    }
    filters::prune(connection, journal.number, lane.id.get(), journal.swept.seq)?;
    let Some(count) = NonZeroU64::new(count) else { return Ok(None) };
    if lane.kind == LaneKind::App {
        return Ok(None);
    }
    let lost = Lost { from: journals::seq(from)?, to: journals::seq(to)?, count, at: now };
    note_lost(connection, journal.number, lane.id, lost)?;
    Ok(Some((lane.id, lost)))
}

fn lost_sum(journal: i64, lane: LaneId, lost: &Lost) -> Sum {
    Sum::of("lost")
        .int(journal)
        .int(lane.get())
        .int(lost.from.get())
        .int(lost.to.get())
        .int(to_i64(lost.count.get()))
        .int(lost.at.as_millis())
}

fn read_lost(journal: i64, lane: LaneId, row: &rusqlite::Row<'_>) -> Result<Lost, Fault> {
    let name = || format!("a loss of lane {lane} of journal {journal}");
    let lost = Lost {
        from: journals::seq(row.get(0)?)?,
        to: journals::seq(row.get(1)?)?,
        count: u64::try_from(row.get::<_, i64>(2)?)
            .ok()
            .and_then(NonZeroU64::new)
            .ok_or_else(|| Fault::corrupt(name()))?,
        at: Timestamp::from_millis(row.get(3)?),
    };
    lost_sum(journal, lane, &lost).verify(row.get(4)?, name)?;
    Ok(lost)
}

/// A gap that grows stays one record.
fn note_lost(connection: &Connection, journal: i64, lane: LaneId, lost: Lost) -> Result<(), Fault> {
    let newest = connection
        .prepare_cached(
            "SELECT from_seq, to_seq, count, at, sum
             FROM lost
             WHERE journal = ?1 AND lane = ?2
             ORDER BY from_seq DESC
             LIMIT 1",
        )?
        .query_row([journal, lane.get()], |row| Ok(read_lost(journal, lane, row)))
        .optional()?
        .transpose()?;
    let lost = match newest {
        Some(before) if lost.from <= before.to.next() => Lost {
            from: before.from.min(lost.from),
            to: before.to.max(lost.to),
            count: before.count.saturating_add(lost.count.get()),
            at: lost.at,
        },
        _ => lost,
    };
    connection
        .prepare_cached(
            "DELETE FROM lost WHERE journal = ?1 AND lane = ?2 AND from_seq >= ?3 AND to_seq <= ?4",
        )?
        .execute([journal, lane.get(), lost.from.get(), lost.to.get()])?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO lost (journal, lane, from_seq, to_seq, count, at, sum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            journal,
            lane.get(),
            lost.from.get(),
            lost.to.get(),
            to_i64(lost.count.get()),
            lost.at.as_millis(),
            lost_sum(journal, lane, &lost).done()
        ])?;
    Ok(())
}

pub(super) fn list_lost(
    connection: &Connection,
    journal: i64,
    lane: LaneId,
    after: i64,
    limit: i64,
) -> Result<Vec<Lost>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT from_seq, to_seq, count, at, sum
         FROM lost
         WHERE journal = ?1 AND lane = ?2 AND from_seq > ?3
         ORDER BY from_seq
         LIMIT ?4",
    )?;
    let mut rows = statement.query([journal, lane.get(), after, limit])?;
    let mut lost = Vec::new();
    while let Some(row) = rows.next()? {
        lost.push(read_lost(journal, lane, row)?);
    }
    Ok(lost)
}
