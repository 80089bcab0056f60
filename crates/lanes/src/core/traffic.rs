//! What goes in and out of a lane's state.

use tandem_journal::Page;
use tandem_model::{Event, Held, OrderKey, Seq, Timestamp};

use crate::{Delivered, Run};

/// A run to be handed to the destination.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) slot: Slot,
    pub(crate) run: Run,
}

/// Which run it is.
#[derive(Debug, Clone)]
pub(crate) enum Slot {
    /// The one of this key.
    Key(OrderKey),
    /// One that an operator asked for.
    Redo,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Landed {
    pub(crate) slot: Slot,
    pub(crate) outcome: Delivered,
    pub(crate) began: Timestamp,
}

/// Something to be read from the store.
#[derive(Debug)]
pub(crate) enum Read {
    /// The lane, after this.
    Lane { after: Seq, page: Page, purpose: LaneRead },
    /// A key's events after this, up to and including `until`, without those up to `aside_to` that are set aside for
    /// people.
    Key { key: OrderKey, after: Seq, until: Seq, page: Page, aside_to: Seq },
    /// A row, and its key's events from it on, in the same way.
    Row { key: OrderKey, seq: Seq, until: Seq, page: Page, aside_to: Seq },
    /// A row, if there is one, and its event.
    Single { seq: Seq },
}

/// What a lane's events are read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneRead {
    /// To be delivered.
    Deliver,
    /// To find one to probe with.
    Probe,
    /// To be delivered again.
    Replay,
}

/// What was read.
#[derive(Debug)]
pub(crate) enum Found {
    Lane { events: Vec<Event>, scanned_to: Seq, head: Seq, purpose: LaneRead },
    Key { key: OrderKey, events: Vec<Event>, scanned_to: Seq, until: Seq },
    Row { key: OrderKey, seq: Seq, held: Option<Held>, events: Vec<Event>, scanned_to: Seq },
    Single { seq: Seq, held: Option<Held>, event: Option<Event> },
}
