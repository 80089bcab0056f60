//! What amoCRM would have stumbled over without telling anybody: files that cannot be fetched, quotes that lead
//! nowhere, times that contradict each other. Bounded; the oldest are forgotten first.

use std::collections::VecDeque;

use serde::Serialize;

const KEPT: usize = 10_000;

/// One thing that is wrong with what an integration sent.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Complaint {
    pub(crate) n: u64,
    pub(crate) at_ms: i64,
    pub(crate) channel: String,
    /// amojo's id of the message it is about.
    pub(crate) message: Option<String>,
    /// A word for programs: `media_redirect`, `quote_unknown` …
    pub(crate) code: &'static str,
    pub(crate) text: String,
}

/// All complaints that are kept.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    kept: VecDeque<Complaint>,
    last: u64,
}

impl Complaints {
    pub(crate) fn add(
        &mut self,
        at_ms: i64,
        channel: &str,
        message: Option<&str>,
        code: &'static str,
        text: impl Into<String>,
    ) {
        self.last += 1;
        self.kept.push_back(Complaint {
            n: self.last,
            at_ms,
            channel: channel.to_owned(),
            message: message.map(ToOwned::to_owned),
            code,
            text: text.into(),
        });
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
    }

    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = &Complaint> {
        self.kept.iter().filter(move |complaint| complaint.n > after)
    }
}
