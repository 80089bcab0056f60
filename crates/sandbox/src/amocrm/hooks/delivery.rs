//! Sends account hooks and repeats what was not answered well, by the sandbox's clock.
//!
//! Each event to each destination is a task of its own, because nothing says that amoCRM keeps their order.
//! The two seconds for an answer are real ones: a manual clock cannot make a peer slow.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use super::event::{HookEvent, account_part};
use super::form;
use super::policy::{self, Answer};
use crate::amocrm::{AmoCrm, State};
use crate::clock::millis;

const TIME_LIMIT: Duration = Duration::from_secs(2);
const ATTEMPTS_KEPT: usize = 10_000;

/// One request to a destination, as the control API shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Attempt {
    pub(crate) n: u64,
    pub(crate) at_ms: i64,
    pub(crate) destination: String,
    pub(crate) code: &'static str,
    /// The event's number: attempts of one event have the same.
    pub(crate) event: u64,
    #[serde(rename = "attempt")]
    pub(crate) nth: u32,
    /// None: no answer.
    pub(crate) status: Option<u16>,
    /// When it is tried again.
    pub(crate) next_at_ms: Option<i64>,
    pub(crate) body: String,
}

/// The record of attempts.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    kept: VecDeque<Attempt>,
    last: u64,
    last_event: u64,
}

impl Attempts {
    fn next_event(&mut self) -> u64 {
        self.last_event += 1;
        self.last_event
    }

    fn add(&mut self, mut attempt: Attempt) {
        self.last += 1;
        attempt.n = self.last;
        self.kept.push_back(attempt);
        if self.kept.len() > ATTEMPTS_KEPT {
            self.kept.pop_front();
        }
    }

    pub(crate) fn after(&self, after: u64) -> impl Iterator<Item = &Attempt> {
        self.kept.iter().filter(move |attempt| attempt.n > after)
    }
}

impl AmoCrm {
    /// Starts telling everybody who subscribed.
    pub(crate) fn announce(&self, state: &mut State, events: impl IntoIterator<Item = HookEvent>) {
        for hook in events {
            let hearing = state.subscriptions.hearing(hook.code);
            if hearing.is_empty() {
                continue;
            }
            let action = hook.code.split('_').next().unwrap_or("add");
            let body = form::encode(hook.entity, action, &hook.item, &account_part(&state.account));
            let event = state.attempts.next_event();
            for subscription in hearing {
                let work = tell(self.clone(), subscription, event, hook.code, body.clone());
                self.spawn(work);
            }
        }
    }
}

async fn tell(amocrm: AmoCrm, subscription: u64, event: u64, code: &'static str, body: String) {
    for attempt in 1.. {
        // Unsubscribed or switched off meanwhile: whoever is not there is not told.
        let Some((destination, request_id)) = ({
            let state = amocrm.lock();
            state
                .subscriptions
                .find(subscription)
                .filter(|subscription| !subscription.disabled)
                .map(|subscription| (subscription.destination.clone(), state.account.uuid()))
        }) else {
            return;
        };
        let answer = post(&amocrm, &destination, &request_id, &body).await;
        let now_ms = amocrm.clock().now_ms();
        let wait = policy::next_attempt(attempt, answer);
        let next_at_ms = wait.map(|wait| now_ms + millis(wait));
        {
            let mut state = amocrm.lock();
            let status = if let Answer::Status(status) = answer { Some(status) } else { None };
            let body = body.clone();
            let at_ms = now_ms;
            state.attempts.add(Attempt {
                n: 0,
                at_ms,
                destination,
                code,
                event,
                nth: attempt,
                status,
                next_at_ms,
                body,
            });
            if let Some(subscription) = state.subscriptions.find_mut(subscription) {
                subscription.note(answer, now_ms);
            }
        }
        let Some(next_at_ms) = next_at_ms else { return };
        amocrm.clock().sleep_until(next_at_ms).await;
    }
}

async fn post(amocrm: &AmoCrm, destination: &str, request_id: &str, body: &str) -> Answer {
    let request = amocrm
        .http()
        .post(destination)
        .timeout(TIME_LIMIT)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("User-Agent", "amoCRM-Webhooks/3.0")
        .header("X-Amocrm-Requestid", request_id)
        .header("Accept-Encoding", "gzip")
        .body(body.to_owned());
    match request.send().await {
        Ok(answer) => Answer::Status(answer.status().as_u16()),
        // Refused, reset or too slow are all "no answer" to amoCRM.
        Err(error) => {
            tracing::debug!(error = %error.without_url(), "an account hook got no answer");
            Answer::None
        }
    }
}
