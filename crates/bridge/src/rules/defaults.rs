//! What is done with an event that no rule fits, by the kind of route.

use serde::{Deserialize, Serialize};
use tandem_model::Flags;
use tandem_telegram::{
    methods::Act,
    update::{Content, Kind},
};

use super::{Decided, DecidedBy, Decision, Facts, condition::is_button, words::ChatWord};

/// Whom a route shows events to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// A program that is given Telegram's own updates (`relay`, `native`): everything.
    Everything,
    /// People who read a conversation (`channel`, `api`): what they could answer.
    Conversation,
}

impl Audience {
    /// What is done where no rule says anything.
    pub(super) fn decide(self, facts: &Facts<'_>) -> Decided {
        let (decision, why) = match self {
            Self::Everything => (Decision::Show, "everything is passed on"),
            Self::Conversation => conversation(facts),
        };
        Decided { decision, by: DecidedBy::Default(why) }
    }
}

fn conversation(facts: &Facts<'_>) -> (Decision, &'static str) {
    use Decision::{Show, Skip};
    if facts.chat != Some(ChatWord::Private) {
        return (Skip, "only private chats");
    }
    if facts.flags.intersects(Flags::MANAGERS_BUTTON) {
        return (Show, "a manager's button");
    }
    if let Some(kind) = facts.update {
        return match kind {
            _ if facts.command().is_some() => (Skip, "commands stay in code"),
            _ if is_button(facts) => (Skip, "buttons stay in code"),
            Kind::Message | Kind::EditedMessage | Kind::BusinessMessage | Kind::EditedBusinessMessage => {
                match facts.content {
                    Some(Content::Service) => (Skip, "a service message"),
                    Some(Content::WebAppData | Content::Shared) => (Skip, "buttons stay in code"),
                    Some(_) | None => (Show, "the client's message"),
                }
            }
            Kind::MessageReaction => (Show, "the client's reaction"),
            _ => (Skip, "nothing that is said"),
        };
    }
    match facts.act {
        _ if facts.flags.intersects(Flags::CAMPAIGN) => (Skip, "a campaign"),
        Some(Act::Send | Act::Forward | Act::Copy | Act::Edit | Act::StopPoll | Act::React) => {
            (Show, "the company's message")
        }
        _ => (Skip, "nothing that is said"),
    }
}
