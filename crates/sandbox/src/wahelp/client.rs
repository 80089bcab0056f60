//! A client of a messenger account that is no bot: his phone, and what he sees on it.

use serde::Serialize;

/// Somebody who has the messenger. A phone number that no client has is not registered there.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Client {
    pub(crate) id: u64,
    pub(crate) name: String,
    /// Digits.
    pub(crate) phone: Option<String>,
    /// Whether the messenger shows his number to the account.
    pub(crate) shows_phone: bool,
    pub(crate) username: Option<String>,
    /// His chat with the account, oldest first.
    pub(crate) chat: Vec<Line>,
}

/// One message in his chat.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Line {
    /// Wahelp's number of it.
    pub(crate) message: i64,
    /// On which side of the chat he sees it.
    pub(crate) side: Side,
    pub(crate) text: String,
    pub(crate) file: Option<String>,
    pub(crate) at_ms: i64,
    pub(crate) deleted: bool,
}

/// Whose a message is, to the client's eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Client,
    Company,
}

impl Client {
    pub(crate) fn find_line(&mut self, message: i64) -> Option<&mut Line> {
        self.chat.iter_mut().find(|line| line.message == message)
    }
}

/// Phones are compared by their digits; the Russian trunk prefix 8 means 7.
pub(crate) use crate::amocrm::inbound::digits;
