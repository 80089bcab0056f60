//! What happened in a run, as those outside of the service saw it. The checker judges by nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::{plan::Fault, seen::Seen};

/// Everything the checker knows. Times are milliseconds since 1970 by a clock that nobody sets.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// What the sandbox's Telegram made, in its order.
    pub updates: Vec<Update>,
    /// What each destination got.
    pub lanes: Vec<LaneLog>,
    /// What the apps sent.
    pub sends: BTreeMap<u64, Send>,
    /// What the sandbox's Telegram carried out, by mark, and when.
    pub carried_out: BTreeMap<u64, i64>,
    /// Marks of calls whose answer did not come through between Telegram and the service.
    pub answers_lost: BTreeSet<u64>,
    /// Marks in the journal's `Sent` events, in its order.
    pub journal: Vec<u64>,
    /// The service's processes.
    pub lives: Vec<Life>,
    /// What went wrong from outside, and when it really did.
    pub episodes: Vec<Happened>,
    /// What lanes held when they were looked at.
    pub held: Vec<HeldSample>,
    /// What the service took of the machine.
    pub sizes: Vec<Size>,
    /// Something the service's log must never say.
    pub panics: Vec<String>,
    /// Whether everybody had everything within the time they were given.
    pub settled: Settled,
}

/// How a run ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Settled {
    /// Everything was delivered.
    #[default]
    Yes,
    /// What was missing.
    No(String),
}

/// An update that the sandbox made.
#[derive(Debug, Clone)]
pub struct Update {
    /// Its place in the sandbox's record.
    pub n: u64,
    /// The number it went out with.
    pub update_id: i64,
    /// Its kind.
    pub kind: String,
    /// The service has confirmed it.
    pub confirmed: bool,
    /// It had lived its time at Telegram before.
    pub expired: bool,
    /// Telegram has dropped it, because a sequence of numbers ended.
    pub dropped: bool,
    /// What went over the wire, if it ever did, and when it first did.
    pub given: Option<(i64, Seen)>,
}

/// What must stay in order at a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Each conversation: a CRM, and whoever polls.
    Conversation,
    /// Each conversation's families: a webhook.
    ConversationAndFamily,
}

/// What a destination got.
#[derive(Debug, Clone)]
pub struct LaneLog {
    /// Its lane's name.
    pub name: String,
    /// What must stay in order.
    pub order: Order,
    /// The kinds it wants.
    pub kinds: BTreeSet<String>,
    /// Whose numbers it sees, and whether short-lived queries may have lived their time before they get there.
    pub consumer: Consumer,
    /// What was posted to it or taken by it, in order.
    pub receipts: Vec<Receipt>,
    /// What a polling app has confirmed.
    pub polls: Vec<Poll>,
    /// How its lane stood in the end.
    pub end: LaneEnd,
    /// Which of the planned faults are its own.
    pub faults: Vec<Fault>,
}

/// Who is at the end of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumer {
    /// A foreign webhook: Telegram's own bytes.
    Route,
    /// An app that is posted to.
    PostedApp,
    /// An app that asks.
    PollingApp,
}

/// Something that came to a destination.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// When.
    pub at_ms: i64,
    /// What.
    pub seen: Seen,
    /// What became of it.
    pub answer: Answer,
}

/// What a destination made of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It took it, and said so.
    Took,
    /// It took it, and failed to say so.
    TookAndFailed,
    /// It did not take it.
    Failed,
}

/// One answered question for updates.
#[derive(Debug, Clone)]
pub struct Poll {
    /// Its place among all beginnings and ends of questions.
    pub asked: u64,
    /// The same of its answer.
    pub answered: u64,
    /// What it confirmed; 0 for nothing.
    pub offset: i64,
    /// What came: the numbers and what they stood for.
    pub got: Vec<(i64, u64)>,
}

/// How a lane stood in the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneEnd {
    /// Events that wait.
    pub waiting: u64,
    /// Held for another attempt.
    pub retrying: u64,
    /// Attempts of which nobody knows what came of them.
    pub unknown: u64,
    /// Given up.
    pub dead: u64,
    /// Passed because they had lived their time.
    pub expired: u64,
    /// Passed for other reasons.
    pub skipped: u64,
    /// Deleted before they were delivered.
    pub lost: u64,
}

/// A message that an app sent.
#[derive(Debug, Clone, Copy)]
pub struct Send {
    /// The lane of the app.
    pub app: &'static str,
    /// When the app began.
    pub at_ms: i64,
    /// Which message, of which chat, it edits.
    pub edits: Option<(i64, i64)>,
    /// What it heard, and when.
    pub heard: Option<(i64, Heard)>,
}

/// What an app heard of a message it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// That it was sent.
    Ok,
    /// That it was not, or nothing: the connection broke.
    Failure,
    /// It was an answer to a delivery, of whose result nobody is told.
    Never,
}

/// A process of the service.
#[derive(Debug, Clone)]
pub struct Life {
    /// When it began.
    pub began_ms: i64,
    /// When its end began: the signal, where there was one.
    pub end_began_ms: i64,
    /// When it was gone.
    pub ended_ms: i64,
    /// How.
    pub end: End,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It was killed.
    Killed,
    /// It was asked to end, and did, with this code after so many milliseconds.
    Asked {
        /// Its exit code.
        code: Option<i32>,
        /// How long it took.
        took_ms: i64,
    },
    /// It ended by itself, with this code.
    ByItself {
        /// Its exit code.
        code: Option<i32>,
    },
}

impl Life {
    /// Whether it ended without having been able to finish.
    pub fn was_cut(&self) -> bool {
        !matches!(self.end, End::Asked { code: Some(0), .. })
    }
}

/// A fault that really happened.
#[derive(Debug, Clone, Copy)]
pub struct Happened {
    /// Which.
    pub fault: Fault,
    /// From then.
    pub from_ms: i64,
    /// To then.
    pub to_ms: i64,
}

/// A held event, when it was looked at.
#[derive(Debug, Clone)]
pub struct HeldSample {
    /// When.
    pub at_ms: i64,
    /// Of which lane.
    pub lane: String,
    /// Of which conversation.
    pub conversation: String,
    /// `sending`, `retrying`, `unknown` or `dead`.
    pub state: String,
    /// How often it was tried.
    pub tries: u32,
    /// Why it is there.
    pub reason: String,
}

/// What the service took of the machine at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// When.
    pub at_ms: i64,
    /// Memory in kB.
    pub memory_kb: u64,
    /// Open files.
    pub files: u64,
    /// Bytes of the database.
    pub database: u64,
    /// Bytes of its log.
    pub log: u64,
}

impl History {
    /// Whether one of these faults was there at some time between the two.
    pub(crate) fn was(&self, faults: &[Fault], from_ms: i64, to_ms: i64) -> bool {
        self.episodes
            .iter()
            .any(|one| faults.contains(&one.fault) && one.from_ms <= to_ms && from_ms <= one.to_ms)
    }
}
