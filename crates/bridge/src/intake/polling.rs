//! Asking for updates.
//!
//! A question confirms what was committed before it, and asks by name for every kind there is. Once a question has
//! been answered, what it confirmed is confirmed, so the next one names an offset only if there is something new: a
//! sequence of numbers that Telegram has begun anew (reference/telegram.md 2.6) is never confirmed unseen. After a
//! restart nothing is confirmed either, and what comes again is recognised by the journal.

use std::time::Duration;

use tandem_gateway::RecordError;
use tandem_model::UpstreamId;
use tandem_telegram::{
    allowed,
    upstream::{CallError, GetUpdates, NotSent},
};
use tokio_util::sync::CancellationToken;

use super::{
    Ended, backoff,
    conflict::{LOOK_AGAIN, Stream},
    taking::{Batch, is_about_space},
};
use crate::{Bridge, IntakeState, bots::LiveBot, bridge::Chain};

/// Most updates of one answer.
const LIMIT: u8 = 100;

/// How long what comes is left at Telegram when the store does not take it and does not say that it does again.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// Takes updates in until it is told to stop.
pub(super) async fn run(bridge: &Bridge, live: &LiveBot, stop: &CancellationToken) -> Ended {
    let mut polling = Polling { bridge, live, stop, confirm: None, failures: 0 };
    while !stop.is_cancelled() {
        let question = polling.question();
        let asked = bridge.parts().upstream.get_updates(&question.0, &question.1);
        let Some(answer) = stop.run_until_cancelled(asked).await else { break };
        let met = match answer {
            Ok(updates) => {
                polling.failures = 0;
                polling.confirm = None;
                let batch = bridge.read_updates(live, updates).await;
                if let Some(error) = &batch.unreadable {
                    polling.unreadable(error, batch.last).await;
                }
                bridge.show_running(live);
                polling.commit(batch).await
            }
            Err(error) => polling.failed(error).await,
        };
        if let Some(ended) = met {
            return ended;
        }
    }
    Ended::Quietly
}

struct Polling<'a> {
    bridge: &'a Bridge,
    live: &'a LiveBot,
    stop: &'a CancellationToken,
    /// The last update that is committed and not yet confirmed.
    confirm: Option<UpstreamId>,
    failures: u32,
}

impl Polling<'_> {
    fn question(&self) -> (tandem_telegram::token::Token, GetUpdates) {
        let request = GetUpdates {
            offset: self.confirm.and_then(|last| UpstreamId::new(last.get() + 1).ok()),
            limit: LIMIT,
            timeout: self.bridge.parts().config.poll_timeout,
            allowed_updates: Some(allowed::every_name()),
        };
        (self.live.handle.token(), request)
    }

    /// Commits a batch, however long that takes: nothing else is asked for before.
    async fn commit(&mut self, batch: Batch) -> Option<Ended> {
        let Batch { events, facts, last, .. } = batch;
        if events.is_empty() {
            return None;
        }
        let mut health = self.bridge.parts().recorder.health();
        loop {
            health.mark_unchanged();
            match self.bridge.take(self.live, events.clone(), facts.clone()).await {
                Ok(()) => {
                    self.confirm = last;
                    self.bridge.show_running(self.live);
                    return None;
                }
                Err(error @ RecordError::NotOwned { .. }) => {
                    self.bridge.show_refusal(self.live, &error);
                    return Some(Ended::Quietly);
                }
                Err(error) => {
                    self.bridge.show_refusal(self.live, &error);
                    let at = self.bridge.parts().clock.now().plus(STORE_PAUSE);
                    let changed = async {
                        if !is_about_space(&error) || health.changed().await.is_err() {
                            std::future::pending::<()>().await;
                        }
                    };
                    tokio::select! {
                        () = self.stop.cancelled() => return Some(Ended::Quietly),
                        () = changed => {}
                        () = self.bridge.parts().clock.sleep_until(at) => {}
                    }
                }
            }
        }
    }

    /// Something among the updates is none. It goes when a later update is confirmed; alone it is asked for again.
    async fn unreadable(&mut self, error: &tandem_telegram::update::UpdateError, last: Option<UpstreamId>) {
        let bot = self.live.id();
        tracing::error!(bot.id = %bot, %error, "Telegram's server gave bot {bot} something that is no update: {error}");
        if last.is_none() {
            self.failures = self.failures.saturating_add(1);
            self.wait(error.to_string(), backoff::wait(self.failures, &*self.bridge.parts().rng)).await;
        }
    }

    async fn failed(&mut self, error: CallError) -> Option<Ended> {
        let met = match error.conflict() {
            Some(conflict) => self.bridge.meet_conflict(self.live, conflict).await,
            None => Err(error),
        };
        match met {
            Ok(Stream::Free) if self.failures == 0 => {
                self.failures = 1;
                return None;
            }
            Ok(Stream::Free | Stream::Taken) => {
                self.failures = 0;
                self.sleep(backoff::jittered(LOOK_AGAIN, &*self.bridge.parts().rng)).await;
                return None;
            }
            Err(CallError::Unauthorized(_)) => return Some(Ended::Revoked),
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                let wait = match &error {
                    CallError::RetryAfter { after, .. } => *after,
                    _ => backoff::wait(self.failures, &*self.bridge.parts().rng),
                };
                self.wait(describe(&error), wait).await;
            }
        }
        None
    }

    /// Shows trouble and waits.
    async fn wait(&self, reason: String, wait: Duration) {
        self.bridge.show_trouble(self.live, self.failures, reason, wait);
        self.sleep(wait).await;
    }

    async fn sleep(&self, wait: Duration) {
        let clock = &self.bridge.parts().clock;
        self.stop.run_until_cancelled(clock.sleep_until(clock.now().plus(wait))).await;
    }
}

/// For people: what went wrong between Telegram and us.
pub(super) fn describe(error: &CallError) -> String {
    match error {
        CallError::NotSent(NotSent::Transport(transport)) => transport.chain(),
        error => Chain(error).to_string(),
    }
}

impl Bridge {
    /// Shows that Telegram cannot be spoken to; logged when it begins, and now and then while it lasts.
    pub(super) fn show_trouble(&self, live: &LiveBot, failures: u32, reason: String, wait: Duration) {
        let (bot, now) = (live.id(), self.parts().clock.now());
        let shown = live.intake.borrow().state.clone();
        let since = match shown {
            IntakeState::Trouble { since, .. } => since,
            _ => now,
        };
        if failures.is_power_of_two() {
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::warn!(
                bot.id = %bot, failures, wait_ms,
                "no updates for bot {bot}: {reason} (failure {failures}, next try in {wait_ms} ms)"
            );
        }
        live.set_intake(IntakeState::Trouble { since, failures, reason, retry_at: now.plus(wait) });
    }
}
