//! What the bot says, as notes on its client's card: the built-in integration does not show it (amocrm.md 7.1).
//!
//! A lane of its own beside the relay's, so that an account that cannot be asked delays notes and nothing else. What is
//! said in one conversation is gathered until it is quiet for a little ([`destination`]) and becomes one note
//! ([`text`]): without menus, edits as they ended, without what was deleted again.
//!
//! **At least once:** an account knows no note again, so an answer that is lost, or a crash, can write one twice. A note
//! twice on a card disturbs nobody; one that is missing would.

mod attach;
mod destination;
mod text;

#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use tandem_journal::Store;
use tandem_lanes::{LaneAddress, PushSpec};
use tandem_model::{Authorship, Clock, EventKind, EventKinds, Filter, Flags, Topics};

pub(crate) use self::attach::RunningNotes;
use self::destination::NoteTaker;
use crate::{RouteSetting, chats::Accounts, rules::RouteRules};

/// What the lane lets through: what the company's side says, but for campaigns.
pub(crate) const FILTER: Filter = Filter {
    kinds: EventKinds::of(&[EventKind::Sent]),
    topics: Topics::ALL,
    without: Flags::CAMPAIGN,
    authorship: Authorship::OthersOnly,
};

/// How many events become one note at most.
const RUN: usize = 32;
/// How many notes of a route are written at a time: the account has others to serve.
const AT_A_TIME: usize = 4;

/// What notes of all routes share.
pub(crate) struct Notes {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    accounts: Arc<dyn Accounts>,
}

impl Notes {
    pub(crate) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, accounts: Arc<dyn Accounts>) -> Self {
        Self { store, clock, accounts }
    }

    /// What takes the notes of a route; `None` where it writes none.
    fn taker(self: &Arc<Self>, lane: LaneAddress, route: &RouteSetting) -> Option<NoteTaker> {
        let companion = route.companion().filter(|companion| companion.notes)?;
        Some(NoteTaker {
            shared: Arc::clone(self),
            lane,
            connection: route.connection?,
            quiet: Duration::from_secs(companion.notes_after_secs.into()),
            reader: text::Reader {
                route: route.name.clone(),
                language: companion.language,
                rules: RouteRules::of(&route.document.rules, route.document.audience()),
            },
        })
    }
}

/// The name of the lane of a route's notes.
pub(crate) fn lane_name(route: &str) -> String {
    format!("notes:{route}")
}

fn spec() -> PushSpec {
    PushSpec { max_in_flight: AT_A_TIME, run_events: RUN, ..PushSpec::route() }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notes").finish_non_exhaustive()
    }
}
