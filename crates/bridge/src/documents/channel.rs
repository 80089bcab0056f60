//! What is stored of a route of the modes `channel` and `api`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tandem_model::{
    BotId,
    message::{KeyboardKind, Language},
};

use super::WahelpDocument;

/// How a route of the modes `channel` and `api` goes. The vendor gets it as it is: what only the vendor understands (pipelines,
/// people) is for the vendor to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the operator's file")]
pub struct ChannelDocument {
    /// Into which pipeline new leads come, by the vendor's number; the account's main one where this says nothing.
    pub pipeline: Option<u64>,
    /// Into which stage, by the vendor's number; the first one of the pipeline where this says nothing.
    pub stage: Option<u64>,
    /// Who gets them, by the vendor's number; as the account distributes them where this says nothing.
    pub responsible: Option<u64>,
    /// The vendor's source, which tells bots of one account apart; made of the bot's id where this says nothing.
    pub source: Option<String>,
    /// What that source is called where it is made; the vendor's crate finds a name where this says nothing.
    pub source_name: Option<String>,
    /// What becomes of a client without a lead that can be used.
    pub leads: NewLeads,
    /// Whether a lost lead is opened again when its client writes.
    pub reopen_lost: bool,
    /// Into which stage it is opened, by the vendor's number; the first one of its pipeline where this says nothing.
    pub reopen_stage: Option<u64>,
    /// After so many minutes it is looked whether the client's lead is still open, when he writes.
    pub lead_check_minutes: u32,
    /// Whether a card that the vendor made for an unknown client is accepted once he is matched.
    pub accept_unsorted: bool,
    /// Where the payload of a client's first `/start` goes, in the vendor's words.
    pub start_first: Vec<String>,
    /// Where that of his latest `/start` goes.
    pub start_latest: Vec<String>,
    /// Whether the open talk is closed when the client presses start again.
    pub close_talk_on_start: bool,
    /// For so many minutes a manager's message marks the conversation as his.
    pub talk_minutes: u32,
    /// What becomes of new people while the vendor cannot be asked who they are.
    pub without_rest: WithoutRest,
    /// Where buttons stand that a manager shows.
    pub keyboard: KeyboardKind,
    /// In which language people of the vendor's are told what is no message.
    pub language: Language,
    /// Everything is kept for the history and nobody is notified: for a route that stands beside another one into the
    /// same account for a while.
    pub silent: bool,
    /// What belongs to routes to Wahelp alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wahelp: Option<Box<WahelpDocument>>,
}

impl Default for ChannelDocument {
    fn default() -> Self {
        Self {
            pipeline: None,
            stage: None,
            responsible: None,
            source: None,
            source_name: None,
            leads: NewLeads::default(),
            reopen_lost: false,
            reopen_stage: None,
            lead_check_minutes: 60,
            accept_unsorted: false,
            start_first: Vec::new(),
            start_latest: Vec::new(),
            close_talk_on_start: false,
            talk_minutes: 30,
            without_rest: WithoutRest::default(),
            keyboard: KeyboardKind::default(),
            language: Language::default(),
            silent: false,
            wahelp: None,
        }
    }
}

impl ChannelDocument {
    /// The vendor's source, which tells a bot's chats from those of others.
    pub fn source_of(&self, bot: BotId) -> String {
        self.source.clone().unwrap_or_else(|| format!("bot_{bot}"))
    }

    /// The route's settings as the vendor gets them, with the source filled in.
    pub fn for_vendor(&self, bot: BotId) -> Value {
        let filled = Self { source: Some(self.source_of(bot)), ..self.clone() };
        serde_json::to_value(filled).unwrap_or_default()
    }
}

/// What becomes of a client without a lead that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewLeads {
    /// One is made.
    #[default]
    Make,
    /// Nothing: managers make them.
    Leave,
}

/// What becomes of new people while the vendor cannot be asked who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutRest {
    /// What they say is told all the same, and they are matched later.
    #[default]
    Send,
    /// It waits until they are known.
    Wait,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_is_told_a_source_for_each_bot() {
        let bot = BotId::new(777).unwrap();
        assert_eq!(ChannelDocument::default().for_vendor(bot)["source"], "bot_777");
        let named = ChannelDocument { source: Some("shop".to_owned()), ..ChannelDocument::default() };
        assert_eq!(named.for_vendor(bot)["source"], "shop");
    }

    #[test]
    fn what_a_file_leaves_out_is_the_default_and_a_key_of_a_newer_version_is_an_error() {
        assert_eq!(serde_json::from_str::<ChannelDocument>("{}").unwrap(), ChannelDocument::default());
        let written = serde_json::to_string(&ChannelDocument::default()).unwrap();
        assert_eq!(serde_json::from_str::<ChannelDocument>(&written).unwrap(), ChannelDocument::default());
        let error = serde_json::from_str::<ChannelDocument>(r#"{"speed":1}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `speed`"), "{error}");
    }
}
