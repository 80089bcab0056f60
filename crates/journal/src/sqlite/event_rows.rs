//! Rows of `events`: writing them, reading and verifying them.

use bytes::Bytes;
use rusqlite::{Connection, Row, params};
use tandem_model::{
    BotId, Conversation, Event, EventKind, Family, Flags, LaneId, Lifetime, NewEvent, SourceId, Timestamp,
    Topic, Upstream, UpstreamId, VirtualId,
};

use super::{
    fault::Fault,
    journals::{self, Point},
    sums::{Sum, body_sum},
};

/// What an event's row has besides its body, in the order [`Header::read`] expects.
macro_rules! header_columns {
    () => {
        "position, kind, topic, family, flags, conversation, at, appended_at, lifetime, source, upstream, \
         cause, owner, virtual_id, total_bytes, body_sum, sum"
    };
}
pub(super) use header_columns;

/// The column after the header.
pub(super) const BODY: usize = 17;

/// Everything of a row but the body. Verified: what it says is what was written.
pub(super) struct Header {
    pub(super) position: i64,
    kind: i64,
    topic: i64,
    family: i64,
    flags: i64,
    pub(super) conversation: Conversation,
    at: i64,
    pub(super) appended_at: i64,
    lifetime: Option<i64>,
    source: Option<i64>,
    upstream: Option<i64>,
    cause: Option<i64>,
    owner: Option<i64>,
    virtual_id: i64,
    total_bytes: i64,
    body_sum: i64,
}

impl Header {
    fn of(position: i64, event: &NewEvent, appended_at: Timestamp, point: Point) -> Self {
        Self {
            position,
            kind: event.kind.code().into(),
            topic: event.topic.get().into(),
            family: event.family.0.into(),
            flags: event.flags.bits().into(),
            conversation: event.conversation.clone(),
            at: event.at.as_millis(),
            appended_at: appended_at.as_millis(),
            lifetime: match event.lifetime {
                Lifetime::Backlog => None,
                Lifetime::Seconds(seconds) => Some(seconds.into()),
            },
            source: event.upstream.map(|upstream| upstream.source.get()),
            upstream: event.upstream.map(|upstream| upstream.id.get()),
            cause: event.cause.map(LaneId::get),
            owner: event.owner.map(LaneId::get),
            virtual_id: point.virtual_id,
            total_bytes: point.bytes,
            body_sum: body_sum(&event.body),
        }
    }

    /// Reads and verifies [`header_columns`].
    pub(super) fn read(row: &Row<'_>) -> Result<Self, Fault> {
        let conversation = row.get_ref(5)?.as_str().map_err(|error| Fault::corrupt(error.to_string()))?;
        let header = Self {
            position: row.get(0)?,
            kind: row.get(1)?,
            topic: row.get(2)?,
            family: row.get(3)?,
            flags: row.get(4)?,
            conversation: Conversation::from_stored(conversation),
            at: row.get(6)?,
            appended_at: row.get(7)?,
            lifetime: row.get(8)?,
            source: row.get(9)?,
            upstream: row.get(10)?,
            cause: row.get(11)?,
            owner: row.get(12)?,
            virtual_id: row.get(13)?,
            total_bytes: row.get(14)?,
            body_sum: row.get(15)?,
        };
        header.sum().verify(row.get(16)?, || format!("event {}", header.name()))?;
        Ok(header)
    }

    fn sum(&self) -> Sum {
        Sum::of("events")
            .int(self.position)
            .int(self.kind)
            .int(self.topic)
            .int(self.family)
            .int(self.flags)
            .text(self.conversation.as_str())
            .int(self.at)
            .int(self.appended_at)
            .maybe(self.lifetime)
            .maybe(self.source)
            .maybe(self.upstream)
            .maybe(self.cause)
            .maybe(self.owner)
            .int(self.virtual_id)
            .int(self.total_bytes)
            .int(self.body_sum)
    }

    /// For people.
    pub(super) fn name(&self) -> String {
        format!("{} of journal {}", self.seq(), self.position >> 40)
    }

    pub(super) fn seq(&self) -> i64 {
        journals::seq_of(self.position)
    }

    /// How things stood after it.
    pub(super) fn point(&self) -> Point {
        Point { seq: self.seq(), virtual_id: self.virtual_id, bytes: self.total_bytes }
    }

    /// Makes sure that the body is the one that was written.
    pub(super) fn verify_body(&self, body: &[u8]) -> Result<(), Fault> {
        if body_sum(body) == self.body_sum {
            Ok(())
        } else {
            Err(Fault::corrupt(format!("the body of event {}", self.name())))
        }
    }

    /// The event without its body, as filters look at it.
    pub(super) fn new_event(&self, body: Bytes) -> Result<NewEvent, Fault> {
        let misfit = |column: &str| Fault::corrupt(format!("{column} of event {}", self.name()));
        let small = |value: i64, column: &str| u8::try_from(value).map_err(|_range| misfit(column));
        let lane = |value: Option<i64>, column: &str| {
            value.map(LaneId::new).transpose().map_err(|_range| misfit(column))
        };
        Ok(NewEvent {
            kind: EventKind::from_code(small(self.kind, "kind")?).ok_or_else(|| misfit("kind"))?,
            topic: Topic::new(small(self.topic, "topic")?).ok_or_else(|| misfit("topic"))?,
            conversation: self.conversation.clone(),
            family: Family(small(self.family, "family")?),
            at: Timestamp::from_millis(self.at),
            lifetime: match self.lifetime {
                None => Lifetime::Backlog,
                Some(seconds) => {
                    Lifetime::Seconds(u32::try_from(seconds).map_err(|_range| misfit("lifetime"))?)
                }
            },
            flags: Flags::from_bits(u32::try_from(self.flags).map_err(|_range| misfit("flags"))?),
            upstream: match (self.source, self.upstream) {
                (Some(source), Some(id)) => Some(Upstream {
                    source: SourceId::new(source).map_err(|_range| misfit("source"))?,
                    id: UpstreamId::new(id).map_err(|_range| misfit("upstream"))?,
                }),
                _ => None,
            },
            cause: lane(self.cause, "cause")?,
            owner: lane(self.owner, "owner")?,
            body,
        })
    }

    /// The event as it is given out.
    pub(super) fn event(&self, bot: BotId, new: NewEvent) -> Result<Event, Fault> {
        let virtual_id = if new.takes_update_id() {
            let misfit = |_range| Fault::corrupt(format!("update_id of event {}", self.name()));
            Some(VirtualId::new(self.virtual_id).map_err(misfit)?)
        } else {
            None
        };
        Ok(Event {
            bot,
            seq: journals::seq(self.seq())?,
            virtual_id,
            appended_at: Timestamp::from_millis(self.appended_at),
            new,
        })
    }

    /// The event with the body from column [`BODY`].
    pub(super) fn event_with_body(&self, bot: BotId, row: &Row<'_>) -> Result<Event, Fault> {
        let body = row.get_ref(BODY)?.as_blob().map_err(|error| Fault::corrupt(error.to_string()))?;
        self.verify_body(body)?;
        self.event(bot, self.new_event(Bytes::copy_from_slice(body))?)
    }
}

/// Writes an event. `point`: how things stand after it.
pub(super) fn insert(
    connection: &Connection,
    position: i64,
    event: &NewEvent,
    appended_at: Timestamp,
    point: Point,
) -> Result<(), Fault> {
    let header = Header::of(position, event, appended_at, point);
    connection
        .prepare_cached(concat!(
            "INSERT INTO events (",
            header_columns!(),
            ", body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
        ))?
        .execute(params![
            header.position,
            header.kind,
            header.topic,
            header.family,
            header.flags,
            header.conversation.as_str(),
            header.at,
            header.appended_at,
            header.lifetime,
            header.source,
            header.upstream,
            header.cause,
            header.owner,
            header.virtual_id,
            header.total_bytes,
            header.body_sum,
            header.sum().done(),
            &event.body[..],
        ])?;
    Ok(())
}

/// How things stand at the end of a journal.
pub(super) fn last_point(connection: &Connection, journal: i64, swept: Point) -> Result<Point, Fault> {
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        header_columns!(),
        "
         FROM events
         WHERE position > ?1 AND position <= ?2
         ORDER BY position DESC
         LIMIT 1"
    ))?;
    let mut rows =
        statement.query([journals::position(journal, swept.seq), journals::position(journal, i64::MAX)])?;
    match rows.next()? {
        None => Ok(swept),
        Some(row) => Ok(Header::read(row)?.point()),
    }
}

/// One event.
pub(super) fn find(connection: &Connection, bot: BotId, position: i64) -> Result<Option<Event>, Fault> {
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        header_columns!(),
        ", body
         FROM events
         WHERE position = ?1"
    ))?;
    let mut rows = statement.query([position])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Header::read(row)?.event_with_body(bot, row).map(Some)
}

/// How things stood after one event.
pub(super) fn find_header(connection: &Connection, position: i64) -> Result<Option<Header>, Fault> {
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        header_columns!(),
        "
         FROM events
         WHERE position = ?1"
    ))?;
    let mut rows = statement.query([position])?;
    rows.next()?.map(Header::read).transpose()
}

/// The event a new update would repeat.
pub(super) fn find_duplicate(
    connection: &Connection,
    journal: i64,
    upstream: Upstream,
    body: &[u8],
    since: Timestamp,
) -> Result<Option<i64>, Fault> {
    let mut statement = connection.prepare_cached(concat!(
        "SELECT ",
        header_columns!(),
        ", body
         FROM events INDEXED BY events_upstream
         WHERE upstream = ?1 AND position > ?2 AND position <= ?3
         ORDER BY position DESC"
    ))?;
    let mut rows = statement.query([
        upstream.id.get(),
        journals::position(journal, 0),
        journals::position(journal, i64::MAX),
    ])?;
    while let Some(row) = rows.next()? {
        let header = Header::read(row)?;
        if header.appended_at < since.as_millis() {
            // Older ones follow, unless the clock was set back between them: those are not looked for.
            break;
        }
        if header.source == Some(upstream.source.get()) {
            let stored = row.get_ref(BODY)?.as_blob().map_err(|error| Fault::corrupt(error.to_string()))?;
            header.verify_body(stored)?;
            if stored == body {
                return Ok(Some(header.seq()));
            }
        }
    }
    Ok(None)
}
