//! Sends chat hooks: signed, once, five seconds at most, and never again (reference 2.1).
//!
//! The hooks of a chat leave one after the other unless the channel says otherwise; different chats do not wait
//! for each other. Every hook is on record with what became of it, also those a fault kept back.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use http::header;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::channel::Channel;
use super::sign;
use crate::amocrm::bot_api::in_words;
use crate::amocrm::calls::Part;
use crate::amocrm::group_fault::{GroupFault, Occasion};
use crate::amocrm::{AmoCrm, State};

/// An answer that takes longer counts as none. Real seconds: a manual clock cannot make a peer slow.
const TIME_LIMIT: Duration = Duration::from_secs(5);
const KEPT: usize = 20_000;
const USER_AGENT: &str = "amoCRM amoJo/1.0";

/// What a hook is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HookKind {
    Message,
    Typing,
    Reaction,
}

impl HookKind {
    fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Typing => "typing",
            Self::Reaction => "reaction",
        }
    }
}

/// What becomes of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HookState {
    Waiting,
    /// Answered with 200.
    Delivered,
    /// Answered with something else, or not at all. It is not repeated.
    Failed,
    /// A planned fault kept it back.
    Lost,
    /// The channel is not connected, or has no address.
    NotConnected,
}

/// One hook, as the control API shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SentHook {
    pub(crate) n: u64,
    pub(crate) at_ms: i64,
    pub(crate) channel: String,
    pub(crate) chat: String,
    /// amojo's id of the message it is about.
    pub(crate) message: Option<String>,
    pub(crate) kind: HookKind,
    pub(crate) url: Option<String>,
    pub(crate) body: String,
    pub(crate) signature: String,
    pub(crate) state: HookState,
    pub(crate) status: Option<u16>,
    pub(crate) latency_ms: Option<u64>,
    pub(crate) error: Option<String>,
}

/// A hook before it has a number.
pub(crate) struct Letter {
    channel: String,
    chat: String,
    message: Option<String>,
    kind: HookKind,
    url: Option<String>,
    body: String,
    signature: String,
    in_order: bool,
    wait_ms: u64,
}

impl Letter {
    /// Signs the body; the newline that follows it is not covered.
    pub(crate) fn new(
        channel: &Channel,
        chat: &str,
        message: Option<&str>,
        kind: HookKind,
        body: &Value,
    ) -> Self {
        let mut body = body.to_string();
        let signature = sign::of_body(&channel.secret, body.as_bytes());
        if channel.settings.hook_newline {
            body.push('\n');
        }
        Self {
            channel: channel.id.clone(),
            chat: chat.to_owned(),
            message: message.map(ToOwned::to_owned),
            kind,
            url: channel.hook_address(),
            body,
            signature,
            in_order: channel.settings.hooks_in_order,
            wait_ms: channel.queue_ms(),
        }
    }
}

/// What waits to be sent, and what was.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    kept: VecDeque<SentHook>,
    last: u64,
    /// The hooks of a chat that leave in order; a chat is listed as long as somebody sends its hooks.
    queues: BTreeMap<String, VecDeque<Sending>>,
}

/// A hook on its way.
#[derive(Debug, Clone)]
struct Sending {
    n: u64,
    channel: String,
    url: String,
    body: String,
    signature: String,
    due_ms: i64,
}

impl Outbox {
    /// Hooks after number `after`, oldest first.
    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = &SentHook> {
        let first = self.kept.partition_point(|hook| hook.n <= after);
        self.kept.range(first..)
    }

    /// How many are no longer kept.
    pub(crate) fn forgotten(&self) -> u64 {
        self.last - self.kept.len() as u64
    }

    fn record(&mut self, letter: &Letter, state: HookState, now_ms: i64) -> u64 {
        self.last += 1;
        self.kept.push_back(SentHook {
            n: self.last,
            at_ms: now_ms,
            channel: letter.channel.clone(),
            chat: letter.chat.clone(),
            message: letter.message.clone(),
            kind: letter.kind,
            url: letter.url.clone(),
            body: letter.body.clone(),
            signature: letter.signature.clone(),
            state,
            status: None,
            latency_ms: None,
            error: None,
        });
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        self.last
    }

    fn find_mut(&mut self, n: u64) -> Option<&mut SentHook> {
        let at = self.kept.partition_point(|hook| hook.n < n);
        self.kept.get_mut(at).filter(|hook| hook.n == n)
    }
}

impl AmoCrm {
    /// Puts a hook on its way.
    pub(crate) fn post(&self, state: &mut State, letter: Letter, now_ms: i64) {
        let Some(url) = letter.url.clone() else {
            state.amojo.outbox.record(&letter, HookState::NotConnected, now_ms);
            return;
        };
        let occasion = Occasion {
            on: Part::Hooks,
            endpoint: letter.kind.name(),
            channel: Some(&letter.channel),
            now_ms,
        };
        let (late_ms, in_order) = match state.next_fault(occasion) {
            Some(GroupFault::Lost) => {
                state.amojo.outbox.record(&letter, HookState::Lost, now_ms);
                return;
            }
            Some(GroupFault::Late { ms }) => (ms, false),
            Some(_) | None => (0, letter.in_order),
        };
        let n = state.amojo.outbox.record(&letter, HookState::Waiting, now_ms);
        let wait_ms = i64::try_from(letter.wait_ms.saturating_add(late_ms)).unwrap_or(i64::MAX);
        let sending = Sending {
            n,
            channel: letter.channel,
            url,
            body: letter.body,
            signature: letter.signature,
            due_ms: now_ms.saturating_add(wait_ms),
        };
        if !in_order {
            self.spawn(send(self.clone(), sending));
            return;
        }
        let queue = state.amojo.outbox.queues.get_mut(&letter.chat);
        if let Some(queue) = queue {
            queue.push_back(sending);
        } else {
            state.amojo.outbox.queues.insert(letter.chat.clone(), VecDeque::from([sending]));
            self.spawn(drain(self.clone(), letter.chat));
        }
    }

    /// The next hook of a chat; with the last one gone the chat is off the list.
    fn next_of(&self, chat: &str) -> Option<Sending> {
        let mut state = self.lock();
        let queues = &mut state.amojo.outbox.queues;
        let next = queues.get_mut(chat).and_then(VecDeque::pop_front);
        if next.is_none() {
            queues.remove(chat);
        }
        next
    }
}

async fn drain(amocrm: AmoCrm, chat: String) {
    while let Some(sending) = amocrm.next_of(&chat) {
        send(amocrm.clone(), sending).await;
    }
}

async fn send(amocrm: AmoCrm, sending: Sending) {
    amocrm.clock().sleep_until(sending.due_ms).await;
    let begin = Instant::now();
    let answer = amocrm
        .http()
        .post(&sending.url)
        .timeout(TIME_LIMIT)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, USER_AGENT)
        .header("X-Signature", &sending.signature)
        .body(sending.body)
        .send()
        .await;
    let latency_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    let (status, error) = match answer {
        Ok(answer) => (Some(answer.status().as_u16()), None),
        Err(error) => (None, Some(in_words(&error.without_url()))),
    };
    let delivered = status == Some(200);
    let mut state = amocrm.lock();
    if let Some(hook) = state.amojo.outbox.find_mut(sending.n) {
        hook.state = if delivered { HookState::Delivered } else { HookState::Failed };
        hook.status = status;
        hook.latency_ms = Some(latency_ms);
        hook.error = error;
    }
    if let Some(channel) = state.amojo.channels.get_mut(&sending.channel) {
        channel.hooks_failed = if delivered { 0 } else { channel.hooks_failed.saturating_add(1) };
    }
}
