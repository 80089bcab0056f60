//! What a bot's tests want to know afterwards: every update with its fate, every call with its outcome.
//!
//! Bounded: the newest 10,000 updates and 10,000 calls of each bot, at most 4 MiB of the calls' parameters.

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use serde::Serialize;

use super::{
    ApiError,
    faults::Fault,
    params::Params,
    queue::{Leaving, Left},
};

const MAX_UPDATES: usize = 10_000;
const MAX_CALLS: usize = 10_000;
const MAX_CALL_BYTES: usize = 4 << 20;

/// How an update reached the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivered {
    /// In an answer to `getUpdates`.
    Polling,
    /// To a webhook that answered 2xx.
    Webhook,
}

/// One update that was generated for a bot.
#[derive(Debug, Clone, Serialize)]
pub struct UpdateRecord {
    /// Its place in the record, from 1 on.
    pub n: u64,
    /// The id it went out with.
    pub update_id: i32,
    /// The name of its field.
    pub kind: Cow<'static, str>,
    /// How it reached the bot, if it did.
    pub delivered: Option<Delivered>,
    /// The webhook that took it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    pub url: Option<Arc<str>>,
    /// An offset or a 2xx has confirmed it.
    pub confirmed: bool,
    /// Its lifetime ended before it was confirmed.
    pub expired: bool,
    /// Thrown away: `drop_pending_updates`, `logOut`, a new id sequence.
    pub dropped: bool,
}

/// One Bot API call.
#[derive(Debug, Clone, Serialize)]
pub struct CallRecord {
    /// Its place in the record, from 1 on.
    pub n: u64,
    /// The clock when it was answered, struck or abandoned.
    pub at_ms: i64,
    /// The method as it was sent.
    pub method: String,
    /// Its parameters; a file part as `<name, N bytes>`.
    pub params: serde_json::Map<String, serde_json::Value>,
    /// It came as the answer of a webhook.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub webhook_reply: bool,
    /// Whether it succeeded.
    pub ok: bool,
    /// The code of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<u16>,
    /// The text of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The planted fault that struck it before it was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// Whoever called closed the connection before the answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub abandoned: bool,
}

/// The record of a bot's updates.
#[derive(Debug, Default)]
pub(crate) struct Updates {
    records: VecDeque<UpdateRecord>,
    next: u64,
}

impl Updates {
    /// Opens a record and gives its number.
    pub(crate) fn add(&mut self, update_id: i32, kind: Cow<'static, str>) -> u64 {
        if self.records.len() == MAX_UPDATES {
            self.records.pop_front();
        }
        self.next += 1;
        self.records.push_back(UpdateRecord {
            n: self.next,
            update_id,
            kind,
            delivered: None,
            url: None,
            confirmed: false,
            expired: false,
            dropped: false,
        });
        self.next
    }

    /// The number the next record will get.
    pub(crate) fn next_number(&self) -> u64 {
        self.next + 1
    }

    pub(crate) fn left(&mut self, left: &[Left]) {
        for left in left {
            let Some(record) = self.get_mut(left.number) else { continue };
            match left.why {
                Leaving::Confirmed => record.confirmed = true,
                Leaving::Expired => record.expired = true,
                Leaving::Dropped => record.dropped = true,
            }
        }
    }

    pub(crate) fn polled(&mut self, number: u64) {
        if let Some(record) = self.get_mut(number) {
            record.delivered = Some(Delivered::Polling);
        }
    }

    pub(crate) fn posted(&mut self, number: u64, url: &Arc<str>) {
        if let Some(record) = self.get_mut(number) {
            record.delivered = Some(Delivered::Webhook);
            record.url = Some(Arc::clone(url));
        }
    }

    pub(crate) fn after(&self, number: u64) -> Vec<UpdateRecord> {
        let first = self.records.front().map_or(1, |record| record.n);
        let skip = usize::try_from((number + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.records.iter().skip(skip).cloned().collect()
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut UpdateRecord> {
        let first = self.records.front()?.n;
        let place = usize::try_from(number.checked_sub(first)?).ok()?;
        self.records.get_mut(place)
    }
}

/// The record of a bot's calls. Parameters are kept as texts and turned into JSON only when somebody looks.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    records: VecDeque<StoredCall>,
    bytes: usize,
    next: u64,
}

#[derive(Debug)]
pub(crate) struct StoredCall {
    pub(crate) at_ms: i64,
    pub(crate) method: String,
    pub(crate) params: Params,
    pub(crate) webhook_reply: bool,
    pub(crate) end: End,
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum End {
    Answered,
    Refused {
        code: u16,
        description: String,
    },
    /// A planted fault struck it before it was carried out.
    Struck(Fault),
    /// Whoever called did not wait for the answer.
    Abandoned,
}

impl End {
    pub(crate) fn refused(error: &ApiError) -> Self {
        Self::Refused { code: error.code, description: error.description.clone() }
    }
}

impl Calls {
    pub(crate) fn add(&mut self, call: StoredCall) {
        self.next += 1;
        self.bytes += size(&call);
        self.records.push_back(call);
        while self.records.len() > MAX_CALLS || (self.bytes > MAX_CALL_BYTES && self.records.len() > 1) {
            if let Some(oldest) = self.records.pop_front() {
                self.bytes -= size(&oldest);
            }
        }
    }

    pub(crate) fn after(&self, number: u64) -> Vec<CallRecord> {
        let held = u64::try_from(self.records.len()).unwrap_or(u64::MAX);
        let numbered = (self.next - held + 1..).zip(&self.records);
        let wanted = numbered.filter(|(n, _)| *n > number);
        wanted.map(|(n, call)| call.to_record(n)).collect()
    }
}

impl StoredCall {
    fn to_record(&self, n: u64) -> CallRecord {
        let mut params = serde_json::Map::new();
        for (name, value) in self.params.iter() {
            params.entry(name).or_insert_with(|| value.into());
        }
        let (error_code, description, fault) = match &self.end {
            End::Answered | End::Abandoned => (None, None, None),
            End::Refused { code, description } => (Some(*code), Some(description.clone()), None),
            End::Struck(fault) => (None, None, Some(fault.clone())),
        };
        CallRecord {
            n,
            at_ms: self.at_ms,
            method: self.method.clone(),
            params,
            webhook_reply: self.webhook_reply,
            ok: matches!(self.end, End::Answered),
            error_code,
            description,
            fault,
            abandoned: matches!(self.end, End::Abandoned),
        }
    }
}

#[expect(clippy::ref_option, reason = "the shape that serde asks for")]
fn as_text<S: serde::Serializer>(url: &Option<Arc<str>>, serializer: S) -> Result<S::Ok, S::Error> {
    url.as_deref().serialize(serializer)
}

fn size(call: &StoredCall) -> usize {
    call.method.len() + call.params.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_calls_go_when_their_parameters_exceed_the_budget() {
        let mut calls = Calls::default();
        for _ in 0..10 {
            let params = Params::from_iter([("text", "x".repeat(1 << 20))]);
            let method = "sendMessage".to_owned();
            calls.add(StoredCall { at_ms: 0, method, params, webhook_reply: false, end: End::Answered });
        }
        let numbers: Vec<_> = calls.after(0).iter().map(|call| call.n).collect();
        assert_eq!(numbers, [8, 9, 10]);
        assert_eq!(calls.after(9).len(), 1);
    }

    #[test]
    fn records_are_found_by_number_after_the_oldest_are_gone() {
        let mut updates = Updates::default();
        for id in 0..10_005 {
            updates.add(id, "message".into());
        }
        updates.polled(3);
        updates.polled(10_004);
        let tail = updates.after(10_003);
        assert_eq!(tail.iter().map(|record| record.n).collect::<Vec<_>>(), [10_004, 10_005]);
        assert_eq!(tail[0].delivered, Some(Delivered::Polling));
        assert_eq!(updates.after(0).len(), 10_000);
    }
}
