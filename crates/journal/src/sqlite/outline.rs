//! Looking at a lane's events without their bodies, from either end, in bounded steps.

use bytes::Bytes;
use rusqlite::{Connection, Row};
use tandem_model::{BotId, LaneId, Seq};

use super::{
    event_rows::{Header, header_columns},
    fault::Fault,
    filters::InForce,
    journals::{self, Journal},
    read::SCAN_ROWS,
};
use crate::{Order, Outline, OutlinePage};

macro_rules! select {
    ($order:literal) => {
        concat!(
            "SELECT ",
            header_columns!(),
            "
             FROM events
             WHERE position > ?1 AND position <= ?2
             ORDER BY position ",
            $order,
            "
             LIMIT ?3"
        )
    };
}

pub(super) fn outline_lane(
    connection: &Connection,
    bot: BotId,
    lane: LaneId,
    stretch: (Seq, Seq),
    order: Order,
    limit: usize,
) -> Result<OutlinePage, Fault> {
    let (after, until) = stretch;
    let journal = journals::find(connection, bot)?;
    let head = journal.as_ref().map_or(Ok(Seq::ZERO), |journal| journals::seq(journal.end.seq))?;
    let end = until.min(head);
    let nothing = OutlinePage {
        events: Vec::new(),
        scanned_to: match order {
            Order::OldestFirst => end.max(after),
            Order::NewestFirst => after,
        },
        head,
    };
    let Some(journal) = journal.filter(|_| after < end) else { return Ok(nothing) };
    let first = match order {
        Order::OldestFirst => after.next(),
        Order::NewestFirst => end,
    };
    let Some(filters) = InForce::find(connection, journal.number, lane.get(), first.get())? else {
        return Ok(nothing);
    };
    let mut statement = connection.prepare_cached(match order {
        Order::OldestFirst => select!("ASC"),
        Order::NewestFirst => select!("DESC"),
    })?;
    let mut rows =
        statement.query([journal.position(after.get()), journal.position(end.get()), SCAN_ROWS])?;
    let mut scan = Scan { bot, lane, journal, order, filters, expected: first.get(), events: Vec::new() };
    for _ in 0..SCAN_ROWS {
        let Some(row) = rows.next()? else {
            scan.end(after, end)?;
            return Ok(OutlinePage { events: scan.events, ..nothing });
        };
        scan.pass(row)?;
        if scan.events.len() >= limit.max(1) {
            break;
        }
    }
    let scanned_to = match order {
        Order::OldestFirst => scan.expected - 1,
        Order::NewestFirst => scan.expected,
    };
    Ok(OutlinePage { events: scan.events, scanned_to: journals::seq(scanned_to)?, head })
}

/// A look along a journal.
struct Scan<'a> {
    bot: BotId,
    lane: LaneId,
    journal: Journal,
    order: Order,
    filters: InForce<'a>,
    /// The next `seq`, where there can be no gap.
    expected: i64,
    events: Vec<Outline>,
}

impl Scan<'_> {
    fn pass(&mut self, row: &Row<'_>) -> Result<(), Fault> {
        let header = Header::read(row)?;
        let seq = header.seq();
        match self.order {
            Order::OldestFirst => self.no_gap(self.expected, seq - 1)?,
            Order::NewestFirst => self.no_gap(seq + 1, self.expected)?,
        }
        self.expected = match self.order {
            Order::OldestFirst => seq + 1,
            Order::NewestFirst => seq - 1,
        };
        let event = header.event(self.bot, header.new_event(Bytes::new())?)?;
        if self.filters.filter(seq)?.admits(self.lane, &event.new) {
            self.events.push(Outline::from(&event));
        }
        Ok(())
    }

    /// Nothing may be missing at the end of what was asked for either.
    fn end(&self, after: Seq, end: Seq) -> Result<(), Fault> {
        match self.order {
            Order::OldestFirst => self.no_gap(self.expected, end.get()),
            Order::NewestFirst => self.no_gap(after.get() + 1, self.expected),
        }
    }

    /// Above what retention has passed there is a row for each `seq`.
    fn no_gap(&self, from: i64, to: i64) -> Result<(), Fault> {
        let from = from.max(self.journal.swept.seq + 1);
        if from <= to { Err(Fault::corrupt(format!("event {from} is missing"))) } else { Ok(()) }
    }
}
