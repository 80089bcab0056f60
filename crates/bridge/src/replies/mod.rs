//! What managers want becomes Telegram's calls: the destination of each bot's lane `telegram`.
//!
//! A lane `telegram` gets the `Reply` events of a bot, in order in each conversation. Telegram has no key by which it
//! would recognise a repeat, so an attempt is committed before it begins, and what was interrupted is *unknown*: told to
//! the CRM as such, once, and never tried again by itself.
//!
//! **How a reply goes.** It becomes one message or several ([`tandem_telegram::reply`]). Each waits for its turn
//! ([`budget`]), its file is fetched ([`files`]) and goes to Telegram as it comes, and what Telegram says is committed at
//! once: the `Sent` event, how far the reply is ([`progress`]), and with the last message its `Outcome`. So a wait
//! between two messages of one reply is no reason to begin anew, and nothing is told twice. Parts of an album are replies
//! of their own: the first of them looks ahead for the others ([`album`]).
//!
//! Nothing here sleeps: whoever has to wait says until when, and the lane comes back.
//!
//! **What it does not do**: hear managers (hooks), or tell the CRM what became of a reply (the route's lane).

mod album;
mod attach;
mod budget;
mod destination;
mod files;
mod mark;
mod presses;
mod progress;
mod record;
mod say;
mod send;
mod unknown;

use std::{fmt, sync::Arc, time::Duration};

use tandem_gateway::{Directory, Recorder};
use tandem_journal::Store;
use tandem_model::{Authorship, Clock, EventKind, EventKinds, Filter, Flags, Rng, Topics};
use tandem_telegram::upstream::Upstream;

use self::files::Files;
pub(crate) use self::{attach::RunningReplies, presses::Presses};
pub use self::{
    files::{FileConfig, FileRule},
    mark::ReplyMark,
    presses::button_of,
};
use crate::{Ownership, Parts};

/// The name of the lane.
pub(crate) const LANE: &str = "telegram";

/// What the lane lets through.
pub(crate) const FILTER: Filter = Filter {
    kinds: EventKinds::of(&[EventKind::Reply]),
    topics: Topics::ALL,
    without: Flags::NONE,
    authorship: Authorship::Everybody,
};

/// What the replies of all bots share.
pub(crate) struct Shared {
    store: Arc<dyn Store>,
    ownership: Arc<Ownership>,
    recorder: Recorder,
    upstream: Upstream,
    directory: Arc<Directory>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    files: Files,
    /// How long events and what is known of them are kept.
    keep: Duration,
}

impl Shared {
    /// `rule`: from where files are fetched, unless the configuration says so.
    pub(crate) fn new(parts: &Parts, rule: Arc<dyn FileRule>) -> Self {
        let config = &parts.config;
        let rule = config.files.rule.clone().unwrap_or(rule);
        let files = Files::new(config.files.clone(), rule, config.roots.clone(), config.guard.clone());
        Self {
            store: Arc::clone(&parts.store),
            ownership: Arc::clone(&parts.ownership),
            recorder: parts.recorder.clone(),
            upstream: parts.upstream.clone(),
            directory: Arc::clone(&parts.directory),
            clock: Arc::clone(&parts.clock),
            rng: Arc::clone(&parts.rng),
            files,
            keep: config.retention.keep,
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("files", &self.files).finish_non_exhaustive()
    }
}
