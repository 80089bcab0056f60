//! From updates' bytes to committed events.

use bytes::Bytes;
use tandem_gateway::RecordError;
use tandem_journal::{Append, Appended, Fact, Urgency, WriteError};
use tandem_model::{EventKind, NewEvent, UpstreamId};
use tandem_telegram::update::{UpdateError, UpdateView};

use super::people::known_by;
use crate::{Bridge, IntakeState, bots::LiveBot, bridge::Chain, replies::Presses};

/// A batch of updates as events.
pub(super) struct Batch {
    pub(super) events: Vec<NewEvent>,
    /// What becomes known with them.
    pub(super) facts: Vec<Fact>,
    /// The number of the last of them.
    pub(super) last: Option<UpstreamId>,
    /// What came beside them that is no update, and why.
    pub(super) unreadable: Option<UpdateError>,
}

impl Bridge {
    /// Reads updates. What is no update at all (no object, no number) cannot be kept or confirmed, and no server sends
    /// it; kinds and fields that nobody knows are updates like others.
    pub(super) async fn read_updates(
        &self,
        live: &LiveBot,
        bodies: impl IntoIterator<Item = Bytes, IntoIter: Send> + Send,
    ) -> Batch {
        let mut batch = Batch { events: Vec::new(), facts: Vec::new(), last: None, unreadable: None };
        for body in bodies {
            match UpdateView::of(&body) {
                Ok(update) => {
                    batch.last = Some(update.id());
                    let (event, facts) = self.parts().gateway.event_of(&live.handle, &update).await;
                    batch.events.push(event);
                    batch.facts.extend(facts);
                    batch.facts.extend(known_by(&update, self.parts().clock.now()));
                }
                Err(error) => batch.unreadable = Some(error),
            }
        }
        batch
    }

    /// Commits updates, and the guard's marks among them. `Ok` means durable.
    pub(super) async fn take(
        &self,
        live: &LiveBot,
        events: Vec<NewEvent>,
        facts: Vec<Fact>,
    ) -> Result<Vec<Appended>, RecordError> {
        let updates = events.iter().filter(|event| event.kind == EventKind::Update).count() as u64;
        let presses = Presses::among(&events);
        let append = Append { events, urgency: Urgency::CanWait, facts, ..Append::default() };
        let appended = self.parts().recorder.record(live.id(), append).await?;
        self.answer_presses(live, presses, &appended);
        let repeated = appended.iter().filter(|one| matches!(one, Appended::Duplicate { .. })).count() as u64;
        let now = self.parts().clock.now();
        live.intake.send_modify(|status| {
            status.taken += updates - repeated;
            status.repeated += repeated;
            if updates > 0 {
                status.last_at = Some(now);
            }
        });
        if updates > 0 {
            live.guard.heard(now);
        }
        Ok(appended)
    }

    /// Shows that the store does not take what comes; logged when it begins.
    pub(super) fn show_refusal(&self, live: &LiveBot, error: &RecordError) {
        let bot = live.id();
        let reason = Chain(error).to_string();
        let shown = live.intake.borrow().state.clone();
        let since = if let IntakeState::StoreRefuses { since, .. } = shown {
            since
        } else {
            tracing::error!(
                bot.id = %bot,
                "updates of bot {bot} are not taken in: {reason}; Telegram keeps them for 24 hours"
            );
            self.parts().clock.now()
        };
        live.set_intake(IntakeState::StoreRefuses { since, reason });
    }

    /// Shows that all is well; logged when it was not.
    pub(crate) fn show_running(&self, live: &LiveBot) {
        let bot = live.id();
        let shown = live.intake.borrow().state.clone();
        match shown {
            IntakeState::Running { .. } => return,
            IntakeState::Stopped
            | IntakeState::Starting
            | IntakeState::Revoked { .. }
            | IntakeState::Conflict { .. } => {}
            IntakeState::Trouble { .. } | IntakeState::StoreRefuses { .. } => {
                tracing::info!(bot.id = %bot, "updates of bot {bot} are taken in again");
            }
        }
        live.set_intake(IntakeState::Running { since: self.parts().clock.now() });
    }
}

/// Whether the disk will take it again once there is space: only then is it worth following the store's health.
pub(super) fn is_about_space(error: &RecordError) -> bool {
    matches!(error, RecordError::Write(WriteError::LowDisk | WriteError::Full))
}
