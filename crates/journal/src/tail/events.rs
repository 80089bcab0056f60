//! The last events of each journal, without gaps, the oldest of all bots first to go.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use tandem_model::{BotId, Event, Seq};

/// About what an event needs beside itself and its body: two allocations and its places in the queues.
const OVERHEAD_BYTES: usize = 96;
const LEAST_BYTES: usize = size_of::<Event>() + OVERHEAD_BYTES;

/// What an event needs in memory, about.
fn cost(event: &Event) -> usize {
    LEAST_BYTES + event.new.body.len() + event.new.conversation.as_str().len()
}

#[derive(Debug)]
struct Aged {
    /// Grows with each event that comes, of whatever bot.
    age: u64,
    event: Event,
}

/// For each bot the end of its journal. No stretch is empty, and in none is a gap.
#[derive(Debug, Default)]
pub(super) struct Stretches {
    of_bot: HashMap<BotId, VecDeque<Aged>>,
    ages: Ages,
    bytes: usize,
}

impl Stretches {
    /// An event that follows the last one of its bot. Everything together stays within `limit_bytes`.
    pub(super) fn push(&mut self, mut event: Event, limit_bytes: usize) {
        let (bot, cost) = (event.bot, cost(&event));
        let follows = |last: &Aged| last.event.seq.next() == event.seq;
        let gap = self.of_bot.get(&bot).and_then(VecDeque::back).is_some_and(|last| !follows(last));
        // One that would drive out half of all others is left to the store, and what is before it must not be read
        // as if it were the end.
        let too_large = cost > limit_bytes / 2;
        if gap || too_large {
            self.forget_to(bot, Seq::MAX);
        }
        if too_large {
            return;
        }
        // The body it came with may be a small part of a large buffer, which would stay as a whole.
        event.new.body = Bytes::copy_from_slice(&event.new.body);
        let age = self.ages.push(bot);
        self.bytes += cost;
        self.of_bot.entry(bot).or_default().push_back(Aged { age, event });
        while (self.bytes > limit_bytes || self.ages.len() > limit_bytes / LEAST_BYTES)
            && let Some(oldest) = self.ages.oldest()
        {
            self.pop(oldest);
        }
    }

    /// What follows `after` in a bot's journal, and where that ends; `None` when not all of it is here.
    pub(super) fn after(&self, bot: BotId, after: Seq) -> Option<(Seq, impl Iterator<Item = &Event>)> {
        let stretch = self.of_bot.get(&bot)?;
        let (first, last) = (stretch.front()?.event.seq, stretch.back()?.event.seq);
        let skip = usize::try_from(after.get().checked_sub(first.get())?.checked_add(1)?).ok()?;
        if skip > stretch.len() {
            // The store may know more of it already.
            return None;
        }
        Some((last, stretch.range(skip..).map(|aged| &aged.event)))
    }

    /// Forgets a bot's events up to here.
    pub(super) fn forget_to(&mut self, bot: BotId, to: Seq) {
        let oldest = |this: &Self| Some(this.of_bot.get(&bot)?.front()?.event.seq);
        while oldest(self).is_some_and(|seq| seq <= to) {
            self.pop(bot);
        }
    }

    /// Forgets a bot's oldest event.
    fn pop(&mut self, bot: BotId) {
        let Some(stretch) = self.of_bot.get_mut(&bot) else { return };
        if let Some(gone) = stretch.pop_front() {
            self.bytes -= cost(&gone.event);
            self.ages.remove(gone.age);
        }
        if stretch.is_empty() {
            self.of_bot.remove(&bot);
        }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        assert_eq!(self.bytes, self.of_bot.values().flatten().map(|aged| cost(&aged.event)).sum::<usize>());
        self.bytes
    }

    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.ages.len()
    }
}

/// Whose each event is, oldest first.
#[derive(Debug, Default)]
struct Ages {
    /// `None`: it has gone before an older one.
    bots: VecDeque<Option<BotId>>,
    /// The age of the first.
    first: u64,
}

impl Ages {
    fn push(&mut self, bot: BotId) -> u64 {
        self.bots.push_back(Some(bot));
        self.first + self.bots.len() as u64 - 1
    }

    fn oldest(&self) -> Option<BotId> {
        self.bots.front().copied().flatten()
    }

    fn remove(&mut self, age: u64) {
        let index = age.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        if let Some(bot) = index.and_then(|index| self.bots.get_mut(index)) {
            *bot = None;
        }
        while let Some(None) = self.bots.front() {
            self.bots.pop_front();
            self.first += 1;
        }
    }

    fn len(&self) -> usize {
        self.bots.len()
    }
}
