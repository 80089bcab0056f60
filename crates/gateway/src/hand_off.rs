//! Hand-off: a manager is talking in a conversation (DESIGN section 6).
//!
//! It begins with a manager's message and lasts for the minutes that his route says, counted from his latest one. It ends
//! by time, by an app that says that it is in a dialogue or free ([`crate::conversation`]), and by whoever else notes it.
//! Beginning and end stand in the journal as marks; an end by time is noted when something happens in the conversation
//! again, with the time it had.

use tandem_journal::{Append, Fact, HandOff, ReadError, Urgency};
use tandem_model::{BotId, Conversation, LaneId, NewEvent, Timestamp};

use crate::{
    ConversationState, Gateway, MarkDocument,
    gateway::Chain,
    known::{HandOffs, Use, state_link},
};

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

    /// Until when a manager talks, or talked where that is not noted yet.
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

    /// Notes that a hand-off ended by time, in its own time. `given`: whether an app had given the conversation to a
    /// manager, which is over with it.
    pub(crate) fn note_end(&self, bot: BotId, conversation: &Conversation, until: Timestamp, given: bool) {
        if !self.inner().recorder.known().hand_offs.close(bot, conversation) {
            return;
        }
        let mark = MarkDocument::HandOffEnded { app: None }.event_in(conversation.clone(), until);
        let mut facts = vec![over(conversation)];
        if given {
            facts.push(Fact::Link(state_link(conversation, ConversationState::Free, until)));
        }
        let append = Append { events: vec![mark], facts, urgency: Urgency::CanWait, ..Append::default() };
        let gateway = self.clone();
        self.inner().tasks.spawn(async move {
            if let Err(error) = gateway.inner().recorder.record(bot, append).await {
                let chain = Chain(&error);
                tracing::warn!(bot.id = %bot, "the end of a hand-off could not be noted: {chain}");
            }
        });
    }
}

fn over(conversation: &Conversation) -> Fact {
    Fact::HandOff(HandOff { conversation: conversation.clone(), until: HandOffs::NONE })
}
