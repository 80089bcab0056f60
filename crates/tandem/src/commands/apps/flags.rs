//! What can be said of an app on the command line.

use std::{collections::BTreeSet, time::Duration};

use clap::{Args, ValueEnum};
use tandem_bridge::operations::{Allowed, AppSettings};
use tandem_gateway::{ChatRule, DropPending, MethodRule, Question, Sees, WebhookPolicy, WhileManagerTalks};

use crate::{Failure, commands::quantities};

#[derive(Debug, Args)]
pub(super) struct Changes {
    /// When it asks to drop what is pending: obey as Telegram would, or ignore it and keep the backlog
    #[arg(long, value_name = "HOW")]
    drop_pending: Option<DropPendingWord>,
    /// How long an update waits for it, such as 24h or 3d
    #[arg(long, value_name = "TIME", value_parser = quantities::duration)]
    backlog: Option<Duration>,
    /// Whether it is shown a client's free words while a manager is talking
    #[arg(long, value_name = "HOW")]
    while_manager_talks: Option<WhileManagerTalksWord>,
    /// Which webhook addresses it may set; auto is any on a loopback gateway, else public-https
    #[arg(long, value_name = "WHICH")]
    webhooks: Option<WebhooksWord>,
    /// Presses of buttons whose data begins so are for it, whoever sent the message; the longest claim wins. Replaces
    /// what it claimed before; may be given several times
    #[arg(long, value_name = "BEGINNING")]
    claim: Vec<String>,
    /// It claims nothing
    #[arg(long, conflicts_with = "claim")]
    no_claims: bool,
    /// Whether it is shown what the bot's other apps send, in a form of its own
    #[arg(long, value_name = "WHAT")]
    sees: Option<SeesWord>,
}

#[derive(Debug, Args)]
pub(super) struct LimitFlags {
    /// The methods it may call, by name or group, with commas between; or any
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    methods: Option<Vec<String>>,
    /// The chats it may use, by number or @name, with commas between; or any
    #[arg(long, value_name = "LIST", value_delimiter = ',', allow_hyphen_values = true)]
    chats: Option<Vec<String>>,
}

/// What happens when an app asks to drop what is pending.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::commands) enum DropPendingWord {
    /// Drop it, for this app alone
    Obey,
    /// Answer yes and keep it
    Ignore,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum WhileManagerTalksWord {
    Deliver,
    Skip,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum WebhooksWord {
    Auto,
    Any,
    PublicHttps,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SeesWord {
    /// What other apps send
    Sent,
    /// Updates alone
    Nothing,
}

/// What only one app can answer.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum QuestionWord {
    /// Inline queries and the results chosen of them
    Inline,
    /// What shipping costs
    Shipping,
    /// Whether a payment may go on
    PreCheckout,
    /// Requests to join a chat
    JoinRequests,
    /// Messages from chats the bot is a guest in
    Guest,
}

impl From<DropPendingWord> for DropPending {
    fn from(word: DropPendingWord) -> Self {
        match word {
            DropPendingWord::Obey => Self::Obey,
            DropPendingWord::Ignore => Self::Ignore,
        }
    }
}

impl From<QuestionWord> for Question {
    fn from(word: QuestionWord) -> Self {
        match word {
            QuestionWord::Inline => Self::Inline,
            QuestionWord::Shipping => Self::Shipping,
            QuestionWord::PreCheckout => Self::PreCheckout,
            QuestionWord::JoinRequests => Self::JoinRequests,
            QuestionWord::Guest => Self::Guest,
        }
    }
}

impl Changes {
    pub(super) fn settings(self) -> AppSettings {
        AppSettings {
            drop_pending: self.drop_pending.map(Into::into),
            backlog_secs: self.backlog.map(|backlog| backlog.as_secs()),
            while_manager_talks: self.while_manager_talks.map(|word| match word {
                WhileManagerTalksWord::Deliver => WhileManagerTalks::Deliver,
                WhileManagerTalksWord::Skip => WhileManagerTalks::Skip,
            }),
            webhooks: self.webhooks.map(|word| match word {
                WebhooksWord::Auto => WebhookPolicy::Auto,
                WebhooksWord::Any => WebhookPolicy::Any,
                WebhooksWord::PublicHttps => WebhookPolicy::PublicHttps,
            }),
            claims: (self.no_claims || !self.claim.is_empty()).then(|| self.claim.into_iter().collect()),
            sees: self.sees.map(|word| match word {
                SeesWord::Sent => [Sees::Sent].into(),
                SeesWord::Nothing => BTreeSet::new(),
            }),
            methods: None,
            chats: None,
        }
    }
}

impl LimitFlags {
    /// Settings with these limits.
    pub(super) fn put_into(self, settings: AppSettings) -> Result<AppSettings, Failure> {
        let methods = self.methods.map(|list| allowed(&list, MethodRule::parse)).transpose()?;
        let chats = self.chats.map(|list| allowed(&list, ChatRule::parse)).transpose()?;
        Ok(AppSettings { methods, chats, ..settings })
    }
}

fn allowed<T: Ord, E: std::fmt::Display>(
    list: &[String],
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<Allowed<T>, Failure> {
    if let [word] = list
        && word == "any"
    {
        return Ok(Allowed::Any);
    }
    let rules = list.iter().map(|rule| read(rule)).collect::<Result<_, E>>();
    rules.map(Allowed::Only).map_err(|error| {
        Failure::usage(error.to_string(), "`tandem apps limit --help` shows what can be named.")
    })
}
