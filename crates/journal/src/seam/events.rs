//! Appending to a bot's journal and reading it.

use async_trait::async_trait;
use bytes::Bytes;
use tandem_model::{
    BotId, Conversation, Event, Family, LaneId, Lifetime, NewEvent, OrderKey, Seq, Timestamp, Upstream,
    VirtualId,
};

use super::{ContactLink, HandOff, InboxId, Lease, Link, PersonChange};
use crate::{ReadError, WriteError};

/// What to append, and what becomes true together with it.
#[derive(Debug, Clone, Default)]
pub struct Append {
    /// The events, in order. May be empty, when something from the inbox turned out to be no event.
    pub events: Vec<NewEvent>,
    /// Whether the sender can be told to come back.
    pub urgency: Urgency,
    /// Entries of the inbox that these events came from: gone in the same commit.
    pub inbox: Vec<InboxId>,
    /// What else is known from now on, of the same bot.
    pub facts: Vec<Fact>,
}

/// Something that becomes known together with events or a settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A vendor's id and ours belong together.
    Link(Link),
    /// Something about a person.
    Person(PersonChange),
    /// A contact in a CRM is this person.
    Contact(ContactLink),
    /// A manager is talking in a conversation, or is no longer.
    HandOff(HandOff),
}

/// Whether the sender of an event keeps it when it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Urgency {
    /// It keeps it: Telegram has an update for 24 hours.
    #[default]
    CanWait,
    /// It will not come again: a CRM's hook, what Telegram has already sent for us.
    MustKeep,
}

/// What became of one event of an [`Append`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It stands in the journal.
    New {
        /// Where.
        seq: Seq,
        /// The `update_id` that apps see; set for what [takes one](NewEvent::takes_update_id).
        virtual_id: Option<VirtualId>,
    },
    /// It was there already: same source and upstream id within 48 hours and the same bytes.
    Duplicate {
        /// Where.
        seq: Seq,
    },
}

impl Appended {
    /// Where the event stands.
    pub const fn seq(self) -> Seq {
        match self {
            Self::New { seq, .. } | Self::Duplicate { seq } => seq,
        }
    }
}

/// How much to read at once. At least one event is returned where there is one, however large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// At most so many events.
    pub events: usize,
    /// No further event once their bodies have reached this size.
    pub bytes: usize,
}

impl Page {
    /// Whether a page with so much on it is full.
    pub(crate) const fn is_full(self, events: usize, bytes: usize) -> bool {
        events > 0 && (events >= self.events || bytes >= self.bytes)
    }
}

/// A stretch of a journal as one lane sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanePage {
    /// The events its filters let through, in order.
    pub events: Vec<Event>,
    /// Everything up to here has been looked at: where to go on. Larger than the last event's `seq` when others
    /// followed that the lane does not want, and smaller than the end of what was asked for when there is more.
    pub scanned_to: Seq,
    /// The end of the journal when this was read.
    pub head: Seq,
}

/// A stretch of a journal as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalPage {
    /// The events, in order.
    pub events: Vec<Event>,
    /// The end of the journal when this was read.
    pub head: Seq,
}

/// An event without its body: enough to count, and to see what waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Where it stands.
    pub seq: Seq,
    /// The `update_id` that apps see; set for updates.
    pub virtual_id: Option<VirtualId>,
    /// When it was appended.
    pub appended_at: Timestamp,
    /// When it happened.
    pub at: Timestamp,
    /// How long it is worth anything to an app.
    pub lifetime: Lifetime,
    /// Its conversation.
    pub conversation: Conversation,
    /// Its family.
    pub family: Family,
}

impl From<&Event> for Outline {
    fn from(event: &Event) -> Self {
        Self {
            seq: event.seq,
            virtual_id: event.virtual_id,
            appended_at: event.appended_at,
            at: event.new.at,
            lifetime: event.new.lifetime,
            conversation: event.new.conversation.clone(),
            family: event.new.family,
        }
    }
}

/// From which end a stretch is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As lanes deliver.
    OldestFirst,
    /// From the end backwards.
    NewestFirst,
}

/// A part of a stretch of a journal as one lane sees it, without bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlinePage {
    /// The events its filters let through, in the order that was asked for.
    pub events: Vec<Outline>,
    /// Where to go on: the beginning of the next stretch when the oldest come first, its end when the newest do.
    pub scanned_to: Seq,
    /// The end of the journal when this was read.
    pub head: Seq,
}

/// The ends of a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last event; [`Seq::ZERO`] in an empty journal.
    pub last: Seq,
    /// The first event that retention has not passed; one past `last` when there is none. Single older events may
    /// still be there because a lane holds them.
    pub oldest: Seq,
    /// The least `update_id` the next update can get; `None` before the first update.
    pub next_virtual: Option<VirtualId>,
    /// About how many bytes of bodies there are.
    pub bytes: u64,
}

/// A bot's append-only, totally ordered log.
#[async_trait]
pub trait Events: Send + Sync {
    /// Appends, in one commit, and numbers. `Ok` means durable.
    ///
    /// An update that is there already (same source and upstream id, appended within 48 hours, the same bytes) is
    /// not stored again, also within one batch; the facts and the inbox are taken care of all the same.
    ///
    /// `update_id`s for apps, for updates and what else apps are shown: the first is Telegram's; then the larger of one more than the last and Telegram's, as
    /// long as that is below 2,000,000,000. So they are strictly increasing whatever Telegram does.
    async fn append(&self, lease: Lease, bot: BotId, append: Append) -> Result<Vec<Appended>, WriteError>;

    /// The event that an update would be a duplicate of, if it came now.
    async fn find_duplicate(
        &self,
        bot: BotId,
        upstream: Upstream,
        body: Bytes,
    ) -> Result<Option<Seq>, ReadError>;

    /// What comes after `after` for this lane: each event is asked of the filter that was in force when it was
    /// appended. Looks at a bounded number of events per call, so an empty page is not the end: the end is
    /// `scanned_to == head`. A lane that does not exist sees nothing.
    async fn read_lane(
        &self,
        bot: BotId,
        lane: LaneId,
        after: Seq,
        page: Page,
    ) -> Result<LanePage, ReadError>;

    /// What this lane sees of one conversation (and family, if one is given) after `after` up to and including
    /// `until`. The end is `scanned_to == min(until, head)`.
    async fn read_conversation(
        &self,
        bot: BotId,
        lane: LaneId,
        key: OrderKey,
        after: Seq,
        until: Seq,
        page: Page,
    ) -> Result<LanePage, ReadError>;

    /// What a lane sees in a stretch, after its first position up to and including its second, without bodies: to count, or to find what comes
    /// last, without carrying a backlog through memory. At most `limit` events, and at least one where there is one;
    /// looks at a bounded number of events per call.
    ///
    /// The end is `scanned_to` at the end of the stretch or the head, whichever is less, when the oldest come first, and
    /// at its beginning when the newest do.
    async fn outline_lane(
        &self,
        bot: BotId,
        lane: LaneId,
        stretch: (Seq, Seq),
        order: Order,
        limit: usize,
    ) -> Result<OutlinePage, ReadError>;

    /// Everything after `after`, for people and for checks.
    async fn read_journal(&self, bot: BotId, after: Seq, page: Page) -> Result<JournalPage, ReadError>;

    /// One event.
    async fn find_event(&self, bot: BotId, seq: Seq) -> Result<Option<Event>, ReadError>;

    /// The ends of the journal.
    async fn head(&self, bot: BotId) -> Result<Head, ReadError>;

    /// Where the first update with an `update_id` (as apps see it) of at least `id` stands; one past the end when
    /// there is none.
    async fn find_position(&self, bot: BotId, id: VirtualId) -> Result<Seq, ReadError>;
}
