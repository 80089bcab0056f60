//! Every call exactly as it came, and what became of it.
//!
//! Bounded by number and by bytes; what was forgotten is counted, so that a test can tell "none" from "no longer
//! kept".

use std::collections::VecDeque;

use axum::http::{HeaderMap, Method, Uri};
use bytes::Bytes;
use serde::Serialize;

use super::fault::Fault;

const RECORDS: usize = 50_000;
const BODIES: usize = 128 << 20;

/// One call of the API, one update at a bot channel, one hook of amoCRM, one download.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Call {
    /// Counts from 1.
    pub(crate) n: u64,
    pub(crate) at_ms: i64,
    /// What it was, like `send_message`, `telegram` or `amocrm`.
    pub(crate) endpoint: String,
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    #[serde(serialize_with = "as_text")]
    pub(crate) body: Bytes,
    /// The answer's status; absent when a fault kept the answer back.
    pub(crate) status: Option<u16>,
    /// Why it was refused, in more detail than the answer had.
    pub(crate) refused: Option<String>,
    /// The planned fault that decided about the answer.
    pub(crate) fault: Option<Fault>,
}

fn as_text<S: serde::Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(body))
}

impl Call {
    /// A call as it came, before anything is known of it.
    pub(crate) fn new(
        endpoint: &str,
        at_ms: i64,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Self {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Self {
            n: 0,
            at_ms,
            endpoint: endpoint.to_owned(),
            method: method.to_string(),
            target: uri.to_string(),
            headers: headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body,
            status: None,
            refused: None,
            fault: None,
        }
    }
}

/// The record of all calls.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    kept: VecDeque<Call>,
    bytes: usize,
    last: u64,
}

impl Calls {
    /// Gives its number, for [`Calls::find`].
    pub(crate) fn add(&mut self, mut call: Call) -> u64 {
        self.last += 1;
        call.n = self.last;
        self.bytes += call.body.len();
        self.kept.push_back(call);
        while self.kept.len() > RECORDS || self.bytes > BODIES {
            let Some(forgotten) = self.kept.pop_front() else { break };
            self.bytes -= forgotten.body.len();
        }
        self.last
    }

    pub(crate) fn find(&mut self, n: u64) -> Option<&mut Call> {
        let at = self.kept.partition_point(|call| call.n < n);
        self.kept.get_mut(at).filter(|call| call.n == n)
    }

    /// Calls after number `after`, oldest first.
    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = &Call> {
        let first = self.kept.partition_point(|call| call.n <= after);
        self.kept.range(first..)
    }

    /// How many are no longer kept.
    pub(crate) fn forgotten(&self) -> u64 {
        self.last - self.kept.len() as u64
    }
}
