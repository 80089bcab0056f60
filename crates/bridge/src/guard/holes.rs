//! Holes in a bot's numbers: found when updates come, noted in the journal once each, counted, and told.
//!
//! Where updates are asked for, the mark of a hole is committed together with the updates that show it. Where they are
//! posted, it is committed once Telegram has nothing left that could fill it. The count follows in a commit of its own;
//! a crash between the two is mended from the marks when the journal is read again.

use bytes::Bytes;
use tandem_journal::{Append, Page, ReadError, Urgency};
use tandem_model::{Event, EventKind, NewEvent, Seq, Timestamp, UpstreamId, VirtualId};
use tandem_telegram::upstream::WebhookInfo;

use super::{
    GuardMark,
    numbers::{Hole, Numbers, Said},
};
use crate::{Bridge, HolderKind, Taker, bots::LiveBot, bridge::Chain};

/// So many of the last updates are looked at after a start: more than can be under way at a time.
const TAIL_UPDATES: i64 = 128;
/// How much of the journal is read for it.
const TAIL: Page = Page { events: 1000, bytes: 4 << 20 };

/// A batch with the marks of what is missing in it.
#[derive(Debug)]
pub(crate) struct Marked {
    /// To be committed: each mark stands before the update that shows it.
    pub(crate) events: Vec<NewEvent>,
    after: Option<Numbers>,
    told: Told,
}

/// What is to be counted once it is committed.
#[derive(Debug, Default)]
struct Told {
    holes: Vec<Hole>,
    came_late: Vec<(i64, Option<Taker>)>,
}

impl Bridge {
    /// Puts marks of what is missing into a batch that Telegram gave in order.
    pub(crate) async fn mark_holes(&self, live: &LiveBot, updates: &[NewEvent]) -> Marked {
        let mut numbers = live.guard.numbers.lock().await;
        let read = self.numbers(live, &mut numbers).await;
        let mut marked = Marked { events: Vec::new(), after: None, told: Told::default() };
        let Some(mut ahead) = read.cloned() else {
            marked.events = updates.to_vec();
            return marked;
        };
        let now = self.parts().clock.now();
        let suspect = live.guard.suspect();
        for update in updates {
            if let Some(upstream) = &update.upstream {
                let said = ahead.observe(upstream.id, now, suspect.as_ref());
                // What was open from when updates were posted would have come first.
                let holes = ahead.settle_all();
                marked.events.extend(holes.iter().map(|hole| GuardMark::from(hole).event(now)));
                marked.told.holes.extend(holes);
                if let Said::CameLate(by) = said {
                    let by_kind = by.as_ref().map(|by| by.kind);
                    let mark = GuardMark::CameLate { by: by_kind, update_id: upstream.id.get() };
                    marked.events.push(mark.event(now));
                    marked.told.came_late.push((upstream.id.get(), by));
                }
            }
            marked.events.push(update.clone());
        }
        marked.after = Some(ahead);
        marked
    }

    /// The batch is committed: `last` is where it ends.
    pub(crate) async fn holes_are_marked(&self, live: &LiveBot, marked: Marked, last: Option<Seq>) {
        if let Some(after) = marked.after {
            *live.guard.numbers.lock().await = Some(after);
        }
        if !marked.events.is_empty() {
            Self::clear_suspect(live);
        }
        self.count(live, marked.told, last).await;
    }

    /// Nobody knows whether the batch was committed: the journal says so when it is read again.
    pub(crate) async fn forget_numbers(&self, live: &LiveBot) {
        *live.guard.numbers.lock().await = None;
    }

    /// Reads the journal's end before the first update after a start is added to it.
    pub(crate) async fn know_numbers(&self, live: &LiveBot) {
        let mut numbers = live.guard.numbers.lock().await;
        self.numbers(live, &mut numbers).await;
    }

    /// An update was posted to us and is committed.
    pub(crate) async fn posted(&self, live: &LiveBot, id: UpstreamId) {
        let said = {
            let mut numbers = live.guard.numbers.lock().await;
            let Some(numbers) = numbers.as_mut() else { return };
            numbers.observe(id, self.parts().clock.now(), live.guard.suspect().as_ref())
        };
        Self::clear_suspect(live);
        if let Said::CameLate(by) = said {
            let by_kind = by.as_ref().map(|by| by.kind);
            self.put_marks(live, vec![GuardMark::CameLate { by: by_kind, update_id: id.get() }]).await;
            self.count(live, Told { came_late: vec![(id.get(), by)], ..Told::default() }, None).await;
        }
    }

    /// Notes what is missing of what was posted, now that Telegram has been asked what it still has to deliver.
    pub(crate) async fn settle_holes(&self, live: &LiveBot, info: &WebhookInfo, asked_at: Timestamp) {
        let holes = {
            let mut numbers = live.guard.numbers.lock().await;
            let Some(numbers) = numbers.as_mut().filter(|numbers| numbers.has_open()) else { return };
            numbers.settle(asked_at, info.pending_update_count == 0)
        };
        if holes.is_empty() {
            return;
        }
        let last = self.put_marks(live, holes.iter().map(GuardMark::from).collect()).await;
        self.count(live, Told { holes, ..Told::default() }, last).await;
    }

    /// Notes something in the journal; where it stands. What cannot be noted is logged and gone.
    pub(crate) async fn put_marks(&self, live: &LiveBot, marks: Vec<GuardMark>) -> Option<Seq> {
        let now = self.parts().clock.now();
        let events = marks.iter().map(|mark| mark.event(now)).collect();
        let append = Append { events, urgency: Urgency::MustKeep, ..Append::default() };
        match self.parts().recorder.record(live.id(), append).await {
            Ok(appended) => appended.last().map(|one| one.seq()),
            Err(error) => {
                let (bot, reason) = (live.id(), Chain(&error));
                tracing::warn!(bot.id = %bot, "what the guard of bot {bot} did could not be noted: {reason}");
                None
            }
        }
    }

    /// Whoever had the stream has it no more, and what he took is counted.
    fn clear_suspect(live: &LiveBot) {
        if live.guard.suspect().is_some() && live.document().guard.taker().is_none() {
            live.guard.set_suspect(None);
        }
    }

    async fn count(&self, live: &LiveBot, told: Told, last: Option<Seq>) {
        let Told { holes, came_late } = told;
        if holes.is_empty() && came_late.is_empty() {
            return;
        }
        let bot = live.id();
        for hole in &holes {
            tell(live, hole);
        }
        for (id, by) in &came_late {
            let name = by.as_ref().map_or_else(|| "nobody".to_owned(), Taker::name);
            tracing::info!(bot.id = %bot, update.id = id, "update {id} of bot {bot}, counted as gone to {name}, came after all");
        }
        let counting = self.change_bot(bot, &[], |document| {
            for hole in &holes {
                document.guard.count(hole.by.as_ref().map(|by| by.kind), hole.updates());
            }
            for (_, by) in &came_late {
                document.guard.count(by.as_ref().map(|by| by.kind), -1);
            }
            document.guard.counted_to = last.or(document.guard.counted_to).max(document.guard.counted_to);
        });
        match Box::pin(counting).await {
            Ok(document) => live.set_known(document, live.hook()),
            Err(error) => {
                let reason = Chain(&error);
                tracing::warn!(bot.id = %bot, "what went past bot {bot} could not be counted: {reason}");
                // Reading the journal again counts it by its marks.
                self.forget_numbers(live).await;
            }
        }
    }

    /// The numbers, read from the journal if that has not been done. `None` when it cannot be read.
    async fn numbers<'a>(&self, live: &LiveBot, numbers: &'a mut Option<Numbers>) -> Option<&'a mut Numbers> {
        if numbers.is_none() {
            match self.read_numbers(live).await {
                Ok(read) => *numbers = Some(read),
                Err(error) => {
                    let bot = live.id();
                    tracing::debug!(bot.id = %bot, %error, "the end of the journal of bot {bot} cannot be read");
                }
            }
        }
        numbers.as_mut()
    }

    async fn read_numbers(&self, live: &LiveBot) -> Result<Numbers, ReadError> {
        let (store, bot, guard) = (&self.parts().store, live.id(), live.document().guard);
        let mut numbers = Numbers::default();
        let Some(next) = store.head(bot).await?.next_virtual else { return Ok(numbers) };
        let first = VirtualId::new((next.get() - TAIL_UPDATES).max(1)).unwrap_or(VirtualId::MIN);
        let mut after = store.find_position(bot, first).await?.previous();
        let (mut last_update, mut uncounted, mut noted) = (None, Vec::new(), Vec::new());
        loop {
            let page = store.read_journal(bot, after, TAIL).await?;
            let Some(end) = page.events.last().map(|event| event.seq) else { break };
            after = end;
            for event in &page.events {
                if guard.ours_since.is_some_and(|since| event.appended_at < since) {
                    continue;
                }
                match (event.kind, &event.upstream) {
                    (EventKind::Update, Some(upstream)) if upstream.source == live.handle.source() => {
                        numbers.observe(upstream.id, event.appended_at, None);
                        last_update = Some(event.appended_at);
                    }
                    (EventKind::Mark, _) => {
                        if let Some(hole) = hole_of(event) {
                            if guard.counted_to.is_none_or(|counted| counted < event.seq) {
                                uncounted.push((hole.by.as_ref().map(|by| by.kind), hole.updates()));
                            }
                            noted.push(hole);
                        }
                    }
                    _ => {}
                }
            }
        }
        // A mark stands before the update that shows what it says.
        for hole in noted {
            numbers.remember(hole);
        }
        if let Some(taken) = &guard.taken
            && taken.ended.is_none_or(|ended| last_update.is_none_or(|last| last < ended))
        {
            live.guard.set_suspect(Some(taken.by.clone()));
        }
        self.count_again(live, uncounted, after).await;
        Ok(numbers)
    }

    /// Counts what a crash left uncounted.
    async fn count_again(&self, live: &LiveBot, uncounted: Vec<(Option<HolderKind>, i64)>, to: Seq) {
        if uncounted.is_empty() {
            return;
        }
        let changed = self.change_bot(live.id(), &[], |document| {
            for (by, updates) in &uncounted {
                document.guard.count(*by, *updates);
            }
            document.guard.counted_to = Some(to);
        });
        match changed.await {
            Ok(document) => live.set_known(document, live.hook()),
            Err(error) => {
                let (bot, reason) = (live.id(), Chain(&error));
                tracing::warn!(bot.id = %bot, "what went past bot {bot} could not be counted: {reason}");
            }
        }
    }
}

/// The hole that a mark is about.
fn hole_of(event: &Event) -> Option<Hole> {
    let body: &Bytes = &event.body;
    match serde_json::from_slice(body) {
        Ok(GuardMark::Hole { from, to, by, .. }) => Some(Hole { from, to, by, at: event.appended_at }),
        // Other marks, the gateway's among them.
        Ok(_) | Err(_) => None,
    }
}

fn tell(live: &LiveBot, hole: &Hole) {
    let (bot, updates, Hole { from, to, .. }) = (live.id(), hole.updates(), hole);
    let what = if updates == 1 { "1 update".to_owned() } else { format!("{updates} updates") };
    if let Some(by) = &hole.by {
        let name = by.name();
        tracing::warn!(
            bot.id = %bot, guard.updates = updates, guard.from = from, guard.to = to, holder.kind = by.kind.as_str(),
            "{what} of bot {bot} went past your code to {name} and cannot be fetched again (update_id {from} to {to})"
        );
    } else {
        tracing::warn!(
            bot.id = %bot, guard.updates = updates, guard.from = from, guard.to = to,
            "{what} of bot {bot} never came (update_id {from} to {to}): they outlived their time at Telegram while \
             nobody fetched them, or another program took them unseen"
        );
    }
}
