//! Replies that a restart interrupted: nobody can say whether they arrived, and the CRM is told so, once.
//!
//! What was interrupted stands in the lane as `sending`, until the lane sets it aside as `unknown` by itself. Whether its
//! outcome was told already is known by its [`Progress`], which is committed together with the outcome; so it is looked
//! at both, whenever a lane is attached and after the store had failed, and nothing is told twice.

use std::sync::atomic::Ordering;

use tandem_gateway::RecordError;
use tandem_journal::{Append, Fact, HeldStates, LaneError, ReadError, Settlement, Urgency};
use tandem_lanes::LeaseSource as _;
use tandem_model::{
    Held, HeldState, Seq,
    message::{ReplyAct, ReplyDocument, ReplyResult},
};

use super::{
    destination::{Replies, Reply},
    progress::{Outcome, Progress},
    record::outcome,
};
use crate::bridge::Chain;

/// How many rows are read at a time.
const PAGE: usize = 100;
/// What is said of what was interrupted.
const INTERRUPTED: &str = "the service stopped while it was sent; whether it arrived is not known";
/// What is said of what the lane is given once more.
const ONCE_MORE: &str = "the service stopped before its end was noted";

/// Why something was not told.
#[derive(Debug, thiserror::Error)]
enum TellError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Lane(#[from] LaneError),
}

impl Replies {
    /// Tells of what is unknown in these states and was not told. Harmless when repeated. What fails is owed.
    pub(super) async fn tell_unknown(&self, states: HeldStates) {
        if let Err(error) = self.try_tell_unknown(states).await {
            self.owed.store(true, Ordering::Relaxed);
            let (bot, reason) = (self.lane.bot, Chain(&error).to_string());
            tracing::warn!(bot.id = %bot, "which replies of bot {bot} were interrupted could not be told yet: {reason}");
        }
    }

    async fn try_tell_unknown(&self, states: HeldStates) -> Result<(), TellError> {
        let (bot, lane) = (self.lane.bot, self.lane.lane);
        let mut after = Seq::ZERO;
        loop {
            let rows = self.shared.store.list_held(bot, lane, states, after, PAGE).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = last.seq;
            for row in &rows {
                self.tell_of(row).await?;
            }
        }
    }

    async fn tell_of(&self, row: &Held) -> Result<(), TellError> {
        let (bot, now) = (self.lane.bot, self.now());
        let Some(event) = self.shared.store.find_event(bot, row.seq).await? else { return Ok(()) };
        // What was told of older ones is forgotten by now, and whoever waited for it does no more.
        if now.since(event.appended_at) >= self.shared.keep {
            return Ok(());
        }
        let Ok(document) = serde_json::from_slice::<ReplyDocument>(&event.body) else { return Ok(()) };
        let mut progress = Progress::find(&*self.shared.store, self.lane, row.seq).await?;
        match (progress.told, &document.act) {
            (Some(Outcome::Sent), _) | (None, ReplyAct::Type { .. } | ReplyAct::React { .. }) => {
                return self.give_again(row, None).await;
            }
            (Some(Outcome::Failed), _) => {
                // By this it is known that its fate is not to be asked for anew.
                progress.with = Some(row.seq);
                return self.give_again(row, Some(progress.fact(self.lane, row.seq, now))).await;
            }
            (Some(Outcome::Unknown), _) => return Ok(()),
            (None, ReplyAct::Say { .. }) => {}
        }
        let words = match row.state {
            HeldState::Unknown if !row.reason.is_empty() => row.reason.clone(),
            HeldState::Sending | HeldState::Unknown | HeldState::Retrying | HeldState::Dead => {
                INTERRUPTED.to_owned()
            }
        };
        let mut reply = Reply { event: &event, document, progress };
        let told = outcome(&reply, ReplyResult::Unknown { words }, now);
        reply.progress.told = Some(Outcome::Unknown);
        let fact = reply.progress.fact(self.lane, row.seq, now);
        let append =
            Append { events: vec![told], facts: vec![fact], urgency: Urgency::MustKeep, ..Append::default() };
        self.shared.recorder.record(bot, append).await?;
        Ok(())
    }

    /// Has the lane deliver what stands as under way, though nothing is.
    async fn give_again(&self, row: &Held, known: Option<Fact>) -> Result<(), TellError> {
        let (bot, lane) = (self.lane.bot, self.lane.lane);
        let Some(lease) = self.shared.ownership.lease(bot) else { return Ok(()) };
        if row.state != HeldState::Sending {
            return Ok(());
        }
        let again = Held {
            state: HeldState::Retrying,
            next_at: self.now(),
            reason: ONCE_MORE.to_owned(),
            ..row.clone()
        };
        let settlement =
            Settlement { put: vec![again], facts: known.into_iter().collect(), ..Settlement::default() };
        Ok(self.shared.store.settle(lease, bot, lane, settlement).await?)
    }
}
