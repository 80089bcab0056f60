//! Queries that wait for a bot's answer: presses, inline queries, shipping and checkout.
//!
//! A query can be answered once and within its time; taking it is answering it.

use std::collections::HashMap;

use serde_json::Value;
use tokio::sync::oneshot;

use super::chat::ChatKey;
use crate::telegram::error::ApiError;

/// Above this number expired queries are swept out before another is kept.
const SWEEP_ABOVE: usize = 1_024;

/// What was asked, and what its answer needs to know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Question {
    /// An inline button was pressed; without a chat the query was pushed raw.
    Callback { chat: Option<ChatKey>, message_id: Option<i64>, data: Option<String> },
    /// Somebody types the bot's name in some chat.
    Inline,
    /// An invoice that needs an address: which delivery?
    Shipping { invoice: InvoiceRef },
    /// Last question before the money moves.
    Checkout { invoice: InvoiceRef },
}

/// The message of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvoiceRef {
    pub(crate) chat: ChatKey,
    pub(crate) message_id: i64,
}

/// The method that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    Callback,
    Inline,
    Shipping,
    Checkout,
}

impl Question {
    fn asked(&self) -> Asked {
        match self {
            Self::Callback { .. } => Asked::Callback,
            Self::Inline => Asked::Inline,
            Self::Shipping { .. } => Asked::Shipping,
            Self::Checkout { .. } => Asked::Checkout,
        }
    }

    /// How long an answer is accepted. For presses Telegram documents no number; a minute is what it shows.
    fn life_ms(&self) -> i64 {
        match self {
            Self::Callback { .. } => 60_000,
            Self::Inline => 30_000,
            Self::Shipping { .. } => 150_000,
            Self::Checkout { .. } => 10_000,
        }
    }
}

/// A query on its way.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) user: i64,
    pub(crate) question: Question,
    /// Tells who waits for the answer; nobody may.
    pub(crate) answer: oneshot::Sender<Value>,
    asked_at_ms: i64,
}

/// The open queries of all bots.
#[derive(Debug, Default)]
pub(crate) struct Queries(HashMap<(i64, String), Query>);

impl Queries {
    /// Keeps a query until it is answered; the receiver gets the answer.
    pub(crate) fn ask(
        &mut self,
        bot: i64,
        id: String,
        user: i64,
        question: Question,
        now_ms: i64,
    ) -> oneshot::Receiver<Value> {
        let (answer, receiver) = oneshot::channel();
        self.ask_for(bot, id, user, question, now_ms, answer);
        receiver
    }

    /// Like [`Self::ask`], for somebody who waits already.
    pub(crate) fn ask_for(
        &mut self,
        bot: i64,
        id: String,
        user: i64,
        question: Question,
        now_ms: i64,
        answer: oneshot::Sender<Value>,
    ) {
        if self.0.len() >= SWEEP_ABOVE {
            self.0.retain(|_, query| query.asked_at_ms + query.question.life_ms() >= now_ms);
        }
        self.0.insert((bot, id), Query { user, question, answer, asked_at_ms: now_ms });
    }

    /// Takes a query out to answer it, once and in time.
    pub(crate) fn take(&mut self, bot: i64, id: &str, asked: Asked, now_ms: i64) -> Result<Query, ApiError> {
        let key = (bot, id.to_owned());
        let open = self.0.get(&key).is_some_and(|query| query.question.asked() == asked);
        let query = if open { self.0.remove(&key) } else { None };
        query.filter(|query| now_ms <= query.asked_at_ms + query.question.life_ms()).ok_or_else(|| {
            ApiError::bad_request("query is too old and response timeout expired or query ID is invalid")
        })
    }
}
