//! What the company said in a chat before its CRM knew of it: the last 24 hours, at most 20 lines.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tandem_journal::{Page, ReadError, Store};
use tandem_lanes::LaneAddress;
use tandem_model::{
    BotId, Event, OrderKey, Seq, Timestamp,
    message::{Act, Speaker, Told},
};

use super::{
    reading::{Matter, Reading},
    times::{Times, part},
};

/// How far back it goes.
pub(super) const DAY: Duration = Duration::from_hours(24);
/// So many lines at most; the oldest are left out.
const LINES: usize = 20;
/// How much of a conversation is read at a time.
const PAGE: Page = Page { events: 200, bytes: 1 << 20 };
/// A position that was found holds for moments that are later by so much: a little more is read.
const HOLDS: Duration = Duration::from_mins(10);

/// Where a bot's journal was at a moment, found once for many chats that are opened.
#[derive(Debug, Default)]
pub(super) struct Moments(Mutex<Option<(Timestamp, Seq)>>);

impl Moments {
    /// The last position before this moment, or an earlier one.
    async fn find(&self, store: &dyn Store, bot: BotId, moment: Timestamp) -> Result<Seq, ReadError> {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, seq)) = known
            && at <= moment
            && moment.since(at) <= HOLDS
        {
            return Ok(seq);
        }
        let head = store.head(bot).await?;
        // Everything before `low` is older, nothing from `high` on is.
        let (mut low, mut high) = (head.oldest.get(), head.last.get() + 1);
        while low < high {
            let middle = low + (high - low) / 2;
            let event = match Seq::new(middle) {
                Ok(seq) => store.find_event(bot, seq).await?,
                Err(_) => None,
            };
            if event.is_none_or(|event| event.appended_at < moment) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let seq = Seq::new(low).map_or(Seq::ZERO, Seq::previous);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((moment, seq));
        Ok(seq)
    }
}

/// What the company said before this event, in order, edits of it included.
pub(super) async fn company_lines(
    store: &dyn Store,
    lane: LaneAddress,
    reading: &Reading,
    moments: &Moments,
    event: &Event,
) -> Result<Vec<Told>, ReadError> {
    let since = event.at.minus(DAY);
    let key = OrderKey { conversation: event.conversation.clone(), family: None };
    let until = event.seq.previous();
    let mut after = moments.find(store, lane.bot, since).await?;
    let mut times = Times::default();
    let mut lines = VecDeque::new();
    while after < until {
        let page = store.read_conversation(lane.bot, lane.lane, key.clone(), after, until, PAGE).await?;
        for earlier in &page.events {
            let time = times.next(earlier);
            if earlier.at >= since {
                take_in(&mut lines, reading.matter(earlier), time);
            }
        }
        if page.scanned_to <= after {
            break;
        }
        after = page.scanned_to;
    }
    Ok(lines.into())
}

/// Adds what the company said, or changes what it has edited.
fn take_in(lines: &mut VecDeque<Told>, matter: Matter, time: Timestamp) {
    let Matter::Told(told) = matter else { return };
    for (number, mut told) in told.into_iter().enumerate() {
        match (&told.by, &mut told.act) {
            (Speaker::Client(_), _) | (_, Act::Reacted { .. }) => {}
            (Speaker::Bot { .. } | Speaker::Manager(_), Act::Said(_)) => {
                told.at = part(time, number);
                lines.push_back(told);
                if lines.len() > LINES {
                    lines.pop_front();
                }
            }
            (Speaker::Bot { .. } | Speaker::Manager(_), Act::Edited(body)) => {
                if let Some(line) = lines.iter_mut().find(|line| line.key == told.key) {
                    line.act = Act::Said(body.clone());
                }
            }
        }
    }
}
