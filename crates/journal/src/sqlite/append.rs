//! Appending: duplicates, numbers, and what becomes true together with the events.

use std::time::Duration;

use tandem_model::{BotId, Event, NewEvent, Seq, Timestamp, UpstreamId, VirtualId};

use super::{
    event_rows, facts,
    fault::{Abort, Fault},
    inbox,
    journals::{self, Journal, Point},
    writing::Writing,
};
use crate::{Append, Appended, Cause, Lease, WriteError, tail::Change};

/// How far back a repeat is looked for (DESIGN section 3).
const DUPLICATE_WINDOW: Duration = Duration::from_hours(48);
/// Telegram starts its numbering anew there (reference/telegram.md 2.6), so we follow its jumps only below.
const JUMPS_BELOW: i64 = 2_000_000_000;
/// The largest body that is stored.
pub(super) const BODY_LIMIT: usize = 16 << 20;

/// Since when an update with the same number counts as a repeat.
pub(super) fn duplicates_since(now: Timestamp) -> Timestamp {
    now.minus(DUPLICATE_WINDOW)
}

/// Refuses what is too large before it waits for anything.
pub(super) fn check_sizes(append: &Append) -> Result<usize, WriteError> {
    let mut total = 0;
    for event in &append.events {
        if event.body.len() > BODY_LIMIT {
            return Err(WriteError::TooLarge { bytes: event.body.len(), limit: BODY_LIMIT });
        }
        total += event.body.len();
    }
    Ok(total)
}

/// Appends one batch.
pub(super) fn append(
    writing: &mut Writing<'_>,
    lease: Lease,
    bot: BotId,
    append: &Append,
) -> Result<Vec<Appended>, Abort<WriteError>> {
    writing.admit(lease, bot)?;
    let mut journal = writing.journal(bot)?;
    check_ids_left(&journal, append.events.len())?;
    let mut appended = Vec::with_capacity(append.events.len());
    for event in &append.events {
        appended.push(append_one(writing, &mut journal, event)?);
    }
    writing.keep_journal(bot, journal);
    facts::put(writing, &journal, &append.facts)?;
    inbox::consume(writing.connection, bot, &append.inbox)?;
    for (new, appended) in append.events.iter().zip(&appended) {
        if let Appended::New { seq, virtual_id } = *appended {
            let event = Event { bot, seq, virtual_id, appended_at: writing.now, new: new.clone() };
            writing.note(Change::Appended(event));
        }
    }
    Ok(appended)
}

/// Refuses before anything is written, so that a batch that is refused has changed nothing.
fn check_ids_left(journal: &Journal, events: usize) -> Result<(), Abort<WriteError>> {
    let left = VirtualId::MAX.get() - journal.end.virtual_id;
    if usize::try_from(left).is_ok_and(|left| events <= left) {
        Ok(())
    } else {
        let cause = Cause::new("this bot has used up the numbers that a Telegram update can have");
        Err(Abort::Refuse(WriteError::Unavailable(cause)))
    }
}

fn append_one(writing: &Writing<'_>, journal: &mut Journal, event: &NewEvent) -> Result<Appended, Fault> {
    if let Some(upstream) = event.upstream
        && !is_ahead(journal.end.virtual_id, upstream.id)
    {
        let since = duplicates_since(writing.now);
        let found =
            event_rows::find_duplicate(writing.connection, journal.number, upstream, &event.body, since)?;
        if let Some(seq) = found {
            return Ok(Appended::Duplicate { seq: journals::seq(seq)? });
        }
    }
    let virtual_id = if event.takes_update_id() {
        Some(next_virtual(journal.end.virtual_id, event.upstream.map(|upstream| upstream.id))?)
    } else {
        None
    };
    let seq = Seq::new(journal.end.seq + 1).map_err(|error| Fault::corrupt(error.to_string()))?;
    let point = Point {
        seq: seq.get(),
        virtual_id: match virtual_id {
            Some(id) => id.get(),
            // Nobody sees a number of it, but what repeats it must be looked for.
            None => {
                journal.end.virtual_id.max(followed(event.upstream.map(|upstream| upstream.id)).unwrap_or(0))
            }
        },
        bytes: journal.end.bytes + i64::try_from(event.body.len()).unwrap_or(i64::MAX),
    };
    let position = journal.position(seq.get());
    event_rows::insert(writing.connection, position, event, writing.now, point)?;
    journal.end = point;
    Ok(Appended::New { seq, virtual_id })
}

/// Whether an id is larger than every one before it, of whatever source, so that it can repeat none. Ours never are
/// behind those they were given for, which makes the last of them the bound; but for ids that ours do not follow.
fn is_ahead(last_virtual: i64, upstream: UpstreamId) -> bool {
    upstream.get() > last_virtual && upstream.get() < JUMPS_BELOW
}

/// The number of Telegram's that ours follow.
fn followed(upstream: Option<UpstreamId>) -> Option<i64> {
    upstream.map(UpstreamId::get).filter(|id| *id < JUMPS_BELOW)
}

/// The first is Telegram's own; then one more than the last, or Telegram's where that is ahead. A number that
/// went back, came late or came again therefore never makes ours go back.
fn next_virtual(last: i64, upstream: Option<UpstreamId>) -> Result<VirtualId, Fault> {
    let next = match (last, followed(upstream)) {
        // Without a number of Telegram's: where Telegram itself would start.
        (0, None) => 2_000_001,
        (0, Some(theirs)) => theirs.max(1),
        (last, theirs) => theirs.unwrap_or(0).max(last + 1),
    };
    VirtualId::new(next).map_err(|error| Fault::corrupt(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(last: i64, upstream: i64) -> i64 {
        let upstream = UpstreamId::new(upstream).unwrap();
        next_virtual(last, Some(upstream)).unwrap().get()
    }

    #[test]
    fn virtual_ids_follow_telegrams_upwards_and_never_go_back() {
        assert_eq!(next(0, 500), 500, "the first is Telegram's");
        assert_eq!(next(500, 501), 501);
        assert_eq!(next(501, 510), 510, "a gap is followed");
        assert_eq!(next(510, 505), 511, "a late one is put at the end");
        assert_eq!(next(511, 7), 512, "a re-based sequence goes on");
        assert_eq!(next(512, 1_999_999_999), 1_999_999_999);
        assert_eq!(next(600, 2_000_000_000), 601, "no jump to where Telegram would start anew");
        assert_eq!(next(0, 0), 1, "apps never see 0");
        assert_eq!(next(0, i32::MAX.into()), 2_000_001);
    }

    #[test]
    fn the_last_virtual_id_is_refused_to_be_passed() {
        assert_eq!(next(i64::from(i32::MAX) - 1, 5), i64::from(i32::MAX));
        assert!(next_virtual(i32::MAX.into(), None).is_err());
    }
}
