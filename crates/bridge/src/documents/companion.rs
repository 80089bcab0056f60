//! What is stored of the companion of a vendor's built-in integration.

use serde::{Deserialize, Serialize};
use tandem_model::message::Language;

use super::ChannelDocument;

/// How a route of the mode `native` that has a connection goes beside the relaying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompanionDocument {
    /// For so many minutes a manager's message marks the conversation as his.
    pub talk_minutes: u32,
    /// Whether what the bot says is written onto the client's card.
    pub notes: bool,
    /// So many seconds nothing more is said before a note is written.
    pub notes_after_secs: u32,
    /// In which language.
    pub language: Language,
}

impl Default for CompanionDocument {
    fn default() -> Self {
        let ChannelDocument { talk_minutes, language, .. } = ChannelDocument::default();
        Self { talk_minutes, notes: true, notes_after_secs: 20, language }
    }
}
