//! How a push lane delivers, and how much all lanes together may use.

use std::time::Duration;

use tandem_model::{Event, OrderKey, Timestamp};

use crate::Ladder;

/// What must stay in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderBy {
    /// Whatever belongs to one conversation: a CRM.
    Conversation,
    /// Whatever belongs to one conversation and one family: an app's webhook.
    ConversationAndFamily,
}

/// Whether the destination knows an event that it has had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// It does: after a crash what was in flight is delivered again.
    Recognised,
    /// It does not: each attempt is committed before it begins, and after a crash its outcome is unknown.
    Unrecognised,
}

/// How a push lane delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushSpec {
    /// What must stay in order.
    pub order: OrderBy,
    /// Whether the destination recognises a repeat.
    pub repeats: Repeats,
    /// How long to wait after a failure. Probing a destination that is down follows it too.
    pub ladder: Ladder,
    /// How many runs may be under way at the destination at a time.
    pub max_in_flight: usize,
    /// How many events of one order key are handed over together at most.
    pub run_events: usize,
    /// No further event joins a run once its bodies have this size.
    pub run_bytes: usize,
    /// For apps: how long an event with the ordinary lifetime is worth delivering. `None` for routes, which take no
    /// notice of lifetimes.
    pub backlog: Option<Duration>,
}

impl PushSpec {
    /// A CRM's route that recognises repeats: one event at a time in each conversation, eight conversations at once.
    pub fn route() -> Self {
        Self {
            order: OrderBy::Conversation,
            repeats: Repeats::Recognised,
            ladder: Ladder::telegram(),
            max_in_flight: 8,
            run_events: 1,
            run_bytes: 1 << 20,
            backlog: None,
        }
    }

    /// An app's webhook as Telegram serves it: 40 connections, families apart, 24 hours.
    pub fn webhook() -> Self {
        Self {
            order: OrderBy::ConversationAndFamily,
            max_in_flight: 40,
            backlog: Some(Duration::from_hours(24)),
            ..Self::route()
        }
    }

    pub(crate) fn key(&self, event: &Event) -> OrderKey {
        let family = match self.order {
            OrderBy::Conversation => None,
            OrderBy::ConversationAndFamily => Some(event.family),
        };
        OrderKey { conversation: event.conversation.clone(), family }
    }

    /// When the event becomes worthless to this lane, if ever.
    pub(crate) fn ends(&self, event: &Event) -> Option<Timestamp> {
        self.backlog.map(|backlog| event.lifetime.ends(event.at, backlog))
    }
}

/// What all lanes of a service may use together, and the limits of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Runs under way in all lanes together. One run per lane is allowed beyond it, so that no lane can be kept
    /// from its work by others that hang.
    pub max_in_flight: usize,
    /// Bytes of bodies read ahead by all lanes together. A lane that finds nothing left reads a few events at a
    /// time.
    pub read_ahead_bytes: usize,
    /// How many events a lane keeps that its cursor has not passed. It bounds what a destination sees again after
    /// a crash.
    pub window: usize,
    /// An attempt that lasts longer is set aside, so that the cursor moves on.
    pub slow: Duration,
    /// In so many order keys must first attempts fail unclearly, with no success between, for the lane to pause.
    pub unclear_keys: usize,
    /// So many order keys may be held in a lane; then it reads no further until some are free again.
    pub max_held: usize,
    /// How many held order keys lanes without work may keep in memory altogether; beyond it they read them again
    /// when they wake.
    pub held_in_memory: usize,
    /// How many lanes may be looking for work at a time.
    pub starting: usize,
    /// How long a lane waits after the store has failed it.
    pub store_pause: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_in_flight: 1024,
            read_ahead_bytes: 32 << 20,
            window: 256,
            slow: Duration::from_secs(1),
            unclear_keys: 3,
            max_held: 10_000,
            held_in_memory: 100_000,
            starting: 32,
            store_pause: Duration::from_secs(1),
        }
    }
}
