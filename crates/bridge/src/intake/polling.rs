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
    upstream::{CallError, Conflict, GetUpdates, NotSent},
};
use tokio_util::sync::CancellationToken;

use super::{
    Ended, StreamError, backoff,
    taking::{Batch, is_about_space},
};
use crate::{
    Bridge, GuardPolicy, HolderKind, IntakeState, Taker,
    bots::LiveBot,
    bridge::Chain,
    guard::{Met, Stream, Whose},
};

/// Most updates of one answer.
const LIMIT: u8 = 100;

/// How long what comes is left at Telegram when the store does not take it and does not say that it does again.
const STORE_PAUSE: Duration = Duration::from_secs(5);

/// Before it is asked again when a webhook was in the way and is gone.
const CALM: Duration = Duration::from_secs(15);

/// When so many looks in a row find updates that nobody fetches, the other program has gone.
const GONE_LOOKS: u32 = 5;

/// Takes updates in until it is told to stop.
pub(super) async fn run(bridge: &Bridge, live: &LiveBot, stop: &CancellationToken) -> Ended {
    let mut polling =
        Polling { bridge, live, stop, confirm: None, failures: 0, way: Way::of(live), start: Start::Fresh };
    while !stop.is_cancelled() {
        let met = match polling.way {
            Way::Free => polling.ask().await,
            Way::Webhook | Way::Poller { .. } => Box::pin(polling.look()).await,
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
    way: Way,
    start: Start,
}

/// Whether asking for updates makes sense.
#[derive(Debug, Clone, Copy)]
enum Way {
    Free,
    /// A webhook is in the way.
    Webhook,
    /// The guard gives way to another program that polls: so many updates wait that nobody fetched at the last looks.
    Poller {
        left: u64,
        looks: u32,
    },
}

impl Way {
    /// What a guard that gives way left before a restart.
    fn of(live: &LiveBot) -> Self {
        let guard = live.document().guard;
        match (guard.stood_down, guard.taker()) {
            (Some(_), Some(taken)) if taken.by.kind == HolderKind::Poller => {
                Self::Poller { left: 0, looks: 0 }
            }
            (Some(_), Some(_)) => Self::Webhook,
            _ => Self::Free,
        }
    }
}

/// Whether Telegram has given us anything since the start. Before that a webhook of a Tandem is our own from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Fresh,
    Done,
}

impl Polling<'_> {
    /// Asks for updates and commits them.
    async fn ask(&mut self) -> Option<Ended> {
        let question = self.question();
        let asked = self.bridge.parts().upstream.get_updates(&question.0, &question.1);
        match self.stop.run_until_cancelled(asked).await? {
            Ok(updates) => {
                (self.failures, self.start, self.confirm) = (0, Start::Done, None);
                let batch = self.bridge.read_updates(self.live, updates).await;
                if let Some(error) = &batch.unreadable {
                    self.unreadable(error, batch.last).await;
                }
                self.bridge.meet_nobody(self.live).await;
                // In a box: a bot that waits for updates, for months, is small.
                Box::pin(self.commit(batch)).await
            }
            Err(error) => match error.conflict() {
                Some(conflict) => self.meet_conflict(conflict).await,
                None => self.failed(error.into()).await,
            },
        }
    }

    fn question(&self) -> (tandem_telegram::token::Token, GetUpdates) {
        let request = GetUpdates {
            offset: self.confirm.and_then(|last| UpstreamId::new(last.get() + 1).ok()),
            limit: LIMIT,
            timeout: self.bridge.parts().config.poll_timeout,
            allowed_updates: Some(allowed::every_name()),
        };
        (self.live.handle.token(), request)
    }

    /// Somebody else has the stream.
    async fn meet_conflict(&mut self, conflict: Conflict) -> Option<Ended> {
        match conflict {
            Conflict::Webhook => Box::pin(self.look()).await,
            Conflict::Poller => {
                let met = Box::pin(self.met(&Met::Poller)).await;
                // Whoever is to give way asks no more; everybody else takes his part.
                if !self.live.read(|document| document.guard.policy == GuardPolicy::StandDown) {
                    self.way = Way::Free;
                }
                met
            }
        }
    }

    /// Looks whose webhook is in the way.
    async fn look(&mut self) -> Option<Ended> {
        let bridge = self.bridge;
        let info = match self.stop.run_until_cancelled(bridge.look_who_has_it(self.live)).await? {
            Ok(info) => info,
            Err(error) => return self.failed(error.into()).await,
        };
        match (self.bridge.whose(&info, self.live), self.start) {
            (Whose::Nobodys, _) => match self.way {
                Way::Poller { left, looks } if looks < GONE_LOOKS => {
                    let now = info.pending_update_count;
                    let looks = if now > 0 && now >= left { looks + 1 } else { u32::from(now > 0) };
                    self.way = Way::Poller { left: now, looks };
                    self.sleep(backoff::jittered(crate::guard::LOOK_AGAIN, &*bridge.parts().rng)).await;
                    None
                }
                Way::Free => {
                    // Whoever it was has had the stream for a moment.
                    let somebody = Taker { kind: HolderKind::Other, host: None };
                    self.live.guard.set_suspect(Some(somebody));
                    self.go_on_calmly().await
                }
                Way::Webhook | Way::Poller { .. } => {
                    self.way = Way::Free;
                    None
                }
            },
            // From before the bot's updates were asked for.
            (Whose::Ours | Whose::Tandems, Start::Fresh) => {
                match self.stop.run_until_cancelled(bridge.delete_webhook_in_turn(self.live)).await? {
                    Ok(()) => self.go_on_calmly().await,
                    Err(error) => self.failed(error.into()).await,
                }
            }
            (Whose::Ours | Whose::Tandems | Whose::Foreign, _) => self.met(&Met::Webhook(info)).await,
        }
    }

    /// A webhook was in the way and is gone: asked again at once, unless that was in vain before.
    async fn go_on_calmly(&mut self) -> Option<Ended> {
        self.failures = self.failures.saturating_add(1);
        if self.failures > 1 {
            self.failures = 0;
            self.sleep(CALM).await;
        }
        None
    }

    async fn met(&mut self, met: &Met) -> Option<Ended> {
        match self.stop.run_until_cancelled(Box::pin(self.bridge.meet(self.live, met))).await? {
            Ok(Stream::Ours) => {
                self.way = Way::Free;
                self.failures = 0;
            }
            Ok(Stream::Taken(wait)) => {
                self.way = match (met, self.way) {
                    (Met::Webhook(_) | Met::Removed, _) => Way::Webhook,
                    (Met::Poller, way @ Way::Poller { .. }) => way,
                    (Met::Poller, Way::Free | Way::Webhook) => Way::Poller { left: 0, looks: 0 },
                };
                self.failures = 0;
                self.sleep(wait).await;
            }
            Err(error) => return self.failed(error).await,
        }
        None
    }

    /// Commits a batch, however long that takes: nothing else is asked for before.
    async fn commit(&mut self, batch: Batch) -> Option<Ended> {
        let Batch { events: updates, facts, last, .. } = batch;
        if updates.is_empty() {
            return None;
        }
        let mut health = self.bridge.parts().recorder.health();
        loop {
            health.mark_unchanged();
            let marked = self.bridge.mark_holes(self.live, &updates).await;
            match self.bridge.take(self.live, marked.events.clone(), facts.clone()).await {
                Ok(appended) => {
                    self.confirm = last;
                    let end = appended.iter().map(|one| one.seq()).max();
                    self.bridge.holes_are_marked(self.live, marked, end).await;
                    self.bridge.meet_nobody(self.live).await;
                    return None;
                }
                Err(error @ RecordError::NotOwned { .. }) => {
                    self.bridge.show_refusal(self.live, &error);
                    return Some(Ended::Quietly);
                }
                Err(error) => {
                    self.bridge.show_refusal(self.live, &error);
                    self.bridge.forget_numbers(self.live).await;
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

    async fn failed(&mut self, error: StreamError) -> Option<Ended> {
        if let StreamError::Call(CallError::Unauthorized(_)) = error {
            return Some(Ended::Revoked);
        }
        self.failures = self.failures.saturating_add(1);
        let (reason, wait) = match &error {
            StreamError::Call(call @ CallError::RetryAfter { after, .. }) => (describe(call), *after),
            StreamError::Call(call) => {
                (describe(call), backoff::wait(self.failures, &*self.bridge.parts().rng))
            }
            error => (Chain(error).to_string(), backoff::wait(self.failures, &*self.bridge.parts().rng)),
        };
        self.wait(reason, wait).await;
        None
    }

    /// Shows trouble and waits.
    async fn wait(&self, reason: String, wait: Duration) {
        self.bridge.show_trouble(self.live, self.failures, reason, wait);
        self.sleep(wait).await;
    }

    /// Waits, unless it is told to stop or the guard to go on.
    async fn sleep(&self, wait: Duration) {
        let clock = &self.bridge.parts().clock;
        tokio::select! {
            () = self.stop.cancelled() => {}
            () = clock.sleep_until(clock.now().plus(wait)) => {}
            () = self.live.guard.nudge.notified() => {}
        }
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
