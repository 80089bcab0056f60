//! What an app says it is doing in a conversation: `tandemSetConversation`, or the header `Tandem-Conversation` of a
//! send (DESIGN section 5).
//!
//! It stands in the journal as a mark, and what comes in that conversation from then on carries a flag (invariant 7):
//! rules and routes ask the event, not the state. A state lasts until another is set, and a day at most, so that one
//! that was forgotten does not last for ever.
//!
//! **With a manager's hand-off** ([`crate::hand_off`]) the later word counts: a manager's message is one, so that he has
//! the conversation whatever an app had said before; `dialogue` and `free` take it back from him; `manager` gives it to
//! him, until one has written and his time is over.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response};
use serde::{Deserialize, Serialize};
use tandem_journal::{Append, Fact, ReadError, Urgency};
use tandem_model::{BotId, Conversation, Flags, NewEvent, Timestamp};
use tandem_telegram::{
    envelope::{self, Failure},
    params::Params,
};

use crate::{App, Gateway, MarkDocument, gateway::Chain, known::state_link};

/// The method.
pub(crate) const METHOD: &str = "tandemSetConversation";
/// The header of a send that does the same. It ends here: headers of ours are not sent on.
const HEADER: &str = "tandem-conversation";
/// How long a state lasts at most.
const LASTS: Duration = Duration::from_hours(24);
/// Longest note.
const NOTE_CHARACTERS: usize = 1024;

/// What an app is doing in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationState {
    /// It has asked something and waits for the answer: what the client says next is for it.
    Dialogue,
    /// Nothing.
    Free,
    /// It has given the conversation to a manager.
    Manager,
}

impl ConversationState {
    pub(crate) const ALL: [Self; 3] = [Self::Dialogue, Self::Free, Self::Manager];

    /// The word that apps use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dialogue => "dialogue",
            Self::Free => "free",
            Self::Manager => "manager",
        }
    }

    fn parse(text: &str) -> Result<Self, Failure> {
        Self::ALL.into_iter().find(|state| state.as_str().eq_ignore_ascii_case(text.trim())).ok_or_else(
            || Failure::bad_request("Tandem: the state of a conversation is dialogue, free or manager"),
        )
    }

    const fn flags(self) -> Flags {
        match self {
            Self::Dialogue => Flags::IN_DIALOGUE,
            Self::Free => Flags::NONE,
            Self::Manager => Flags::WITH_MANAGER,
        }
    }
}

/// What an app says of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    state: ConversationState,
    note: Option<String>,
}

impl Said {
    fn new(state: &str, note: Option<&str>) -> Result<Self, Failure> {
        let state = ConversationState::parse(state)?;
        let note = note.map(str::trim).filter(|note| !note.is_empty());
        if note.is_some_and(|note| note.chars().count() > NOTE_CHARACTERS) {
            return Err(Failure::bad_request("Tandem: the note of a conversation is too long"));
        }
        Ok(Self { state, note: note.map(str::to_owned) })
    }

    /// What the header of a send says: a state, and behind a semicolon a note.
    pub(crate) fn of_header(headers: &HeaderMap) -> Result<Option<Self>, Failure> {
        let Some(value) = headers.get(HEADER) else { return Ok(None) };
        let value = String::from_utf8_lossy(value.as_bytes());
        let (state, note) = match value.split_once(';') {
            Some((state, note)) => (state, Some(note)),
            None => (&*value, None),
        };
        Self::new(state, note).map(Some)
    }
}

impl Gateway {
    /// Answers the method.
    pub(crate) async fn set_conversation(&self, app: &App, params: &Params) -> Response<Bytes> {
        let (conversation, said) = match asked(app, params) {
            Ok(asked) => asked,
            Err(failure) => return failure.response(),
        };
        let (bot, now) = (app.bot().id(), self.inner().clock.now());
        let (events, facts) = self.noting(app, &conversation, &said, now).await;
        let append = Append { events, facts, urgency: Urgency::MustKeep, ..Append::default() };
        match self.inner().recorder.record(bot, append).await {
            Ok(_) => envelope::success(b"true"),
            Err(error) => Self::unwell(app, &error),
        }
    }

    /// What is to be committed so that a state holds from then on.
    pub(crate) async fn noting(
        &self,
        app: &App,
        conversation: &Conversation,
        said: &Said,
        now: Timestamp,
    ) -> (Vec<NewEvent>, Vec<Fact>) {
        let mark = MarkDocument::Conversation {
            app: app.name().into(),
            state: said.state,
            note: said.note.as_deref().map(Into::into),
        };
        let event = NewEvent { cause: Some(app.lane()), ..mark.event_in(conversation.clone(), now) };
        let (mut events, mut facts) =
            (vec![event], vec![Fact::Link(state_link(conversation, said.state, now))]);
        if said.state != ConversationState::Manager {
            match self.end_hand_off(app.bot().id(), conversation, app.name()).await {
                Ok(ended) => {
                    let (mark, over) = ended.unzip();
                    events.extend(mark);
                    facts.extend(over);
                }
                Err(error) => {
                    let (bot, chain) = (app.bot().id(), Chain(&error));
                    tracing::warn!(bot.id = %bot, "whether a manager talks could not be looked up: {chain}");
                }
            }
        }
        (events, facts)
    }

    /// What holds in a conversation, as flags of what happens there now.
    pub(crate) async fn conversation_flags(&self, bot: BotId, conversation: &Conversation) -> Flags {
        self.find_flags(bot, conversation).await.unwrap_or_else(|error| {
            let chain = Chain(&error);
            tracing::warn!(bot.id = %bot, "the state of a conversation could not be looked up: {chain}");
            Flags::NONE
        })
    }

    async fn find_flags(&self, bot: BotId, conversation: &Conversation) -> Result<Flags, ReadError> {
        let (store, known) = (&*self.inner().store, self.inner().recorder.known());
        let now = self.inner().clock.now();
        let hand_off = self.find_hand_off(bot, conversation).await?;
        if hand_off.is_some_and(|until| until > now) {
            return Ok(Flags::WITH_MANAGER);
        }
        let state = known.states.find(store, bot, conversation).await?;
        let state = state.filter(|(_, since)| now.since(*since) < LASTS);
        // A manager has had what he was given, and is done.
        let had = state.is_some_and(|(state, since)| {
            state == ConversationState::Manager && hand_off.is_some_and(|until| until > since)
        });
        if let Some(until) = hand_off {
            self.note_end(bot, conversation, until);
        }
        Ok(if had { Flags::NONE } else { state.map_or(Flags::NONE, |(state, _)| state.flags()) })
    }
}

fn asked(app: &App, params: &Params) -> Result<(Conversation, Said), Failure> {
    let chat = params.text("chat_id").filter(|chat| !chat.trim().is_empty());
    let chat = chat.ok_or_else(|| Failure::parameter_required("chat_id"))?;
    let number = chat.trim().parse().map_err(|_no_number: std::num::ParseIntError| {
        Failure::bad_request("Tandem: tandemSetConversation names the chat by its number")
    })?;
    app.document().limits.admit_chats(app.name(), params)?;
    let conversation = match params.text("business_connection_id").filter(|id| !id.is_empty()) {
        Some(connection) => Conversation::business(connection, number),
        None => Conversation::chat(number),
    };
    let state = params.text("state").ok_or_else(|| Failure::parameter_required("state"))?;
    Ok((conversation, Said::new(state, params.text("note"))?))
}
