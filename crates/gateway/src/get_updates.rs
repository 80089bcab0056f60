//! `getUpdates` of one app (reference/telegram.md 2): its own lane, its own offset, its own kinds.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use tandem_journal::LaneError;
use tandem_lanes::{Pull, PullError};
use tandem_model::Event;
use tandem_telegram::{
    allowed::AllowedUpdates,
    envelope::{self, Failure},
    params::Params,
};

use crate::{App, AppDocument, Gateway, gateway::Inner, polls::Terms, settings::ChangeError, shown};

/// Longest wait (2.1).
const LONGEST_WAIT_SECS: i64 = 50;
/// An answer stops growing about here (1.3).
const ANSWER_BYTES: usize = 4 << 20;

/// Names what a poll is answered with in the log. That it arrived is known only when the app confirms it.
fn tell(app: &App, events: &[Event]) {
    if tracing::enabled!(tracing::Level::DEBUG) {
        let lane = Gateway::lane_of(app);
        for event in events {
            let event = format!("{}/{}", event.bot, event.seq);
            tracing::debug!(lane.id = %lane, app.name = app.name(), event.id = event, "event {event} given to app {}", app.name());
        }
    }
}

/// Why a poll is not answered with updates.
#[derive(Debug, thiserror::Error)]
enum PollError {
    /// Telegram's own words for what the app did.
    #[error("refused")]
    Refused(Failure),
    #[error("the lane could not be asked")]
    Pull(#[from] PullError),
    #[error("the kinds could not be set")]
    Change(#[from] ChangeError),
}

impl Gateway {
    /// Answers with updates, with none once the time is over, or with Telegram's words.
    pub(crate) async fn get_updates(&self, app: &App, params: &Params) -> Response<Bytes> {
        match self.poll(app, params).await {
            Ok(events) => {
                tell(app, &events);
                envelope::success(&array(&events))
            }
            Err(PollError::Refused(failure)) => failure.response(),
            Err(PollError::Pull(PullError::Pushed { .. })) => self.webhook_is_active(app).await.response(),
            // The app was removed while it waited.
            Err(PollError::Pull(
                PullError::Missing { .. } | PullError::Confirm(LaneError::Missing { .. }),
            )) => Failure::UNAUTHORIZED.response(),
            Err(error) => Self::unwell(app, &error),
        }
    }

    async fn poll(&self, app: &App, params: &Params) -> Result<Vec<Event>, PollError> {
        let inner = self.inner();
        let lane = Self::lane_of(app);
        if app.document().webhook.is_some() {
            return Err(PollError::Refused(self.webhook_is_active(app).await));
        }
        self.set_allowed(app, params.text("allowed_updates")).await?;
        let offset = params.integer("offset", 0, i64::from(i32::MIN), i64::from(i32::MAX));
        let limit = usize::try_from(params.integer("limit", 100, 1, 100)).unwrap_or(1);
        let wait = params.integer("timeout", 0, 0, LONGEST_WAIT_SECS).unsigned_abs();
        let asked = Terms { limit, wait: Duration::from_secs(wait) };
        let begun = inner.clock.now();
        let terms = inner.polls.begin(lane, offset, asked, begun);
        let backlog = app.document().backlog();
        let mut pull = Pull { offset, limit: terms.limit, max_bytes: ANSWER_BYTES, backlog };
        let events = inner.lanes.pull(lane, pull).await?;
        if !events.is_empty() || terms.wait.is_zero() {
            return Ok(events);
        }
        // What the offset says is confirmed by now; repeating a negative one would confirm what comes meanwhile.
        pull.offset = 0;
        let mut place = inner.polls.wait(lane, begun);
        let until = begun.plus(terms.wait);
        loop {
            tokio::select! {
                biased;
                Ok(ended) = &mut place.ended => {
                    self.hold_back(ended.hold).await;
                    return Err(PollError::Refused(ended.failure));
                }
                ready = inner.lanes.wait_for_events(lane, backlog) => {
                    ready?;
                    let events = inner.lanes.pull(lane, pull).await?;
                    if !events.is_empty() {
                        return Ok(events);
                    }
                }
                () = inner.clock.sleep_until(until) => return Ok(Vec::new()),
                () = inner.soft.cancelled() => return Ok(Vec::new()),
            }
        }
    }

    /// The 409 of an app that polls beside its own webhook, held back like any other.
    async fn webhook_is_active(&self, app: &App) -> Failure {
        let inner = self.inner();
        self.hold_back(inner.polls.hold_conflict(Self::lane_of(app), inner.clock.now())).await;
        Failure::WEBHOOK_IS_ACTIVE
    }

    async fn hold_back(&self, hold: Duration) {
        let Inner { clock, soft, .. } = self.inner();
        tokio::select! {
            () = clock.sleep_until(clock.now().plus(hold)) => {}
            () = soft.cancelled() => {}
        }
    }

    /// Gives the app's lane another filter when it asks for other kinds than before. What was appended before keeps
    /// the filter it had (2.5).
    pub(crate) async fn set_allowed(&self, app: &App, asked: Option<&str>) -> Result<(), ChangeError> {
        let (allowed, sent) = (AllowedUpdates::of(asked), shown::asks_for_sent(asked));
        let differs = |document: &AppDocument| {
            allowed.over(document.allowed) != document.allowed
                || sent.is_some_and(|sent| sent != document.asked_for_sent)
        };
        if !differs(&app.document()) {
            return Ok(());
        }
        let inner = self.inner();
        let _one_at_a_time = inner.switching.lock().await;
        let document = app.document();
        let topics = allowed.over(document.allowed);
        let asked_for_sent = sent.unwrap_or(document.asked_for_sent);
        let filter = AppDocument { allowed: topics, asked_for_sent, ..(*document).clone() }.filter();
        let bot = app.bot().id();
        let lease = inner.leases.lease(bot).ok_or(ChangeError::NotOwned { bot })?;
        // The document comes last: should the caller go in between, the next question finds that it differs.
        inner.store.set_filter(lease, bot, app.lane(), filter).await?;
        self.change_document(app, |document| {
            document.allowed = topics;
            document.asked_for_sent = asked_for_sent;
        })
        .await?;
        Ok(())
    }
}

/// The updates as a JSON array, each in Telegram's bytes but for its number.
fn array(events: &[Event]) -> Vec<u8> {
    let size: usize = events.iter().map(|event| event.body.len() + 16).sum();
    let mut array = Vec::with_capacity(size + 2);
    array.push(b'[');
    for event in events {
        let Some(update) = shown::update(event) else {
            // Only what was read as an update is appended as one, and only what has a number is pulled.
            tracing::error!(bot.id = %event.bot, seq = %event.seq, "event {} is no update: left out", event.seq);
            continue;
        };
        if array.len() > 1 {
            array.push(b',');
        }
        array.extend_from_slice(&update);
    }
    array.push(b']');
    array
}
