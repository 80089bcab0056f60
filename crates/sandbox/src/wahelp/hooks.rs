//! Sends hooks to those who subscribed: unsigned, in order for each subscription, once unless the switch says more.
//!
//! Every hook is on record with what became of it, also those a fault kept back.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use http::header;
use serde::Serialize;

use super::Wahelp;
use super::fault::Fault;
use super::state::State;
use crate::amocrm::in_words;

/// The word for hooks among the endpoints of faults.
pub(crate) const ENDPOINT: &str = "hooks";
/// An answer that takes longer counts as none. Real seconds: a manual clock cannot make a peer slow.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Between two attempts, by the sandbox's clock.
const RETRY: Duration = Duration::from_secs(30);
const KEPT: usize = 20_000;

/// What becomes of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HookState {
    Waiting,
    /// Answered with a status of success.
    Delivered,
    /// Answered with something else, or not at all, as often as it was tried.
    Failed,
    /// A planned fault kept it back.
    Lost,
}

/// One hook, as the control API shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SentHook {
    pub(crate) n: u64,
    pub(crate) at_ms: i64,
    pub(crate) webhook: String,
    pub(crate) action: String,
    pub(crate) url: String,
    pub(crate) body: String,
    pub(crate) state: HookState,
    pub(crate) attempts: u32,
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
}

/// What waits to be sent, and what was.
#[derive(Debug, Default)]
pub(crate) struct SentHooks {
    kept: VecDeque<SentHook>,
    last: u64,
    /// By subscription; one is listed as long as somebody sends its hooks.
    queues: BTreeMap<String, VecDeque<Sending>>,
}

/// A hook on its way.
#[derive(Debug, Clone)]
struct Sending {
    n: u64,
    url: String,
    body: String,
    due_ms: i64,
}

impl SentHooks {
    /// Hooks after number `after`, oldest first.
    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = &SentHook> {
        let first = self.kept.partition_point(|hook| hook.n <= after);
        self.kept.range(first..)
    }

    /// How many are no longer kept.
    pub(crate) fn forgotten(&self) -> u64 {
        self.last - self.kept.len() as u64
    }

    fn record(&mut self, mut hook: SentHook) -> u64 {
        self.last += 1;
        hook.n = self.last;
        self.kept.push_back(hook);
        if self.kept.len() > KEPT {
            self.kept.pop_front();
        }
        self.last
    }

    fn find_mut(&mut self, n: u64) -> Option<&mut SentHook> {
        let at = self.kept.partition_point(|hook| hook.n < n);
        self.kept.get_mut(at).filter(|hook| hook.n == n)
    }

    fn are_ended(&mut self, numbers: &[u64]) -> bool {
        numbers.iter().all(|n| self.find_mut(*n).is_none_or(|hook| hook.state != HookState::Waiting))
    }
}

impl Wahelp {
    /// Puts a hook on its way; the answer is its numbers, more than one when a fault repeats it.
    pub(crate) fn post_hook(
        &self,
        state: &mut State,
        webhook: &str,
        url: &str,
        action: &str,
        body: &str,
    ) -> Vec<u64> {
        let now_ms = self.clock().now_ms();
        let fault = state.next_fault(ENDPOINT, now_ms);
        let hook = SentHook {
            n: 0,
            at_ms: now_ms,
            webhook: webhook.to_owned(),
            action: action.to_owned(),
            url: url.to_owned(),
            body: body.to_owned(),
            state: if fault == Some(Fault::Lost) { HookState::Lost } else { HookState::Waiting },
            attempts: 0,
            status: None,
            error: None,
        };
        let (copies, late_ms) = match fault {
            Some(Fault::Lost) => {
                state.hooks.record(hook);
                return Vec::new();
            }
            Some(Fault::Late { ms }) => (1, Some(ms)),
            Some(Fault::Twice) => (2, None),
            Some(_) | None => (1, None),
        };
        let mut numbers = Vec::new();
        for _ in 0..copies {
            let n = state.hooks.record(hook.clone());
            let wait_ms = i64::try_from(late_ms.unwrap_or_default()).unwrap_or(i64::MAX);
            let due_ms = now_ms.saturating_add(wait_ms);
            let sending = Sending { n, url: url.to_owned(), body: body.to_owned(), due_ms };
            numbers.push(n);
            if late_ms.is_some() {
                self.spawn(send(self.clone(), sending));
            } else if let Some(queue) = state.hooks.queues.get_mut(webhook) {
                queue.push_back(sending);
            } else {
                state.hooks.queues.insert(webhook.to_owned(), VecDeque::from([sending]));
                self.spawn(drain(self.clone(), webhook.to_owned()));
            }
        }
        numbers
    }

    /// Waits until these hooks have come to their end.
    pub(crate) async fn hooks_ended(&self, numbers: &[u64]) {
        loop {
            let ended = self.0.hook_ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.lock().hooks.are_ended(numbers) {
                return;
            }
            ended.await;
        }
    }

    /// The next hook of a subscription; with the last one gone it is off the list.
    fn next_hook(&self, webhook: &str) -> Option<Sending> {
        let mut state = self.lock();
        let queues = &mut state.hooks.queues;
        let next = queues.get_mut(webhook).and_then(VecDeque::pop_front);
        if next.is_none() {
            queues.remove(webhook);
        }
        next
    }
}

async fn drain(wahelp: Wahelp, webhook: String) {
    while let Some(sending) = wahelp.next_hook(&webhook) {
        send(wahelp.clone(), sending).await;
    }
}

async fn send(wahelp: Wahelp, sending: Sending) {
    wahelp.clock().sleep_until(sending.due_ms).await;
    loop {
        let answer = wahelp
            .http()
            .post(&sending.url)
            .timeout(TIME_LIMIT)
            .header(header::CONTENT_TYPE, "application/json")
            .body(sending.body.clone())
            .send()
            .await;
        let (status, error) = match answer {
            Ok(answer) => (Some(answer.status()), None),
            Err(error) => (None, Some(in_words(&error.without_url()))),
        };
        let delivered = status.is_some_and(|status| status.is_success());
        let again = {
            let mut state = wahelp.lock();
            let retries = state.switches.hook_retries;
            let Some(hook) = state.hooks.find_mut(sending.n) else { return };
            hook.attempts += 1;
            hook.status = status.map(|status| status.as_u16());
            hook.error = error;
            let again = !delivered && hook.attempts <= retries;
            if !again {
                hook.state = if delivered { HookState::Delivered } else { HookState::Failed };
            }
            again
        };
        if !again {
            wahelp.0.hook_ended.notify_waiters();
            return;
        }
        wahelp.clock().sleep(RETRY).await;
    }
}
