//! A rule as it is written and stored.

use serde::{Deserialize, Serialize};

use super::{
    pattern::Pattern,
    words::{Asked, AuthorWord, ButtonWord, ChatWord, CommandWord, KindWord, StateWord, Words},
};

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleDocument {
    /// When it applies. Without any condition it always does.
    #[serde(default, skip_serializing_if = "When::is_empty")]
    pub when: When,
    /// What is done then.
    #[serde(rename = "do")]
    pub action: RuleAction,
    /// What is shown in the event's place, for [`RuleAction::ShowAs`].
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleAction {
    /// The route is not told.
    Skip,
    /// It is told.
    Show,
    /// It is told a line of the owner's in place of the event.
    ShowAs,
}

/// Conditions. All that are given have to hold; of the words of one any.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct When {
    /// What kind of thing it is: an update's kind, what a message is, or what the company's side did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Words<KindWord>>,
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Words<AuthorWord>>,
    /// In what kind of chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat: Option<Words<ChatWord>>,
    /// Whether it is a command, or which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Asked<CommandWord>>,
    /// Whether it is a press of a button, or of which kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub button: Option<Asked<ButtonWord>>,
    /// What was going on in the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Words<StateWord>>,
    /// Whether it is one text to many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<bool>,
    /// How its text, its caption or the data of the button reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Words<Pattern>>,
}

impl When {
    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
