//! What a soak measured: written down whole, so that judging and drawing need nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// Everything there is to know of a run that is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct History {
    pub(crate) plan: Plan,
    /// Seconds since 1970 when it began.
    pub(crate) began: u64,
    pub(crate) machine: BTreeMap<String, String>,
    /// What bots cost that nobody writes to.
    pub(crate) idle: Idle,
    /// How long filling the backlog took.
    pub(crate) filled_in_s: f64,
    /// Bytes that the journal of the bot with the backlog may hold.
    pub(crate) max_bytes: u64,
    /// While clients wrote.
    pub(crate) samples: Vec<Sample>,
    pub(crate) outcome: Outcome,
}

/// Bots that nobody writes to: how long it takes to have them, and their memory after a fresh start.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Idle {
    /// With one bot.
    pub(crate) one: Stage,
    /// With every bot whose updates Telegram posts.
    pub(crate) posted: Stage,
    /// With those that are polled as well.
    pub(crate) polled: Stage,
    /// The same with the backlog, when clients have written.
    pub(crate) at_the_end: Stage,
}

/// So many bots.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Stage {
    pub(crate) bots: u64,
    /// `tandem apply` took.
    pub(crate) applied_in_s: f64,
    /// A start took until the gateway answered.
    pub(crate) started_in_s: f64,
    pub(crate) rss_kb: u64,
    pub(crate) tasks: u64,
    pub(crate) open_files: u64,
}

/// One moment.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Seconds since clients began to write.
    pub(crate) at_s: f64,
    pub(crate) rss_kb: u64,
    pub(crate) pss_kb: u64,
    pub(crate) peak_kb: u64,
    pub(crate) open_files: u64,
    pub(crate) threads: u64,
    pub(crate) tasks: u64,
    /// The database without its log.
    pub(crate) database_bytes: u64,
    pub(crate) log_bytes: u64,
    /// Updates that Tandem was given, in all.
    pub(crate) given: u64,
    /// Updates that apps and receivers got, in all.
    pub(crate) taken: u64,
    /// Events that wait for the destination that is down.
    pub(crate) waiting_down: u64,
    /// Events that retention took before it could have them.
    pub(crate) lost_down: u64,
    /// Events that wait for the route that does not keep up.
    pub(crate) waiting_slow: u64,
}

/// What everybody had in the end.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Of apps that poll.
    pub(crate) polling_apps: Got,
    /// Of apps with a webhook.
    pub(crate) webhook_apps: Got,
    /// Of routes whose receivers are well, by Telegram's own numbers.
    pub(crate) routes: Got,
    /// Updates that the sandbox made for active bots, and those of them that were confirmed to it.
    pub(crate) made: u64,
    pub(crate) confirmed: u64,
    /// Answers that apps sent to clients, and those that the sandbox carried out.
    pub(crate) answered: u64,
    pub(crate) answers_shown: u64,
    /// Of the route whose destination is down.
    pub(crate) down: Down,
    /// Events appended to all journals, and those of them that are still in the database.
    pub(crate) appended: u64,
    pub(crate) kept: u64,
    /// Lines of the log that say that a route lost events, and others at `ERROR`.
    pub(crate) loud_losses: u64,
    pub(crate) other_errors: u64,
}

/// What consumers of one kind got.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Got {
    pub(crate) consumers: u64,
    pub(crate) expected: u64,
    pub(crate) missing: u64,
    /// Came more than once.
    pub(crate) repeated: u64,
    /// Was never sent.
    pub(crate) strange: u64,
}

/// The route whose destination is down.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Down {
    pub(crate) given: u64,
    pub(crate) waiting: u64,
    pub(crate) held: u64,
    pub(crate) lost: u64,
}
