//! The destination of a lane of notes: waits until it is quiet, then writes one note.
//!
//! Whose card it is may become known a little later: a hook is late, a client is met only now. So a note waits for that,
//! ever more rarely, and at last is given up: whoever is not known to the account has no card.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tandem_journal::ReadError;
use tandem_lanes::{Delivered, Destination, LaneAddress, Run};
use tandem_model::{Blame, ConnectionId, Event, Timestamp, UserId, Verdict};
use tandem_vendor::{Failure, FailureKind};

use super::{Notes, RUN, text::Reader};

/// A note waits for so many times of quiet at most.
const LONGEST: u32 = 6;
/// How long after it was said it is looked again whose card it goes to; afterwards it is given up. Hooks that were not
/// answered come again after 5, 20 and 35 minutes.
const KNOWN_BY: [Duration; 5] = [
    Duration::from_mins(1),
    Duration::from_mins(3),
    Duration::from_mins(8),
    Duration::from_mins(22),
    Duration::from_mins(40),
];

/// Writes the notes of a route.
pub(super) struct NoteTaker {
    pub(super) shared: Arc<Notes>,
    pub(super) lane: LaneAddress,
    pub(super) connection: ConnectionId,
    /// So long nothing more is said before a note is written.
    pub(super) quiet: Duration,
    pub(super) reader: Reader,
}

#[async_trait]
impl Destination for NoteTaker {
    async fn deliver(&self, run: &Run) -> Delivered {
        match self.write(&run.events).await {
            Ok(()) => Delivered::all(run),
            Err(verdict) => Delivered::first(verdict),
        }
    }
}

impl NoteTaker {
    async fn write(&self, events: &[Arc<Event>]) -> Result<(), Verdict> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else { return Ok(()) };
        let Some(user) = client_of(first) else { return Ok(()) };
        let now = self.shared.clock.now();
        let until = last.appended_at.plus(self.quiet).min(first.appended_at.plus(self.quiet * LONGEST));
        if now < until && events.len() < RUN {
            return Err(Verdict::Wait { until });
        }
        let Some(note) = self.reader.note(events) else { return Ok(()) };
        let contact = self.shared.store.find_contact(self.lane.bot, user, self.connection).await;
        let Some(contact) = contact.map_err(|error| unread(&error))? else {
            return give_up(first, now);
        };
        let account = self.shared.accounts.account(self.connection)?;
        match account.note_contact(&contact, &note).await {
            Ok(true) => Ok(()),
            // Merged into another, as a rule: what the client writes next tells into which.
            Ok(false) => give_up(first, now),
            Err(failure) => Err(verdict(failure)),
        }
    }
}

/// Waits for the card, or no longer.
fn give_up(first: &Event, now: Timestamp) -> Result<(), Verdict> {
    let later = KNOWN_BY.iter().map(|after| first.appended_at.plus(*after)).find(|at| *at > now);
    if let Some(until) = later {
        return Err(Verdict::Wait { until });
    }
    tracing::debug!(event.id = %first.seq, "a note was given up: nobody knows to whose card it belongs");
    Ok(())
}

/// The client of a private chat.
fn client_of(event: &Event) -> Option<UserId> {
    let chat = event.conversation.as_str().parse().ok().filter(|chat| *chat > 0)?;
    UserId::new(chat).ok()
}

fn verdict(failure: Failure) -> Verdict {
    let Failure { kind, words } = failure;
    match kind {
        FailureKind::Later { after, blame } => Verdict::Retry { after, blame, reason: words },
        FailureKind::Lost { blame } => Verdict::Retry { after: None, blame, reason: words },
        FailureKind::Stop(reason) => Verdict::Stop { reason, detail: words },
        // Whatever else a vendor may come to say.
        _ => Verdict::Reject { reason: words },
    }
}

fn unread(error: &ReadError) -> Verdict {
    let reason = format!("whose card it is could not be read: {error}");
    Verdict::Retry { after: None, blame: Blame::Event, reason }
}
