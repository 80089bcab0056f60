//! Hand-off: a manager is talking in a conversation (DESIGN section 6).
//!
//! It begins with a manager's message and lasts for the minutes that his route says, counted from his latest one. It ends
//! by time, by an app that says that it is in a dialogue or free ([`crate::conversation`]), and by whoever else notes it.
//! Beginning and end stand in the journal as marks; an end by time is noted when something happens in the conversation
//! again, with the time it had.

use std::time::Duration;

use tandem_journal::{Append, Fact, HandOff, Link, LinkScope, ReadError, Urgency};
use tandem_model::{BotId, Conversation, LaneId, NewEvent, Timestamp};

use crate::{
    Gateway, MarkDocument, RecordError,
    gateway::Chain,
    known::{HandOffs, Use},
};

/// A vendor's clock and ours agree as far as this.
const CLOCKS_DIFFER: Duration = Duration::from_mins(1);

/// Why the end of a hand-off was not noted.
#[derive(Debug, thiserror::Error)]
enum NoteError {
    #[error("whether it is noted could not be looked up")]
    Read(#[from] ReadError),
    #[error("it could not be committed")]
    Record(#[from] RecordError),
}

impl Gateway {
    /// Completes what is to be committed for a manager's words, which make conversations his ([`Fact::HandOff`]): a mark,
    /// before everything else, of each in which he begins to talk. No hand-off ends earlier by it. `route`: the lane of his
    /// route.
    pub async fn hand_offs_begin(&self, bot: BotId, route: LaneId, append: &mut Append) {
        let now = self.inner().clock.now();
        let mut marks = Vec::new();
        for fact in &mut append.facts {
            let Fact::HandOff(HandOff { conversation, until }) = fact else { continue };
            let before = self.find_hand_off(bot, conversation).await.unwrap_or_else(|error| {
                let chain = Chain(&error);
                tracing::warn!(bot.id = %bot, "whether a manager talks already could not be looked up: {chain}");
                None
            });
            match before.filter(|before| *before > now) {
                Some(before) => *until = before.max(*until),
                None if *until > now => {
                    let mark = MarkDocument::HandOffBegun { until: *until };
                    marks.push(NewEvent { cause: Some(route), ..mark.event_in(conversation.clone(), now) });
                }
                None => {}
            }
        }
        append.events.splice(0..0, marks);
    }

    /// What is to be committed when a manager is done: his talk was closed at `closed_at`, and his latest words make a
    /// conversation his for `lasts`. Nothing where no manager talks, and nothing where he has begun to talk again since.
    pub async fn hand_off_is_over(
        &self,
        bot: BotId,
        conversation: &Conversation,
        closed_at: Timestamp,
        lasts: Duration,
    ) -> Result<Option<(NewEvent, Fact)>, ReadError> {
        let now = self.inner().clock.now();
        let Some(until) = self.find_hand_off(bot, conversation).await?.filter(|until| *until > now) else {
            return Ok(None);
        };
        if until.minus(lasts) > closed_at.plus(CLOCKS_DIFFER) {
            return Ok(None);
        }
        let ended = MarkDocument::HandOffEnded { app: None };
        Ok(Some((ended.event_in(conversation.clone(), now), over(conversation))))
    }

    /// What is to be committed when an app takes a conversation back; nothing where no manager talks.
    pub(crate) async fn end_hand_off(
        &self,
        bot: BotId,
        conversation: &Conversation,
        app: &str,
    ) -> Result<Option<(NewEvent, Fact)>, ReadError> {
        let now = self.inner().clock.now();
        if self.find_hand_off(bot, conversation).await?.is_none_or(|until| until <= now) {
            return Ok(None);
        }
        let ended = MarkDocument::HandOffEnded { app: Some(app.into()) };
        Ok(Some((ended.event_in(conversation.clone(), now), over(conversation))))
    }

    /// Until when a manager talks, or talked last; `None` too when an app took the conversation back.
    pub(crate) async fn find_hand_off(
        &self,
        bot: BotId,
        conversation: &Conversation,
    ) -> Result<Option<Timestamp>, ReadError> {
        let (store, known) = (&*self.inner().store, self.inner().recorder.known());
        if known.uses.find(store, bot, Use::Managers).await? {
            known.hand_offs.find(store, bot, conversation).await
        } else {
            Ok(None)
        }
    }

    /// Notes that a hand-off ended by time, in its own time, unless that is noted already. Nothing else is changed by it: a
    /// manager may be writing at this moment.
    pub(crate) fn note_end(&self, bot: BotId, conversation: &Conversation, until: Timestamp) {
        if !self.inner().recorder.known().hand_offs.close(bot, conversation) {
            return;
        }
        let (gateway, conversation) = (self.clone(), conversation.clone());
        self.inner().tasks.spawn(async move {
            if let Err(error) = gateway.try_note_end(bot, conversation, until).await {
                let chain = Chain(&error);
                tracing::warn!(bot.id = %bot, "the end of a hand-off could not be noted: {chain}");
            }
        });
    }

    async fn try_note_end(
        &self,
        bot: BotId,
        conversation: Conversation,
        until: Timestamp,
    ) -> Result<(), NoteError> {
        let (ours, theirs) = (format!("handoffend:{conversation}"), until.as_millis().to_string());
        let noted = self.inner().store.find_link(bot, LinkScope::Bot, ours.clone()).await?;
        if noted.is_some_and(|noted| noted.theirs == theirs) {
            return Ok(());
        }
        let mark = MarkDocument::HandOffEnded { app: None }.event_in(conversation, until);
        let link = Link { scope: LinkScope::Bot, ours, theirs, at: self.inner().clock.now() };
        let append = Append {
            events: vec![mark],
            facts: vec![Fact::Link(link)],
            urgency: Urgency::CanWait,
            ..Append::default()
        };
        self.inner().recorder.record(bot, append).await?;
        Ok(())
    }
}

fn over(conversation: &Conversation) -> Fact {
    Fact::HandOff(HandOff { conversation: conversation.clone(), until: HandOffs::NONE })
}
