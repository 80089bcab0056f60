//! The times that a CRM is told: in order and each only once within a conversation, and the same again on a repeat.
//!
//! Telegram counts in seconds, and a CRM sorts by milliseconds. So an event gets its own time, or the first one that is
//! free after what came before it in its conversation, whichever is later; an event that may become several messages
//! (an album) takes as many milliseconds. This is a pure function of the heads of the conversation's events, in the
//! order of the journal, whether or not they are told: it does not matter which of them are repeated.
//!
//! A conversation that is met for the first time since the start is counted from [`LOOK_BACK`] positions before the
//! event on. What began earlier than that and still pushes times ahead (more than a message a millisecond) does not
//! happen among people.

use tandem_model::{Event, EventKind, Seq, Timestamp};
use tandem_telegram::methods::Act;

/// How many positions of the journal are looked at before the first event.
pub(super) const LOOK_BACK: usize = 256;
/// Most messages of an album.
const ALBUM: i64 = 10;
/// Most messages that one call forwards or copies.
const FORWARDED: i64 = 100;

/// Counts a conversation's times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Times {
    /// The first one that is free.
    free: i64,
}

impl Times {
    /// The time of the conversation's next event, or of its first message.
    pub(super) fn next(&mut self, event: &Event) -> Timestamp {
        let at = event.at.as_millis().max(self.free);
        self.free = at.saturating_add(room(event));
        Timestamp::from_millis(at)
    }
}

/// The time of an event's message of this number, from 0.
pub(super) fn part(first: Timestamp, number: usize) -> Timestamp {
    let further = i64::try_from(number).unwrap_or(FORWARDED).min(FORWARDED - 1);
    Timestamp::from_millis(first.as_millis().saturating_add(further))
}

/// Where counting begins for an event.
pub(super) fn beginning(seq: Seq) -> Seq {
    let back = i64::try_from(LOOK_BACK).unwrap_or(i64::MAX);
    Seq::new(seq.get().saturating_sub(back).max(0)).unwrap_or(Seq::ZERO)
}

/// How many messages an event can become.
fn room(event: &Event) -> i64 {
    if event.kind != EventKind::Sent {
        return 1;
    }
    match Act::from_topic(event.topic) {
        Some(Act::Forward | Act::Copy) => FORWARDED,
        Some(Act::Send) => ALBUM,
        _ => 1,
    }
}
