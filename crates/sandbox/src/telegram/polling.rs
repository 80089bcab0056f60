//! `getUpdates`: long poll, conflicts and politeness delays (reference/telegram.md 2.2 and 2.3).
//!
//! A waiting call is its own request's future plus one entry under the bot's lock; when its client goes away the
//! entry stays, as at the official server, and the next waiting call replaces it. Waits are waits on the
//! sandbox's clock, but for the 1 to 2 ms in which neighbours of a first update are gathered: those are real,
//! so that an update reaches a waiting bot while a manual clock stands still.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::{futures::Notified, oneshot},
    time::Instant,
};

use super::{ApiError, bot::Bot, bot::State, envelope::Answer, params::Params, queue::StoredUpdate};

const MAX_TIMEOUT_SECS: i64 = 50;
const MAX_LIMIT: i64 = 100;
/// A repeated question is answered no sooner than this, and its 409 is held back as long.
const POLITE_MS: i64 = 3_000;
/// A question repeated sooner than this gets one update at a time.
const HASTY_MS: i64 = 500;
const GATHER_AFTER_LAST: Duration = Duration::from_millis(1);
const GATHER_AT_MOST: Duration = Duration::from_millis(2);

const WEBHOOK_ACTIVE: &str = "can't use getUpdates method while webhook is active; \
                              use deleteWebhook to delete the webhook first";
const OTHER_GET_UPDATES: &str =
    "terminated by other getUpdates request; make sure that only one bot instance is running";
const SET_WEBHOOK: &str = "terminated by setWebhook request";

/// What the server remembers of a bot's polling.
#[derive(Debug, Default)]
pub(crate) struct Polling {
    waiting: Option<Waiting>,
    next_number: u64,
    previous: Option<Previous>,
    /// A 409 before this moment is held back.
    conflicts_from_ms: i64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    until_ms: i64,
    end: oneshot::Sender<Ended>,
}

#[derive(Debug, Clone, Copy)]
struct Previous {
    offset: i32,
    started_ms: i64,
}

/// Who ended a waiting call.
#[derive(Debug, Clone, Copy)]
enum Ended {
    OtherGetUpdates,
    SetWebhook,
}

/// The question, after clamping and politeness.
#[derive(Debug, Clone, Copy)]
struct Question {
    offset: i32,
    limit: usize,
    timeout_ms: i64,
}

impl Polling {
    /// Whether somebody waits for an update; forgets a waiting call whose client is gone, for the update now
    /// arriving would have answered it.
    pub(crate) fn update_arrives(&mut self) -> bool {
        if self.waiting.as_ref().is_some_and(|waiting| waiting.end.is_closed()) {
            self.waiting = None;
        }
        self.waiting.is_some()
    }

    /// Whether a call waits whose time has not come.
    pub(crate) fn is_waiting(&self, now_ms: i64) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.until_ms > now_ms && !waiting.end.is_closed())
    }

    /// Ends a waiting call because a webhook is being set.
    pub(crate) fn end_for_webhook(&mut self, now_ms: i64) {
        self.end(Ended::SetWebhook, now_ms);
    }

    fn end(&mut self, why: Ended, now_ms: i64) {
        let Some(waiting) = self.waiting.take().filter(|waiting| waiting.until_ms > now_ms) else { return };
        if waiting.end.send(why).is_err() {
            // Nobody hears this 409, but the server has sent one.
            self.hold_conflict(now_ms);
        }
    }

    /// Counts a 409 and gives the moment it may go out.
    fn hold_conflict(&mut self, now_ms: i64) -> i64 {
        if now_ms < self.conflicts_from_ms {
            return now_ms + POLITE_MS;
        }
        self.conflicts_from_ms = now_ms + POLITE_MS;
        now_ms
    }

    /// Clamps the parameters and slows down who repeats himself.
    fn question(&mut self, params: &Params, now_ms: i64) -> Question {
        let wide = params.int("offset").unwrap_or(0).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        let offset = i32::try_from(wide).unwrap_or(0);
        let mut limit = params.int("limit").unwrap_or(MAX_LIMIT).clamp(1, MAX_LIMIT);
        let mut timeout_ms = params.int("timeout").unwrap_or(0).clamp(0, MAX_TIMEOUT_SECS) * 1000;
        let repeated = self.previous.filter(|previous| previous.offset == offset);
        if let Some(previous) = repeated {
            let since_ms = now_ms - previous.started_ms;
            if timeout_ms < POLITE_MS && since_ms < POLITE_MS {
                timeout_ms = POLITE_MS;
            }
            if since_ms < HASTY_MS {
                limit = 1;
            }
        }
        self.previous = Some(Previous { offset, started_ms: now_ms });
        Question { offset, limit: usize::try_from(limit).unwrap_or(1), timeout_ms }
    }

    fn wait(&mut self, until_ms: i64, now_ms: i64) -> (u64, oneshot::Receiver<Ended>) {
        self.end(Ended::OtherGetUpdates, now_ms);
        let (end, ended) = oneshot::channel();
        self.next_number += 1;
        self.waiting = Some(Waiting { number: self.next_number, until_ms, end });
        (self.next_number, ended)
    }

    /// Takes the waiting call of this number off; false when it was ended before.
    fn finish(&mut self, number: u64) -> bool {
        let ours = self.waiting.as_ref().is_some_and(|waiting| waiting.number == number);
        if ours {
            self.waiting = None;
        }
        ours
    }
}

/// `getUpdates`.
pub(crate) async fn get_updates(bot: &Arc<Bot>, params: &Params) -> Result<Answer, ApiError> {
    let Wait { from, limit, until_ms, number, ended, arrived } = match begin(bot, params) {
        Begun::Answered(answer) => return Ok(answer),
        Begun::WebhookActive => return Err(conflict(bot, WEBHOOK_ACTIVE).await),
        Begun::Waiting(wait) => wait,
    };
    let stop = bot.telegram.upgrade().map(|inner| inner.stop.clone()).unwrap_or_default();
    tokio::pin!(ended);
    // Decided first and acted on afterwards: a held 409 must not keep the sleeper of the poll alive.
    let next = tokio::select! {
        biased;
        why = &mut ended => Next::Ended(why.ok()),
        () = arrived => Next::Gather,
        () = bot.clock.sleep_until(until_ms) => Next::Answer,
        () = stop.cancelled() => Next::Restart,
    };
    match next {
        Next::Ended(why) => return Err(terminated(bot, why).await),
        Next::Restart => return Err(ApiError::new(500, "Internal Server Error: restart")),
        Next::Gather => gather(bot).await,
        Next::Answer => {}
    }
    let found = {
        let mut state = bot.lock();
        state.polling.finish(number).then(|| read(&mut state, from, limit, bot.clock.now_ms()))
    };
    match found {
        Some(found) => Ok(answer(&found)),
        None => Err(terminated(bot, ended.await.ok()).await),
    }
}

/// What ended a wait.
enum Next {
    Ended(Option<Ended>),
    Gather,
    Answer,
    Restart,
}

/// How a call goes on after its parameters took effect.
enum Begun<'a> {
    Answered(Answer),
    WebhookActive,
    Waiting(Wait<'a>),
}

struct Wait<'a> {
    from: i32,
    limit: usize,
    until_ms: i64,
    number: u64,
    ended: oneshot::Receiver<Ended>,
    /// Registered while the lock was held, so that no update slips by.
    arrived: Pin<Box<Notified<'a>>>,
}

/// What happens when the request arrives: confirmation, and the answer if there is one.
fn begin<'a>(bot: &'a Bot, params: &Params) -> Begun<'a> {
    let now_ms = bot.clock.now_ms();
    let mut state = bot.lock();
    if state.webhook.is_set_or_being_set() {
        return Begun::WebhookActive;
    }
    state.allowed = state.allowed.updated_by(params);
    let Question { offset, limit, timeout_ms } = state.polling.question(params, now_ms);
    let mut left = Vec::new();
    let from = state.queue.apply_offset(offset, &mut left);
    state.note(&left);
    let found = read(&mut state, from, limit, now_ms);
    if !found.is_empty() || timeout_ms == 0 {
        return Begun::Answered(answer(&found));
    }
    let until_ms = now_ms + timeout_ms;
    let (number, ended) = state.polling.wait(until_ms, now_ms);
    let mut arrived = Box::pin(bot.wake.notified());
    arrived.as_mut().enable();
    Begun::Waiting(Wait { from, limit, until_ms, number, ended, arrived })
}

/// Waits until the first update's neighbours have come: 1 ms after the last, at most 2 ms after the first.
async fn gather(bot: &Bot) {
    let at_most = Instant::now() + GATHER_AT_MOST;
    loop {
        let quiet = Instant::now() + GATHER_AFTER_LAST;
        let until = quiet.min(at_most);
        if tokio::time::timeout_at(until, bot.wake.notified()).await.is_err() {
            return;
        }
    }
}

/// The 409 of a waiting call that somebody ended.
async fn terminated(bot: &Bot, why: Option<Ended>) -> ApiError {
    match why {
        Some(Ended::SetWebhook) => conflict(bot, SET_WEBHOOK).await,
        Some(Ended::OtherGetUpdates) | None => conflict(bot, OTHER_GET_UPDATES).await,
    }
}

/// A 409, held back when the bot got one less than three seconds ago.
async fn conflict(bot: &Bot, text: &str) -> ApiError {
    let at_ms = bot.lock().polling.hold_conflict(bot.clock.now_ms());
    bot.clock.sleep_until(at_ms).await;
    ApiError::conflict(text)
}

fn read(state: &mut State, from: i32, limit: usize, now_ms: i64) -> Vec<StoredUpdate> {
    let mut left = Vec::new();
    let found = state.queue.read(from, limit, now_ms, &mut left);
    state.note(&left);
    for update in &found {
        state.updates.polled(update.number);
    }
    found
}

/// The updates' own bytes as one array.
fn answer(updates: &[StoredUpdate]) -> Answer {
    let size = updates.iter().map(|update| update.body.len() + 2).sum::<usize>() + 2;
    let mut array = Vec::with_capacity(size);
    array.push(b'[');
    for (place, update) in updates.iter().enumerate() {
        if place > 0 {
            array.extend_from_slice(b",\n");
        }
        array.extend_from_slice(&update.body);
    }
    array.push(b']');
    Answer::Raw(Bytes::from(array))
}
