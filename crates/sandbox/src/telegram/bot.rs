//! One bot: its token and name, and everything the server keeps for it.
//!
//! A bot that nobody talks to costs its memory and nothing else: no task, no timer, no connection.

use std::{
    borrow::Cow,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use bytes::Bytes;
use serde_json::{Value, value::RawValue};
use tokio::sync::Notify;

use super::{
    allowed::Allowed,
    faults::{FaultError, FaultSpec, Faults},
    kinds,
    lifecycle::Lifecycle,
    polling::Polling,
    queue::{FIRST_IDS, Full, Leaving, Left, Queue, StoredUpdate},
    record::{CallRecord, Calls, UpdateRecord, Updates},
    server::Inner,
    webhook::Webhook,
};
use crate::{clock::Clock, random::Random};

/// A bot of this Telegram.
#[derive(Debug)]
pub struct Bot {
    id: i64,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) telegram: Weak<Inner>,
    /// Told when an update was stored while a poll waited, or when the webhook has something new to do.
    pub(crate) wake: Notify,
    state: Mutex<State>,
}

/// Everything about a bot that changes, under one lock.
#[derive(Debug)]
pub(crate) struct State {
    token: String,
    username: String,
    first_name: String,
    pub(crate) queue: Queue,
    pub(crate) updates: Updates,
    pub(crate) calls: Calls,
    pub(crate) allowed: Allowed,
    pub(crate) polling: Polling,
    pub(crate) webhook: Webhook,
    pub(crate) faults: Faults,
    pub(crate) lifecycle: Lifecycle,
    /// When the last update was stored.
    last_update_ms: i64,
}

/// What became of an update that was offered to a bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// Stored under this id.
    Stored {
        /// The id.
        update_id: i32,
    },
    /// The bot does not want this kind.
    Unwanted,
    /// Its lifetime was over before it arrived.
    Expired,
    /// It is over 512 KiB.
    TooLarge,
    /// 100,000 updates or 128 MiB are waiting.
    QueueFull,
}

/// A raw update that is none.
#[derive(Debug, thiserror::Error)]
pub enum RawUpdateError {
    /// No JSON object.
    #[error("expected an update object like {{\"message\": {{…}}}}")]
    NotAnObject(#[source] serde_json::Error),
    /// Nothing beside `update_id`.
    #[error("expected one field beside update_id, named after the update's kind")]
    NoKind,
    /// An id that no update can have.
    #[error("expected update_id to be an integer in 1..=2147483646")]
    BadId,
}

/// The most days a sequence of ids survives without an update.
const QUIET_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Who a bot is.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) id: i64,
    pub(crate) token: String,
    pub(crate) username: String,
    pub(crate) first_name: String,
}

impl Bot {
    pub(crate) fn new(identity: Identity, clock: Clock, random: Random, telegram: Weak<Inner>) -> Self {
        let now_ms = clock.now_ms();
        let state = State {
            token: identity.token,
            username: identity.username,
            first_name: identity.first_name,
            queue: Queue::new(first_id(&random)),
            updates: Updates::default(),
            calls: Calls::default(),
            allowed: Allowed::default(),
            polling: Polling::default(),
            webhook: Webhook::default(),
            faults: Faults::default(),
            lifecycle: Lifecycle::started(now_ms),
            last_update_ms: now_ms,
        };
        let state = Mutex::new(state);
        Self { id: identity.id, clock, random, telegram, wake: Notify::new(), state }
    }

    /// Its user id.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// The token it answers to now.
    pub fn token(&self) -> String {
        self.lock().token.clone()
    }

    /// Its name without the at sign.
    pub fn username(&self) -> String {
        self.lock().username.clone()
    }

    /// Its display name.
    pub fn first_name(&self) -> String {
        self.lock().first_name.clone()
    }

    pub(crate) fn set_first_name(&self, name: String) {
        self.lock().first_name = name;
    }

    pub(crate) fn set_token(&self, token: String) {
        self.lock().token = token;
    }

    pub(crate) fn has_token(&self, token: &str) -> bool {
        self.lock().token == token
    }

    /// Offers an update of this kind; the id is the next of the sequence. Lifetime, filter, bounds and the
    /// wake-up of whoever waits are the server's.
    pub fn push(self: &Arc<Self>, kind: &str, object: &Value) -> Pushed {
        let kind = static_kind(kind);
        let now_ms = self.clock.now_ms();
        let fields = format!("\"{kind}\":{object}");
        self.store(kind, object, &fields, None, now_ms)
    }

    /// Offers a raw update: its fields keep their bytes, its `update_id` is kept or given. An id of its own may
    /// repeat or go back; the sequence only moves on when it is ahead.
    pub fn push_raw(self: &Arc<Self>, update: &str) -> Result<Pushed, RawUpdateError> {
        let raw = RawUpdate::parse(update)?;
        Ok(self.store(raw.kind, &raw.object, &raw.fields, raw.update_id, self.clock.now_ms()))
    }

    fn store(
        self: &Arc<Self>,
        kind: Cow<'static, str>,
        object: &Value,
        fields: &str,
        update_id: Option<i32>,
        now_ms: i64,
    ) -> Pushed {
        let known = kinds::kind(&kind);
        let expires_at_ms = known.expires_at_ms(object, now_ms);
        if expires_at_ms <= now_ms {
            return Pushed::Expired;
        }
        let mut state = self.lock();
        if !state.allowed.allows(&kind) {
            return Pushed::Unwanted;
        }
        state.renew_sequence(&self.random, now_ms);
        let id = update_id.unwrap_or_else(|| state.queue.tail());
        let body = Bytes::from(format!("{{\"update_id\":{id},\n{fields}}}"));
        match state.queue.check_room(body.len()) {
            Ok(()) => {}
            Err(Full::TooLarge) => return Pushed::TooLarge,
            Err(Full::QueueFull) => return Pushed::QueueFull,
        }
        let queue = known.queue(object, state.updates.next_number());
        let number = state.updates.add(id, kind);
        state.queue.push(StoredUpdate { id, number, queue, expires_at_ms, body });
        state.last_update_ms = now_ms;
        if state.webhook.is_set() {
            self.deliver(&mut state);
        } else if state.polling.update_arrives() {
            self.wake.notify_waiters();
        }
        Pushed::Stored { update_id: id }
    }

    /// Lets the sequence of ids go on at another number; what was undelivered is dropped, as at Telegram when a
    /// sequence ends.
    pub fn rebase(&self, next_update_id: i32) {
        let mut state = self.lock();
        let mut left = Vec::new();
        state.queue.rebase(next_update_id, &mut left);
        state.updates.left(&left);
    }

    /// The records of updates after a number, oldest first.
    pub fn updates_after(&self, number: u64) -> Vec<UpdateRecord> {
        self.lock().updates.after(number)
    }

    /// The records of calls after a number, oldest first.
    pub fn calls_after(&self, number: u64) -> Vec<CallRecord> {
        self.lock().calls.after(number)
    }

    /// How many updates are neither confirmed nor expired nor dropped.
    pub fn pending(&self) -> usize {
        self.lock().queue.len()
    }

    /// Whether somebody waits for this bot's next update in a long poll.
    pub fn is_polled(&self) -> bool {
        self.lock().polling.is_waiting(self.clock.now_ms())
    }

    /// Plants a fault.
    pub fn plant_fault(&self, fault: FaultSpec) -> Result<(), FaultError> {
        self.lock().faults.plant(fault, self.clock.now_ms())
    }

    /// Removes all planted faults.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Empties the queue.
    pub(crate) fn drop_pending(&mut self) {
        let mut left = Vec::new();
        self.queue.clear(Leaving::Dropped, &mut left);
        self.note(&left);
    }

    /// Notes in the record what left the queue.
    pub(crate) fn note(&mut self, left: &[Left]) {
        self.updates.left(left);
    }

    /// A sequence that came to its end, or that gave no update for a week, goes on at a random number.
    fn renew_sequence(&mut self, random: &Random, now_ms: i64) {
        let quiet = self.queue.is_empty() && now_ms.saturating_sub(self.last_update_ms) >= QUIET_MS;
        if quiet || self.queue.is_exhausted() {
            let mut left = Vec::new();
            self.queue.rebase(first_id(random), &mut left);
            self.note(&left);
        }
    }
}

#[cfg(test)]
impl Bot {
    /// A bot of no Telegram with a frozen clock, for tests of parts that need its clock and its randomness.
    pub(crate) fn for_test() -> Self {
        let identity =
            Identity { id: 1, token: String::new(), username: String::new(), first_name: String::new() };
        Self::new(identity, Clock::manual(0), Random::seeded(1), Weak::new())
    }
}

fn first_id(random: &Random) -> i32 {
    i32::try_from(random.range(FIRST_IDS)).expect("the range is within 32 bits")
}

/// A known kind's own name, so that no record of an update owns a copy of it.
fn static_kind(name: &str) -> Cow<'static, str> {
    kinds::index(name)
        .map_or_else(|| Cow::Owned(name.to_owned()), |index| Cow::Borrowed(kinds::all()[index].name))
}

/// A raw update taken apart without changing a byte of its fields.
struct RawUpdate {
    kind: Cow<'static, str>,
    object: Value,
    /// Everything but `update_id`, as `"name":value` pairs.
    fields: String,
    update_id: Option<i32>,
}

impl RawUpdate {
    fn parse(update: &str) -> Result<Self, RawUpdateError> {
        let map: std::collections::BTreeMap<&str, &RawValue> =
            serde_json::from_str(update).map_err(RawUpdateError::NotAnObject)?;
        let update_id = match map.get("update_id") {
            None => None,
            Some(id) => match id.get().parse::<i32>() {
                Ok(id) if (1..i32::MAX).contains(&id) => Some(id),
                _ => return Err(RawUpdateError::BadId),
            },
        };
        let mut fields = String::with_capacity(update.len());
        let mut kind = None;
        for (name, value) in map.into_iter().filter(|(name, _)| *name != "update_id") {
            // A known kind names the update even when an unknown field stands beside it.
            if kind.is_none() || kinds::index(name).is_some() {
                kind = Some((name, value));
            }
            let comma = if fields.is_empty() { "" } else { "," };
            // Writing to a String cannot fail.
            write!(fields, "{comma}{}:{}", Value::from(name), value.get()).ok();
        }
        let (name, value) = kind.ok_or(RawUpdateError::NoKind)?;
        let object = serde_json::from_str(value.get()).map_err(RawUpdateError::NotAnObject)?;
        Ok(Self { kind: static_kind(name), object, fields, update_id })
    }
}
