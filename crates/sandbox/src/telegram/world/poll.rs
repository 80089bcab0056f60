//! Polls and quizzes: options, votes, closing.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::chat::ChatKey;

/// One poll; it belongs to one message.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    pub(crate) id: String,
    pub(crate) chat: ChatKey,
    pub(crate) message_id: i64,
    /// The bot that sent it; only it is told of votes.
    pub(crate) owner: i64,
    /// `question`, `question_entities`, `explanation`, … as they appear in the `Poll` object.
    pub(crate) fields: Map<String, Value>,
    /// Text (and entities) of each option.
    pub(crate) options: Vec<Map<String, Value>>,
    pub(crate) is_anonymous: bool,
    pub(crate) allows_multiple_answers: bool,
    pub(crate) is_closed: bool,
    /// When it closes by itself, in milliseconds.
    pub(crate) closes_at_ms: Option<i64>,
    /// Who voted for which options.
    pub(crate) votes: BTreeMap<i64, Vec<usize>>,
}

impl Poll {
    /// Whether nobody can vote any more.
    pub(crate) fn closed_at(&self, now_ms: i64) -> bool {
        self.is_closed || self.closes_at_ms.is_some_and(|at| at <= now_ms)
    }

    /// The `Poll` object.
    pub(crate) fn to_json(&self, now_ms: i64) -> Value {
        let options: Vec<Value> = self
            .options
            .iter()
            .enumerate()
            .map(|(index, option)| {
                let count = self.votes.values().filter(|chosen| chosen.contains(&index)).count();
                let mut option = option.clone();
                option.insert("persistent_id".into(), json!(index.to_string()));
                option.insert("voter_count".into(), json!(count));
                Value::Object(option)
            })
            .collect();
        let mut object = self.fields.clone();
        object.insert("id".into(), json!(self.id));
        object.insert("options".into(), json!(options));
        object.insert("total_voter_count".into(), json!(self.votes.len()));
        object.insert("is_closed".into(), json!(self.closed_at(now_ms)));
        object.insert("is_anonymous".into(), json!(self.is_anonymous));
        object.insert("allows_multiple_answers".into(), json!(self.allows_multiple_answers));
        Value::Object(object)
    }
}
