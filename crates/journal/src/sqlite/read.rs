//! Reading a journal, in bounded steps.
//!
//! Every row that is passed is verified, wanted or not, and above what retention has passed there must be one row
//! per `seq`: a row that the disk has hidden is noticed as a gap.

use bytes::Bytes;
use rusqlite::{Connection, params};
use tandem_model::{Authorship, BotId, Event, Filter, LaneId, OrderKey, Seq, VirtualId};

use super::{
    event_rows::{self, Header, header_columns},
    fault::Fault,
    filters::{Version, Walk},
    journals::{self, Journal},
};
use crate::{Head, JournalPage, LanePage, Page, tail::LatestFilter};

/// Rows looked at in one call, wanted or not: a few milliseconds.
pub(super) const SCAN_ROWS: i64 = 4096;

/// Collects events until the page is full.
struct Collector {
    page: Page,
    bytes: usize,
    events: Vec<Event>,
}

impl Collector {
    fn new(page: Page) -> Self {
        Self { page, bytes: 0, events: Vec::new() }
    }

    fn is_full(&self) -> bool {
        self.page.is_full(self.events.len(), self.bytes)
    }

    fn push(&mut self, event: Event) {
        self.bytes += event.body.len();
        self.events.push(event);
    }
}

/// Notices a row that is missing where there can be no gap.
struct Gaps {
    expected: i64,
    swept: i64,
}

impl Gaps {
    fn new(journal: &Journal, after: i64) -> Self {
        Self { expected: after.max(journal.swept.seq) + 1, swept: journal.swept.seq }
    }

    fn pass(&mut self, seq: i64) -> Result<(), Fault> {
        if seq <= self.swept {
            return Ok(());
        }
        self.end_before(seq)?;
        self.expected = seq + 1;
        Ok(())
    }

    fn end_before(&self, seq: i64) -> Result<(), Fault> {
        if self.expected < seq {
            return Err(Fault::corrupt(format!("event {} is missing", self.expected)));
        }
        Ok(())
    }
}

/// Reads for a lane, and says which filter holds for what comes next, as far as the read has come across it.
pub(super) fn read_lane(
    connection: &Connection,
    bot: BotId,
    lane: LaneId,
    after: Seq,
    page: Page,
) -> Result<(LanePage, Option<LatestFilter>), Fault> {
    let Some(journal) = journals::find(connection, bot)? else {
        return Ok((LanePage { events: Vec::new(), scanned_to: after, head: Seq::ZERO }, None));
    };
    let head = journals::seq(journal.end.seq)?;
    let walk = if after < head {
        Walk::begin(connection, journal.number, lane.get(), after.get() + 1)?
    } else {
        None
    };
    let Some(mut walk) = walk else {
        return Ok((LanePage { events: Vec::new(), scanned_to: head.max(after), head }, None));
    };
    let mut scan = Scan {
        connection,
        bot,
        journal: &journal,
        lane,
        scanned_to: after.get(),
        rows_left: SCAN_ROWS,
        gaps: Gaps::new(&journal, after.get()),
        collector: Collector::new(page),
    };
    while scan.scanned_to < journal.end.seq && !scan.is_over() {
        let filter = walk.filter(scan.scanned_to + 1)?;
        let to = walk.last_seq().min(journal.end.seq);
        scan.stretch(&filter, to)?;
    }
    let latest = match walk.latest() {
        None => None,
        Some(Version { from_seq, filter }) => Some(LatestFilter { from: journals::seq(from_seq)?, filter }),
    };
    let page = LanePage { scanned_to: journals::seq(scan.scanned_to)?, events: scan.collector.events, head };
    Ok((page, latest))
}

/// A lane's walk along its journal.
struct Scan<'a> {
    connection: &'a Connection,
    bot: BotId,
    journal: &'a Journal,
    lane: LaneId,
    scanned_to: i64,
    rows_left: i64,
    gaps: Gaps,
    collector: Collector,
}

impl Scan<'_> {
    fn is_over(&self) -> bool {
        self.rows_left == 0 || self.collector.is_full()
    }

    /// Goes on to `to`, for all of which `filter` holds, or until the page or the step is full.
    fn stretch(&mut self, filter: &Filter, to: i64) -> Result<(), Fault> {
        // The filter stands in the SQL only so that bodies nobody wants stay on the disk. What counts is what it
        // says of the row once that is verified.
        let mut statement = self.connection.prepare_cached(concat!(
            "SELECT ",
            header_columns!(),
            ",
                 CASE WHEN (?4 >> kind) & 1
                     AND (kind <> 0 OR (?5 >> topic) & 1)
                     AND flags & ?6 = 0
                     AND (?7 = 2 OR cause IS NOT ?8)
                     AND (?7 <> 1 OR owner IS NULL OR owner = ?8)
                 THEN body END
             FROM events
             WHERE position > ?1 AND position <= ?2
             ORDER BY position
             LIMIT ?3"
        ))?;
        let mut rows = statement.query(params![
            self.journal.position(self.scanned_to),
            self.journal.position(to),
            self.rows_left,
            filter.kinds.bits(),
            filter.topics.bits().cast_signed(),
            filter.without.bits(),
            match filter.authorship {
                Authorship::OthersOnly => 0,
                Authorship::OthersOnlyAndNotOwned => 1,
                Authorship::Everybody => 2,
            },
            self.lane.get(),
        ])?;
        while !self.is_over() {
            let Some(row) = rows.next()? else {
                self.gaps.end_before(to + 1)?;
                self.scanned_to = to;
                return Ok(());
            };
            let header = Header::read(row)?;
            self.gaps.pass(header.seq())?;
            if filter.admits(self.lane, &header.new_event(Bytes::new())?) {
                self.collector.push(header.event_with_body(self.bot, row)?);
            }
            self.scanned_to = header.seq();
            self.rows_left -= 1;
        }
        Ok(())
    }
}

pub(super) fn read_conversation(
    connection: &Connection,
    bot: BotId,
    lane: LaneId,
    key: &OrderKey,
    range: (Seq, Seq),
    page: Page,
) -> Result<LanePage, Fault> {
    let (after, until) = range;
    let Some(journal) = journals::find(connection, bot)? else {
        return Ok(LanePage { events: Vec::new(), scanned_to: after, head: Seq::ZERO });
    };
    let head = journals::seq(journal.end.seq)?;
    let end = until.min(head);
    let nothing = LanePage { events: Vec::new(), scanned_to: end.max(after), head };
    if after >= end {
        return Ok(nothing);
    }
    let Some(mut walk) = Walk::begin(connection, journal.number, lane.get(), after.get() + 1)? else {
        return Ok(nothing);
    };
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        header_columns!(),
        ", body
         FROM events INDEXED BY events_conversation
         WHERE conversation = ?1 AND position > ?2 AND position <= ?3
         ORDER BY position
         LIMIT ?4"
    ))?;
    let mut rows = statement.query(params![
        key.conversation.as_str(),
        journal.position(after.get()),
        journal.position(end.get()),
        SCAN_ROWS,
    ])?;
    let mut collector = Collector::new(page);
    let mut scanned_to = after.get();
    let mut rows_left = SCAN_ROWS;
    while rows_left > 0 && !collector.is_full() {
        let Some(row) = rows.next()? else {
            scanned_to = end.get();
            break;
        };
        let header = Header::read(row)?;
        if header.conversation != key.conversation {
            return Err(Fault::corrupt(format!("the conversation index at event {}", header.name())));
        }
        let filter = walk.filter(header.seq())?;
        let new = header.new_event(Bytes::new())?;
        if key.family.is_none_or(|family| family == new.family) && filter.admits(lane, &new) {
            collector.push(header.event_with_body(bot, row)?);
        }
        scanned_to = header.seq();
        rows_left -= 1;
    }
    Ok(LanePage { events: collector.events, scanned_to: journals::seq(scanned_to)?, head })
}

pub(super) fn read_journal(
    connection: &Connection,
    bot: BotId,
    after: Seq,
    page: Page,
) -> Result<JournalPage, Fault> {
    let Some(journal) = journals::find(connection, bot)? else {
        return Ok(JournalPage { events: Vec::new(), head: Seq::ZERO });
    };
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        header_columns!(),
        ", body
         FROM events
         WHERE position > ?1 AND position <= ?2
         ORDER BY position"
    ))?;
    let mut rows = statement.query([journal.position(after.get()), journal.position(journal.end.seq)])?;
    let mut collector = Collector::new(page);
    let mut gaps = Gaps::new(&journal, after.get());
    while !collector.is_full() {
        let Some(row) = rows.next()? else {
            gaps.end_before(journal.end.seq + 1)?;
            break;
        };
        let header = Header::read(row)?;
        gaps.pass(header.seq())?;
        collector.push(header.event_with_body(bot, row)?);
    }
    Ok(JournalPage { events: collector.events, head: journals::seq(journal.end.seq)? })
}

pub(super) fn find_event(connection: &Connection, bot: BotId, seq: Seq) -> Result<Option<Event>, Fault> {
    let Some(journal) = journals::find(connection, bot)? else { return Ok(None) };
    if seq == Seq::ZERO || seq.get() > journal.end.seq {
        return Ok(None);
    }
    let event = event_rows::find(connection, bot, journal.position(seq.get()))?;
    if event.is_none() && seq.get() > journal.swept.seq {
        return Err(Fault::corrupt(format!("event {seq} is missing")));
    }
    Ok(event)
}

pub(super) fn head(connection: &Connection, bot: BotId) -> Result<Head, Fault> {
    match journals::find(connection, bot)? {
        Some(journal) => journal.head(),
        None => Ok(Head { last: Seq::ZERO, oldest: Seq::ZERO.next(), next_virtual: None, bytes: 0 }),
    }
}

/// Each event carries the last `update_id` given so far, so the journal is sorted by it and can be halved: no index
/// is kept for something that is asked once per poll.
pub(super) fn find_position(connection: &Connection, bot: BotId, id: VirtualId) -> Result<Seq, Fault> {
    let Some(journal) = journals::find(connection, bot)? else { return Ok(Seq::ZERO.next()) };
    let (mut below, mut from) = (journal.swept.seq, journal.end.seq + 1);
    while below + 1 < from {
        let middle = below + (from - below) / 2;
        let header = event_rows::find_header(connection, journal.position(middle))?
            .ok_or_else(|| Fault::corrupt(format!("event {middle} is missing")))?;
        if header.point().virtual_id >= id.get() {
            from = middle;
        } else {
            below = middle;
        }
    }
    journals::seq(from)
}
