//! What can be asked of a running or an opened Tandem.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tandem_gateway::{ChatRule, DropPending, MethodRule, Question, Sees, WebhookPolicy, WhileManagerTalks};
use tandem_model::{HeldState, Seq, Timestamp};

use super::Confidential;
use crate::{GuardPolicy, UpstreamMode, apply::Desired, doctor::Doctor, rules::RuleDocument};

/// One operation. The command line sends exactly this, over the control socket or in its own process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// How everything is.
    Status,
    /// How the service and its store are, without a word for each bot.
    Summary,
    /// Which bots there are.
    Bots,
    /// What a bot's guard is to do when somebody else takes the stream.
    SetGuard {
        /// Which bot; may be left out when there is only one.
        bot: Option<BotRef>,
        /// The policy.
        policy: GuardPolicy,
    },
    /// Take a bot's stream back from whoever has it, once, whatever the guard decided before.
    Retake {
        /// Which bot; may be left out when there is only one.
        bot: Option<BotRef>,
    },
    /// Take over a bot's stream and keep whoever held it as a route.
    Adopt(Adopt),
    /// Give a bot's stream back.
    Release(Release),
    /// Bring bots, apps and routes to what a file says.
    Apply(Apply),
    /// Which apps a bot has.
    Apps {
        /// Which bot; may be left out when there is only one.
        bot: Option<BotRef>,
    },
    /// A new app with a token of its own.
    AddApp {
        /// Which bot; may be left out when there is only one.
        bot: Option<BotRef>,
        /// Its name.
        name: String,
        /// What differs from the defaults.
        settings: AppSettings,
    },
    /// Change an app's settings.
    SetApp {
        /// Which bot; may be left out when there is only one.
        bot: Option<BotRef>,
        /// Its name.
        name: String,
        /// What changes.
        settings: AppSettings,
    },
    /// A new token for an app; the old one stops working at once.
    RotateApp {
        /// Which bot; may be left out when there is only one.
        bot: Option<BotRef>,
        /// Its name.
        name: String,
    },
    /// Remove an app with its token, its lane and its backlog.
    RevokeApp {
        /// Which bot; may be left out when there is only one.
        bot: Option<BotRef>,
        /// Its name.
        name: String,
    },
    /// Choose the app that answers what only one can answer.
    ChooseOwner {
        /// Which bot; may be left out when there is only one.
        bot: Option<BotRef>,
        /// What.
        question: Question,
        /// The app; `None` leaves it open again.
        app: Option<String>,
    },
    /// Every lane with its lag, state and latest fault.
    Lanes {
        /// Of one bot, or of all.
        bot: Option<BotRef>,
    },
    /// Have a lane stand still.
    PauseLane {
        /// Which lane.
        lane: LaneRef,
    },
    /// Have a lane go on.
    ResumeLane {
        /// Which lane.
        lane: LaneRef,
    },
    /// What a lane, or every lane, has set aside.
    Held(HeldQuery),
    /// Deliver a held event now.
    RetryHeld {
        /// Which lane.
        lane: LaneRef,
        /// Which event.
        seq: Seq,
    },
    /// Let go of a held event.
    SkipHeld {
        /// Which lane.
        lane: LaneRef,
        /// Which event.
        seq: Seq,
    },
    /// Deliver again what a lane has had.
    Replay(Replay),
    /// Which connections there are, and how they are.
    Connections,
    /// How one connection is.
    Connection {
        /// Its name.
        name: String,
    },
    /// Connect it now, also after it was switched off in the account.
    Connect {
        /// Its name.
        name: String,
    },
    /// Where somebody grants access to its account.
    Authorize {
        /// Its name.
        name: String,
    },
    /// Forget it with its secrets. Refused while a route uses it.
    RemoveConnection {
        /// Its name.
        name: String,
    },
    /// Look at everything that has to be right.
    Doctor(Doctor),
    /// Which rules routes have, and had.
    Rules {
        /// Which bot; may be left out when there is only one.
        bot: Option<BotRef>,
        /// Of one route, or of all.
        #[serde(default)]
        route: Option<String>,
    },
    /// Ask rules about what has happened, without changing or telling anything.
    TryRules(TryRules),
    /// Copy the database while it is in use.
    Backup {
        /// The new file; as the service's process sees it.
        to: String,
    },
}

/// A bot, as people name it: its id, or its username with or without `@`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BotRef(pub String);

/// A lane, as people name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneRef {
    /// Its bot; may be left out when there is only one.
    pub bot: Option<BotRef>,
    /// Its name, as `lanes` shows it, or that of its app or route.
    pub lane: String,
}

/// Take over a bot's stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Adopt {
    /// The bot's token at Telegram.
    pub token: Confidential,
    /// What the app `main` gets when it asks to drop what is pending; decided with a word of explanation in the
    /// answer when it is left out.
    #[serde(default)]
    pub drop_pending: Option<DropPending>,
    /// The secret that the present holder checks, which Telegram does not give out.
    #[serde(default)]
    pub holder_secret: Option<Confidential>,
    /// The certificate (PEM) the present holder set its webhook with, which Telegram does not give out.
    #[serde(default)]
    pub holder_certificate: Option<String>,
    /// Whether the present holder becomes a route.
    #[serde(default)]
    pub holder: KeepHolder,
    /// How updates are to be taken in; as the service is set where this says nothing.
    #[serde(default)]
    pub upstream: Option<UpstreamMode>,
    /// What to do when another program polls the bot.
    #[serde(default)]
    pub another_poller: AnotherPoller,
    /// What its guard is to do when somebody else takes the stream; as before, or `retake`, where this says nothing.
    #[serde(default)]
    pub guard: Option<GuardPolicy>,
}

/// What to do when another program polls a bot that is to be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnotherPoller {
    /// Refuse: what it takes would be missing here.
    #[default]
    Refuse,
    /// Go on beside it; it has to be stopped afterwards.
    Accept,
}

/// Whether the present holder becomes a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepHolder {
    /// It does.
    #[default]
    AsRoute,
    /// It gets nothing from now on: only `release` still knows it.
    Leave,
}

/// Give a bot's stream back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Release {
    /// Which bot; may be left out when there is only one.
    pub bot: Option<BotRef>,
    /// How long to wait until every route has everything, in seconds.
    #[serde(default)]
    pub wait_secs: u64,
    /// What to do with what is still undelivered then.
    #[serde(default)]
    pub undelivered: Undelivered,
    /// The secret that the former holder checks, if it was not given at adopt.
    #[serde(default)]
    pub holder_secret: Option<Confidential>,
    /// The certificate (PEM) of the former holder's webhook, if it was not given at adopt.
    #[serde(default)]
    pub holder_certificate: Option<String>,
    /// Whether the former holder gets its webhook back.
    #[serde(default)]
    pub webhook: GiveBack,
}

/// What to do with what is undelivered when a bot is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undelivered {
    /// Refuse, and list it.
    #[default]
    Refuse,
    /// Go on, and list it.
    Leave,
}

/// Whether the former holder gets its webhook back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GiveBack {
    /// It does, if it had one.
    #[default]
    Webhook,
    /// The bot is left without one.
    Nothing,
}

/// Bring bots, apps and routes to what a file says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Apply {
    /// What the file says, with its secrets.
    pub desired: Desired,
    /// Only show the plan, or carry it out.
    pub mode: ApplyMode,
    /// What happens to things the file does not name.
    #[serde(default)]
    pub others: Others,
}

/// Whether a plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplyMode {
    /// Show it.
    Plan,
    /// Carry it out.
    Execute,
}

/// What happens to apps and routes that a file does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Others {
    /// They stay.
    #[default]
    Keep,
    /// They are removed.
    Prune,
}

/// An app's settings: what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AppSettings {
    /// What happens when it asks to drop what is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop_pending: Option<DropPending>,
    /// How long an update waits for it, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog_secs: Option<u64>,
    /// Whether it is shown a client's free words while a manager is talking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub while_manager_talks: Option<WhileManagerTalks>,
    /// Which webhook addresses it may set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhooks: Option<WebhookPolicy>,
    /// Beginnings of callback data whose presses are for it, in place of those before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<BTreeSet<String>>,
    /// What else than updates it is shown, in place of what it was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sees: Option<BTreeSet<Sees>>,
    /// Which methods it may call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub methods: Option<Allowed<MethodRule>>,
    /// Which chats it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chats: Option<Allowed<ChatRule>>,
}

/// A limit of an app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed<T: Ord> {
    /// None: it may use any.
    Any,
    /// It may use these.
    Only(BTreeSet<T>),
}

impl<T: Ord + Clone> Allowed<T> {
    /// As it is stored.
    pub(crate) fn rules(&self) -> Option<BTreeSet<T>> {
        match self {
            Self::Any => None,
            Self::Only(rules) => Some(rules.clone()),
        }
    }
}

/// Which held events to list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HeldQuery {
    /// Of one bot, or of all.
    #[serde(default)]
    pub bot: Option<BotRef>,
    /// Of one lane, or of all.
    #[serde(default)]
    pub lane: Option<String>,
    /// In these states; in every state when empty.
    #[serde(default)]
    pub states: Vec<HeldState>,
    /// After this event, within one lane.
    #[serde(default)]
    pub after: Option<Seq>,
    /// At most so many a lane; 100 when left out.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// Deliver again what a lane has had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Which lane.
    pub lane: LaneRef,
    /// From here on.
    pub from: Point,
    /// Up to and including here; to the end when left out.
    #[serde(default)]
    pub to: Option<Point>,
    /// Only count, or deliver.
    pub mode: ReplayMode,
}

/// Ask rules about what has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TryRules {
    /// Which bot; may be left out when there is only one.
    pub bot: Option<BotRef>,
    /// Of which route.
    pub route: String,
    /// The rules; those that were in force when it happened where this says nothing.
    #[serde(default)]
    pub rules: Option<Vec<RuleDocument>>,
    /// From here on.
    pub since: Point,
    /// Only what is decided otherwise than it was.
    #[serde(default)]
    pub only_changed: bool,
    /// List the last so many; 50 when left out.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// A place in a journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// This event.
    Seq(Seq),
    /// What was stored at this time: milliseconds since 1970.
    Time(Timestamp),
}

/// Whether a replay only counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayMode {
    /// Count what would be delivered.
    DryRun,
    /// Deliver.
    Deliver,
}
