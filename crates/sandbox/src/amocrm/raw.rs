//! Every delivery to the hooks exactly as it came: bytes, headers, when, and what became of it.
//!
//! Bounded by number and by bytes; what was forgotten is counted, so that a test can tell "none" from "no longer
//! kept".

use std::collections::VecDeque;

use bytes::Bytes;
use serde::Serialize;

use super::fault::Fault;

const RECORDS: usize = 100_000;
const BODIES: usize = 256 << 20;

/// One request to a hook.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    /// Counts from 1 over all bots.
    pub(crate) n: u64,
    pub(crate) at_ms: i64,
    pub(crate) bot_id: Option<i64>,
    pub(crate) address: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) update_id: Option<i64>,
    pub(crate) outcome: Outcome,
    /// The planned fault that decided about the answer.
    pub(crate) fault: Option<Fault>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Shown.
    Taken,
    /// The same bytes had been taken before.
    Repeat,
    /// A planned fault, and the update was not kept.
    Fault,
    UnknownAddress,
    NotAnUpdate,
}

/// The record of all deliveries.
#[derive(Debug, Default)]
pub(crate) struct RawLog {
    records: VecDeque<Delivery>,
    bytes: usize,
    last: u64,
}

impl RawLog {
    /// Keeps a delivery and gives it its number.
    pub(crate) fn add(&mut self, mut delivery: Delivery) {
        self.last += 1;
        delivery.n = self.last;
        self.bytes += delivery.body.len();
        self.records.push_back(delivery);
        while self.records.len() > RECORDS || self.bytes > BODIES {
            let Some(forgotten) = self.records.pop_front() else { break };
            self.bytes -= forgotten.body.len();
        }
    }

    /// Deliveries after number `after`, of one bot or of all, oldest first.
    pub(crate) fn after(&self, after: u64, bot_id: Option<i64>) -> impl Iterator<Item = &Delivery> {
        let first = self.records.partition_point(|delivery| delivery.n <= after);
        self.records.range(first..).filter(move |delivery| bot_id.is_none() || delivery.bot_id == bot_id)
    }

    /// How many deliveries are no longer kept.
    pub(crate) fn forgotten(&self) -> u64 {
        self.last - self.records.len() as u64
    }
}
