//! What operations answer. Times are milliseconds since 1970; nothing here holds a secret, except the token of a
//! new app, which is shown this once.

use serde::{Deserialize, Serialize};
use tandem_gateway::{AppLimits, DropPending, Question, Sees, WebhookPolicy, WhileManagerTalks};
use tandem_model::{Attempt, BotId, EventKind, HeldState, LaneId, PauseReason, Seq, Timestamp};

use super::{Confidential, Refusal};
use crate::{
    ConnectionView, GuardView, HolderKind, UpstreamMode,
    doctor::Report,
    rules::{Audience, RuleVersion},
};

/// What came of an operation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Response {
    /// How everything is.
    Status(Status),
    /// How the service and its store are.
    Summary(Summary),
    /// Bots by id.
    Bots {
        /// The bots.
        bots: Vec<BotView>,
    },
    /// A bot as it is now.
    Bot(Box<BotView>),
    /// A bot was adopted, or had been.
    Adopted(Box<Adopted>),
    /// A bot was given back.
    Released(Box<Released>),
    /// A plan, carried out or not.
    Applied(Applied),
    /// Apps by bot and name.
    Apps {
        /// The apps.
        apps: Vec<AppView>,
    },
    /// An app as it is now.
    App(AppView),
    /// An app with its new token.
    AppToken(AppToken),
    /// An app is gone.
    AppRevoked {
        /// Whose.
        bot: BotId,
        /// Its name.
        name: String,
    },
    /// Lanes by bot and number.
    Lanes {
        /// The lanes.
        lanes: Vec<LaneView>,
    },
    /// A lane as it is now.
    Lane(LaneView),
    /// Held events by lane and number.
    Held {
        /// The events.
        held: Vec<HeldView>,
        /// A lane has more than were asked for.
        more: bool,
    },
    /// What came of a verb about a held event.
    HeldAnswer(HeldAnswer),
    /// What came of a replay.
    Replayed(Replayed),
    /// Connections by number.
    Connections {
        /// The connections.
        connections: Vec<ConnectionView>,
    },
    /// A connection as it is now.
    Connection(Box<ConnectionView>),
    /// Where somebody grants access.
    Authorize {
        /// To which connection's account.
        connection: String,
        /// The address to open in a browser.
        url: String,
        /// Until when it holds.
        until: Timestamp,
    },
    /// A connection is gone.
    ConnectionRemoved {
        /// Its name.
        name: String,
    },
    /// Everything was looked at.
    Examined(Report),
    /// Rules by route.
    Rules {
        /// The routes.
        routes: Vec<RouteRulesView>,
    },
    /// What rules would have done.
    RulesTried(Box<TriedRules>),
    /// The database was copied.
    BackedUp {
        /// To this file.
        to: String,
    },
}

/// The rules of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteRulesView {
    /// Of which bot.
    pub bot: BotId,
    /// Its name.
    pub route: String,
    /// Whose defaults stand behind the rules.
    pub defaults: Audience,
    /// The lists and from which event on each holds, oldest first; none where there never was a rule.
    pub versions: Vec<RuleVersion>,
}

/// What rules would have done with what has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedRules {
    /// Of which bot.
    pub bot: BotId,
    /// Of which route.
    pub route: String,
    /// From this event on.
    pub from: Seq,
    /// Up to and including this one.
    pub to: Seq,
    /// There is more behind it, which was not looked at.
    pub more: bool,
    /// How many events rules concern.
    pub events: u64,
    /// How many of them the route would be told.
    pub shown: u64,
    /// How many not.
    pub skipped: u64,
    /// How many are decided otherwise than they were.
    pub changed: u64,
    /// What decided how many.
    pub counts: Vec<RuleCount>,
    /// The last of them, in order.
    pub listed: Vec<TriedView>,
}

/// How many events something decided about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCount {
    /// What: a rule by its number, or a default.
    pub by: String,
    /// How many.
    pub events: u64,
}

/// What rules would have done with an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TriedView {
    /// Its place.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// Where.
    pub conversation: String,
    /// What it is, in one word.
    pub kind: String,
    /// Who did it.
    pub author: String,
    /// How its text begins.
    pub text: String,
    /// What is done: `show`, `skip` or `show_as`.
    pub decision: String,
    /// The line that is shown in its place.
    pub line: Option<String>,
    /// What decides: a rule by its number, or a default.
    pub by: String,
    /// What was done instead, where that differs.
    pub then: Option<String>,
}

/// How everything is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The version.
    pub version: String,
    /// The store's health.
    pub store: StoreView,
    /// Bots by id.
    pub bots: Vec<BotView>,
}

/// How the service and its store are: the same effort however many bots there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The version.
    pub version: String,
    /// The store's health.
    pub store: StoreView,
    /// Bots that are served.
    pub bots: usize,
    /// Tasks that are alive: a number that grows while bots and traffic stay the same is a leak.
    pub tasks: usize,
}

/// The store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreView {
    /// Its health.
    pub health: HealthView,
    /// What it occupies.
    pub bytes: u64,
    /// Space left on its disk, where that is known.
    pub disk_free_bytes: Option<u64>,
}

/// The store's health.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HealthView {
    /// It takes everything.
    Good,
    /// Nothing more is taken from Telegram.
    LowDisk,
    /// Nothing is taken.
    Full,
    /// It has failed.
    Failed {
        /// Why.
        reason: String,
    },
}

/// A bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BotView {
    /// Its id.
    pub bot: BotId,
    /// Its username, without `@`.
    pub username: Option<String>,
    /// Its name for people.
    pub name: String,
    /// What is being done with it, in one word: `adopting`, `active`, `revoked`, `released`.
    pub state: String,
    /// How its updates come in.
    pub upstream: UpstreamMode,
    /// What is wrong with its intake, if anything: one sentence each of what and what to do.
    pub trouble: Option<Trouble>,
    /// Its guard: whether somebody else took its updates, and how many went past.
    pub guard: GuardView,
    /// The last event of its journal.
    pub last_seq: Seq,
    /// Bytes of its journal.
    pub bytes: u64,
    /// Its apps' names.
    pub apps: Vec<String>,
    /// Its routes' names.
    pub routes: Vec<String>,
    /// What is wrong with connections that its routes use: one sentence for each route.
    #[serde(default)]
    pub route_troubles: Vec<String>,
}

/// Something a person should know of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What is wrong.
    pub sentence: String,
    /// What to do.
    pub what_to_do: String,
}

/// A bot that Tandem has now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Adopted {
    /// Its id.
    pub bot: BotId,
    /// Its username, without `@`.
    pub username: Option<String>,
    /// Its name for people.
    pub name: String,
    /// Who held it.
    pub holder: HolderView,
    /// What the holder gets from now on, if it was kept.
    pub kept: Option<KeptView>,
    /// How updates come in now.
    pub upstream: UpstreamMode,
    /// So many updates were waiting at Telegram; they come to Tandem.
    pub pending: u64,
    /// What happens when the app `main` asks to drop what is pending.
    pub drop_pending: DropPending,
    /// The token of the app `main`. `None` when it was shown before: `apps rotate` makes a new one.
    pub app_token: Option<Confidential>,
    /// What needs an address on the internet and what does not.
    pub reach: Vec<Reach>,
    /// The line to change, for each library.
    pub libraries: Vec<LibraryLine>,
    /// What a person should know, in sentences.
    pub notes: Vec<String>,
}

/// Who held a bot's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderView {
    /// Who.
    pub kind: HolderKind,
    /// For people: `amoCRM (amojo.amocrm.ru)`, `nobody`.
    pub name: String,
    /// The host of its webhook.
    pub host: Option<String>,
    /// The kinds of update it asked for; `None` for Telegram's default.
    pub kinds: Option<Vec<String>>,
    /// How many connections it allowed.
    pub max_connections: Option<u32>,
    /// Its fixed address, if it had one.
    pub ip_address: Option<String>,
    /// Whether its webhook came with a certificate, which Telegram does not give out.
    pub has_certificate: bool,
}

/// A holder that was kept as a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptView {
    /// The route's name.
    pub route: String,
    /// Its kind: `relay`, `amocrm`, `wahelp`.
    pub kind: String,
    /// Its lane.
    pub lane: LaneId,
    /// What it gets, in a sentence.
    pub sentence: String,
}

/// Whether something needs an address on the internet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    /// What.
    pub what: String,
    /// Whether it does.
    pub needs_public_url: bool,
    /// Why, in a sentence.
    pub why: String,
}

/// The one line to change in a program that uses this library (reference: Bot API client libraries).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LibraryLine {
    /// The library.
    pub library: String,
    /// Its language.
    pub language: String,
    /// The line.
    pub line: String,
}

/// A bot that Tandem has no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// Its id.
    pub bot: BotId,
    /// Its username, without `@`.
    pub username: Option<String>,
    /// Who has it now.
    pub holder: HolderView,
    /// What Telegram says of the webhook now: `true` when it is the former holder's again.
    pub restored: bool,
    /// What lanes had not got, if anything.
    pub undelivered: Vec<UndeliveredView>,
    /// What could not be restored and what to do next, in sentences.
    pub notes: Vec<String>,
}

/// What a lane had not got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndeliveredView {
    /// The lane's name.
    pub lane: String,
    /// Events that wait for their turn.
    pub waiting: u64,
    /// Events that are held for another attempt.
    pub retrying: u64,
    /// Events that were given up or whose outcome is unknown.
    pub for_people: u64,
    /// When the oldest of them was stored.
    pub oldest: Option<Timestamp>,
    /// Why, if the lane says so.
    pub reason: Option<String>,
}

/// A plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Applied {
    /// Its steps, in order; empty when everything is as the file says.
    pub steps: Vec<StepView>,
    /// Whether it was carried out.
    pub executed: bool,
    /// Bots that are not as the file says, each with the reason; the others are.
    #[serde(default)]
    pub refused: Vec<RefusedView>,
}

/// A bot that could not be brought to what a file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedView {
    /// Which bot, for people.
    pub bot: String,
    /// Why, and what to do.
    #[serde(flatten)]
    pub refusal: Refusal,
}

/// One step of a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepView {
    /// What it does, in one word: `add`, `change`, `remove`, `adopt`.
    pub action: StepAction,
    /// To what: `bot @shop_bot`, `app @shop_bot/main`, `route @shop_bot/amocrm`.
    pub what: String,
    /// What exactly, in a sentence.
    pub sentence: String,
    /// The token of an app it made: shown this once.
    pub app_token: Option<Confidential>,
    /// What a person should know, in sentences.
    pub notes: Vec<String>,
}

/// What a step does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepAction {
    /// Takes over a bot.
    Adopt,
    /// Makes something.
    Add,
    /// Changes something.
    Change,
    /// Removes something.
    Remove,
}

/// An app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppView {
    /// Whose.
    pub bot: BotId,
    /// Its name.
    pub name: String,
    /// How it gets its updates: `polling` or `webhook`.
    pub delivery: String,
    /// The host of its webhook.
    pub webhook_host: Option<String>,
    /// Whether it has a token of its own; `main` also answers to the bot's.
    pub has_token: bool,
    /// What happens when it asks to drop what is pending.
    pub drop_pending: DropPending,
    /// How long an update waits for it, in seconds.
    pub backlog_secs: u64,
    /// Whether it is shown a client's free words while a manager is talking.
    pub while_manager_talks: WhileManagerTalks,
    /// Which webhook addresses it may set.
    pub webhooks: WebhookPolicy,
    /// The kinds it asked for; `None` for Telegram's default.
    pub kinds: Option<Vec<String>>,
    /// Beginnings of callback data whose presses are for it.
    pub claims: Vec<String>,
    /// What only it answers, chosen or by default.
    pub owns: Vec<Question>,
    /// What else than updates it is shown.
    pub sees: Vec<Sees>,
    /// What it may do.
    pub limits: AppLimits,
    /// How far it is behind; `None` while it has no lane.
    pub waiting: Option<Lag>,
}

/// An app with its new token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AppToken {
    /// The app.
    pub app: AppView,
    /// Its token: shown this once.
    pub token: Confidential,
    /// The line to change, for each library.
    pub libraries: Vec<LibraryLine>,
}

/// A lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneView {
    /// Whose.
    pub bot: BotId,
    /// Its number.
    pub lane: LaneId,
    /// Its name.
    pub name: String,
    /// Whether it serves an app or a route.
    pub serves: Serves,
    /// How: `polling`, `webhook`, `relay`, `amocrm native`.
    pub delivery: String,
    /// What it is doing.
    pub state: LaneStateView,
    /// Everything up to here is done or held.
    pub acked: Seq,
    /// How far it is behind.
    pub lag: Lag,
    /// What it has set aside.
    pub held: HeldCountsView,
    /// Its latest failure; later success does not clear it.
    pub last_fault: Option<FaultView>,
    /// Events it passed without delivering them.
    pub skipped: u64,
    /// Events whose lifetime had ended before it got to them.
    pub expired: u64,
    /// Events that retention took before it had them.
    pub lost: u64,
}

/// Whom a lane serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Serves {
    /// An app.
    App,
    /// A route.
    Route,
}

/// What a lane is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum LaneStateView {
    /// Delivering, or waiting for events.
    Running,
    /// Standing still.
    Paused {
        /// Why.
        reason: PauseReason,
        /// Since when.
        since: Timestamp,
        /// When it is tried again; somebody has to act when there is none.
        until: Option<Timestamp>,
        /// For people.
        detail: String,
    },
}

/// How far a lane is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lag {
    /// So many events wait.
    pub events: u64,
    /// Whether they were counted. Many are not: then it is the distance to the journal's end, which includes
    /// events that the lane does not want.
    pub counted: bool,
    /// When the oldest of them was stored.
    pub oldest: Option<Timestamp>,
}

/// What a lane has set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HeldCountsView {
    /// Attempts begun.
    pub sending: u64,
    /// To be tried again.
    pub retrying: u64,
    /// Maybe arrived.
    pub unknown: u64,
    /// Given up.
    pub dead: u64,
}

/// A lane's latest failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultView {
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

/// A held event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldView {
    /// Whose.
    pub bot: BotId,
    /// Its lane's name.
    pub lane: String,
    /// Its number.
    pub seq: Seq,
    /// Which of the five kinds; `None` when the event has been deleted.
    pub kind: Option<EventKind>,
    /// Its conversation.
    pub conversation: String,
    /// Its state.
    pub state: HeldState,
    /// How often it was tried.
    pub tries: u32,
    /// The last attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// When it is tried next, while it is retrying; `None` when it is under way or tried as soon as there is room.
    pub next_at: Option<Timestamp>,
    /// Why it is here.
    pub reason: String,
}

/// What came of a verb about a held event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum HeldAnswer {
    /// It was delivered, and is held no more.
    Delivered,
    /// It is tried next.
    Scheduled,
    /// It was let go; what waited behind it goes on.
    Skipped,
    /// It was tried and is held as before.
    Failed {
        /// What the destination said.
        reason: String,
    },
    /// An attempt is under way: ask again after it.
    Busy,
    /// It is held, but its event has been deleted.
    Gone,
}

/// What came of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// From this event.
    pub from: Seq,
    /// To this one.
    pub to: Seq,
    /// So many events between them the lane has had.
    pub events: u64,
    /// So many were delivered again; none in a dry run.
    pub delivered: u64,
    /// So many were not, and are held as dead or unknown now.
    pub failed: u64,
    /// So many more wait behind a held event and come in their turn.
    pub to_come: u64,
}
