//! Webhooks: `setWebhook`, `deleteWebhook`, `getWebhookInfo` (reference/telegram.md 3.1, 3.2) and the delivery of
//! updates to them (3.3).
//!
//! A webhook belongs to its bot's state. The delivery is one task per bot that lives only while there is
//! something to deliver; setting or deleting a webhook ends the task of the one before, and what it had in
//! flight stays undelivered.

mod address;
mod budget;
mod delivery;
mod link;
mod reply;
mod retry;
mod target;
mod tls;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

use self::{link::Link, target::Target};
use super::{
    ApiError, Bot, Telegram,
    bot::State,
    envelope::Answer,
    params::{Call, Params},
};

const MAX_CONNECTIONS: i64 = 100;
const DEFAULT_CONNECTIONS: i64 = 40;
const MAX_SECRET: usize = 256;
const MAX_CERTIFICATE_BYTES: usize = 3 << 20;
/// One `setWebhook` with an address per second.
const SET_INTERVAL_MS: i64 = 1_000;

/// What a bot's state holds of its webhook.
#[derive(Debug, Default)]
pub(crate) struct Webhook {
    active: Option<Active>,
    /// A `setWebhook` that waits for a name to be resolved.
    pending: Option<Pending>,
    next_number: u64,
    next_set_ms: i64,
}

#[derive(Debug)]
struct Pending {
    number: u64,
    /// Ends it with a 409.
    end: oneshot::Sender<()>,
}

/// A webhook that is set.
#[derive(Debug)]
struct Active {
    target: Arc<Target>,
    last_error: Option<LastError>,
    /// Since when every answer was 410.
    gone_since_ms: Option<i64>,
    last_success_ms: i64,
    /// Whether the delivery task is alive.
    delivering: bool,
    /// Ends the delivery task.
    stop: CancellationToken,
    /// Tells the delivery task of a new update.
    wake: Arc<Notify>,
    /// Connections that the last delivery task left open.
    idle: Vec<Link>,
}

#[derive(Debug)]
struct LastError {
    at_secs: i64,
    text: String,
}

impl Webhook {
    pub(crate) fn is_set(&self) -> bool {
        self.active.is_some()
    }

    pub(crate) fn is_set_or_being_set(&self) -> bool {
        self.active.is_some() || self.pending.is_some()
    }

    /// Takes the webhook away; its delivery ends where it stands.
    fn close(&mut self) -> bool {
        match self.active.take() {
            Some(active) => {
                active.stop.cancel();
                true
            }
            None => false,
        }
    }

    /// Ends an unfinished `setWebhook`.
    fn end_pending(&mut self) -> bool {
        match self.pending.take() {
            Some(pending) => {
                // Its client may be gone already.
                pending.end.send(()).ok();
                true
            }
            None => false,
        }
    }
}

/// The settings a `setWebhook` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wish {
    url: String,
    max_connections: usize,
    fixed_address: Option<String>,
    secret: Option<String>,
    certificate: Option<bytes::Bytes>,
}

impl Wish {
    fn read(call: &Call, url: &str) -> Result<Self, ApiError> {
        let secret = call.params.text("secret_token").map(str::to_owned);
        if let Some(secret) = &secret {
            if secret.len() > MAX_SECRET {
                return Err(ApiError::bad_request("secret token is too long"));
            }
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            if !secret.bytes().all(plain) {
                return Err(ApiError::bad_request("secret token contains unallowed characters"));
            }
        }
        let wanted = call.params.int("max_connections").unwrap_or(DEFAULT_CONNECTIONS);
        let max_connections = usize::try_from(wanted.clamp(1, MAX_CONNECTIONS)).unwrap_or(1);
        Ok(Self {
            url: url.to_owned(),
            max_connections,
            fixed_address: call.params.text("ip_address").map(str::to_owned),
            secret,
            certificate: call.attached("certificate").map(|file| file.bytes.clone()),
        })
    }
}

/// `setWebhook`.
pub(crate) async fn set(telegram: &Telegram, bot: &Arc<Bot>, call: &Call) -> Result<Answer, ApiError> {
    let Some(url) = call.params.text("url") else { return delete(bot, &call.params) };
    let (wish, number, ended) = {
        let mut state = bot.lock();
        let now_ms = bot.clock.now_ms();
        if now_ms < state.webhook.next_set_ms {
            return Err(ApiError::too_many_requests(1));
        }
        state.webhook.next_set_ms = now_ms + SET_INTERVAL_MS;
        let wish = Wish::read(call, url)?;
        if !state.webhook.end_pending() && is_the_same(&state, &wish, &call.params) {
            state.allowed = state.allowed.updated_by(&call.params);
            return Ok(Answer::Described("Webhook is already set"));
        }
        state.polling.end_for_webhook(now_ms);
        // The old one is closed before the new one is looked at, even if that turns out to be no good.
        state.webhook.close();
        if call.params.bool("drop_pending_updates") {
            state.drop_pending();
        }
        let (end, ended) = oneshot::channel();
        state.webhook.next_number += 1;
        let number = state.webhook.next_number;
        state.webhook.pending = Some(Pending { number, end });
        (wish, number, ended)
    };
    let _abandon = Abandon { bot, number };
    let target = tokio::select! {
        target = target::accept(bot, wish, telegram.settings().strict_webhooks) => target?,
        _ = ended => return Err(ApiError::conflict("terminated by other setWebhook")),
    };
    let mut state = bot.lock();
    if state.webhook.pending.as_ref().is_none_or(|pending| pending.number != number) {
        return Err(ApiError::conflict("terminated by other setWebhook"));
    }
    state.webhook.pending = None;
    state.allowed = state.allowed.updated_by(&call.params);
    state.webhook.active = Some(Active {
        target: Arc::new(target),
        last_error: None,
        gone_since_ms: None,
        last_success_ms: bot.clock.now_ms(),
        delivering: false,
        stop: telegram.stop().child_token(),
        wake: Arc::default(),
        idle: Vec::new(),
    });
    if !state.queue.is_empty() {
        bot.deliver(&mut state);
    }
    Ok(Answer::Described("Webhook was set"))
}

/// Forgets a `setWebhook` that ended without a webhook: refused, replaced, or its client gone.
struct Abandon<'a> {
    bot: &'a Bot,
    number: u64,
}

impl Drop for Abandon<'_> {
    fn drop(&mut self) {
        let pending = &mut self.bot.lock().webhook.pending;
        if pending.as_ref().is_some_and(|pending| pending.number == self.number) {
            *pending = None;
        }
    }
}

/// Whether the wish changes nothing. Certificates always do, and so does dropping what is pending.
fn is_the_same(state: &State, wish: &Wish, params: &Params) -> bool {
    let Some(active) = &state.webhook.active else { return false };
    active.target.wish == *wish && wish.certificate.is_none() && !params.bool("drop_pending_updates")
}

/// `deleteWebhook`, and `setWebhook` without an address.
#[expect(clippy::unnecessary_wraps, reason = "the shape of every method of the dispatch")]
pub(crate) fn delete(bot: &Bot, params: &Params) -> Result<Answer, ApiError> {
    let mut state = bot.lock();
    state.webhook.end_pending();
    if params.bool("drop_pending_updates") {
        state.drop_pending();
    }
    state.allowed = state.allowed.updated_by(params);
    let was_set = state.webhook.close();
    Ok(Answer::Described(if was_set { "Webhook was deleted" } else { "Webhook is already deleted" }))
}

/// Takes a bot's webhook away without a call.
pub(crate) fn remove(bot: &Bot) {
    let mut state = bot.lock();
    state.webhook.end_pending();
    state.webhook.close();
}

/// `getWebhookInfo`.
pub(crate) fn info(bot: &Bot) -> Value {
    let state = bot.lock();
    let mut info = json!({
        "url": "",
        "has_custom_certificate": false,
        "pending_update_count": state.queue.len(),
    });
    if let Some(active) = &state.webhook.active {
        let wish = &active.target.wish;
        info["url"] = wish.url.as_str().into();
        info["has_custom_certificate"] = wish.certificate.is_some().into();
        info["max_connections"] = wish.max_connections.into();
        info["ip_address"] = active.target.address.ip().to_string().into();
        if let Some(error) = &active.last_error {
            info["last_error_date"] = error.at_secs.into();
            info["last_error_message"] = error.text.as_str().into();
        }
    }
    if let Some(allowed) = state.allowed.shown() {
        info["allowed_updates"] = allowed.into();
    }
    info
}

impl Bot {
    /// Makes sure that somebody delivers what is in the queue.
    pub(crate) fn deliver(self: &Arc<Self>, state: &mut State) {
        let Some(active) = &mut state.webhook.active else { return };
        if active.delivering {
            active.wake.notify_one();
            return;
        }
        let Some(inner) = self.telegram.upgrade() else { return };
        active.delivering = true;
        let idle = std::mem::take(&mut active.idle);
        let job = delivery::Job {
            bot: Arc::clone(self),
            telegram: Telegram::from_inner(inner),
            target: Arc::clone(&active.target),
            stop: active.stop.clone(),
            wake: Arc::clone(&active.wake),
            idle,
            last_success_ms: active.last_success_ms,
        };
        job.telegram.tasks().clone().spawn(delivery::run(job));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::poll;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::{
        clock::Clock,
        random::Random,
        telegram::{NewBot, Settings, polling},
    };

    fn set_webhook(url: &str) -> Call {
        let params = Params::from_iter([("url", url)]);
        Call { method: "setwebhook".to_owned(), params, files: Vec::new() }
    }

    /// Runs a test while no name can be resolved: the only thread for blocking work is taken.
    fn while_nothing_resolves(test: impl Future<Output = ()>) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().max_blocking_threads(1).build().unwrap();
        let (release, taken) = std::sync::mpsc::channel::<()>();
        runtime.spawn_blocking(move || taken.recv());
        runtime.block_on(test);
        drop(release);
    }

    fn telegram() -> Telegram {
        let (clock, random) = (Clock::manual(1_800_000_000_000), Random::seeded(1));
        Telegram::new(Settings::default(), clock, random, CancellationToken::new(), TaskTracker::new())
    }

    #[test]
    fn an_unfinished_set_webhook_blocks_polling_and_is_ended_by_another() {
        while_nothing_resolves(async {
            let telegram = telegram();
            let bot = telegram.create_bot(NewBot::default()).unwrap();
            let (first, second) = (set_webhook("http://localhost:1/a"), set_webhook("http://127.0.0.1:1/b"));
            let mut unfinished = Box::pin(set(&telegram, &bot, &first));
            assert!(poll!(unfinished.as_mut()).is_pending());
            let refused = polling::get_updates(&bot, &Params::default()).await.unwrap_err();
            assert!(refused.description.starts_with("Conflict: can't use getUpdates method"), "{refused}");
            assert_eq!(set(&telegram, &bot, &second).await.unwrap_err().retry_after, Some(1));
            bot.clock.advance(Duration::from_secs(1));
            assert_eq!(set(&telegram, &bot, &second).await, Ok(Answer::Described("Webhook was set")));
            let ended = unfinished.await.unwrap_err();
            assert_eq!(ended.description, "Conflict: terminated by other setWebhook");
            assert_eq!(info(&bot)["url"], "http://127.0.0.1:1/b");
        });
    }

    #[test]
    fn a_client_that_hangs_up_during_set_webhook_leaves_nothing_behind() {
        while_nothing_resolves(async {
            let telegram = telegram();
            let bot = telegram.create_bot(NewBot::default()).unwrap();
            let call = set_webhook("http://localhost:1/a");
            let mut abandoned = Box::pin(set(&telegram, &bot, &call));
            assert!(poll!(abandoned.as_mut()).is_pending());
            assert!(bot.lock().webhook.is_set_or_being_set());
            drop(abandoned);
            assert!(!bot.lock().webhook.is_set_or_being_set());
        });
    }
}
