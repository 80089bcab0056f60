//! What an app says it is doing in a conversation: `tandemSetConversation`, or the header `Tandem-Conversation` of a
//! send (DESIGN section 5).
//!
//! It stands in the journal as a mark, and what comes in that conversation from then on carries a flag (invariant 7):
//! rules and routes ask the event, not the state. A state lasts until another is set, and a day at most, so that one
//! that was forgotten does not last for ever.
//!
//! The latest state of a conversation is a link of the bot's. A bot whose apps never set one costs a look at the first
//! of its events after a start, and nothing afterwards.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Response};
use serde::{Deserialize, Serialize};
use tandem_journal::{Append, Fact, Link, LinkScope, ReadError, Urgency};
use tandem_model::{BotId, Conversation, Flags, NewEvent, Timestamp};
use tandem_telegram::{
    envelope::{self, Failure},
    params::Params,
};

use crate::{App, Gateway, MarkDocument, gateway::Chain};

/// The method.
pub(crate) const METHOD: &str = "tandemSetConversation";
/// The header of a send that does the same. It ends here: headers of ours are not sent on.
const HEADER: &str = "tandem-conversation";
/// How long a state lasts at most.
const LASTS: Duration = Duration::from_hours(24);
/// Longest note.
const NOTE_CHARACTERS: usize = 1024;
/// Conversations whose state is remembered, of all bots together.
const REMEMBERED: usize = 50_000;

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
    const ALL: [Self; 3] = [Self::Dialogue, Self::Free, Self::Manager];

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

    fn stored(self) -> String {
        format!("conversation:{}", self.as_str())
    }

    fn of_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.stored() == text)
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

    /// The mark of it, and the state that holds from then on.
    pub(crate) fn event(&self, app: &App, conversation: &Conversation, now: Timestamp) -> (NewEvent, Fact) {
        let mark = MarkDocument::Conversation {
            app: app.name().into(),
            state: self.state,
            note: self.note.as_deref().map(Into::into),
        };
        let event =
            NewEvent { conversation: conversation.clone(), cause: Some(app.lane()), ..mark.event(now) };
        let link =
            Link { scope: LinkScope::Bot, ours: ours(conversation), theirs: self.state.stored(), at: now };
        (event, Fact::Link(link))
    }
}

fn ours(conversation: &Conversation) -> String {
    format!("conversation:{conversation}")
}

type Known = Option<(ConversationState, Timestamp)>;

/// The states of conversations, as far as they are remembered.
#[derive(Debug, Default)]
pub(crate) struct Conversations(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// Whether any conversation of a bot has, or had, a state.
    used: HashMap<BotId, bool>,
    states: HashMap<(BotId, Conversation), Known>,
}

impl Conversations {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, bot: BotId, conversation: &Conversation, known: Known) {
        let mut remembered = self.lock();
        if remembered.states.len() >= REMEMBERED {
            // They are read again when they are asked for.
            remembered.states.clear();
        }
        remembered.states.insert((bot, conversation.clone()), known);
    }

    /// A state was committed.
    pub(crate) fn set(&self, bot: BotId, conversation: &Conversation, said: &Said, now: Timestamp) {
        self.lock().used.insert(bot, true);
        self.remember(bot, conversation, Some((said.state, now)));
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
        let (event, fact) = said.event(app, &conversation, now);
        let append = Append {
            events: vec![event],
            facts: vec![fact],
            urgency: Urgency::MustKeep,
            ..Append::default()
        };
        match self.inner().recorder.record(bot, append).await {
            Ok(_) => {
                self.inner().conversations.set(bot, &conversation, &said, now);
                envelope::success(b"true")
            }
            Err(error) => Self::unwell(app, &error),
        }
    }

    /// What holds in a conversation, as flags of what happens there now.
    pub(crate) async fn conversation_flags(&self, bot: BotId, conversation: &Conversation) -> Flags {
        match self.find_state(bot, conversation).await {
            Ok(Some((state, since))) if self.inner().clock.now().since(since) < LASTS => state.flags(),
            Ok(_) => Flags::NONE,
            Err(error) => {
                let chain = Chain(&error);
                tracing::warn!(bot.id = %bot, "the state of a conversation could not be looked up: {chain}");
                Flags::NONE
            }
        }
    }

    /// Whether any conversation of a bot has a state: asked of the store once.
    async fn uses_states(&self, bot: BotId) -> Result<bool, ReadError> {
        let (store, conversations) = (&self.inner().store, &self.inner().conversations);
        let known = conversations.lock().used.get(&bot).copied();
        if let Some(used) = known {
            return Ok(used);
        }
        let mut found = false;
        for state in [ConversationState::Dialogue, ConversationState::Manager] {
            found |= !store.list_links(bot, LinkScope::Bot, state.stored(), 1).await?.is_empty();
        }
        Ok(*conversations.lock().used.entry(bot).or_insert(found))
    }

    async fn find_state(&self, bot: BotId, conversation: &Conversation) -> Result<Known, ReadError> {
        let (store, conversations) = (&self.inner().store, &self.inner().conversations);
        if !self.uses_states(bot).await? {
            return Ok(None);
        }
        let remembered = conversations.lock().states.get(&(bot, conversation.clone())).copied();
        if let Some(known) = remembered {
            return Ok(known);
        }
        let link = store.find_link(bot, LinkScope::Bot, ours(conversation)).await?;
        let known = link.and_then(|link| Some((ConversationState::of_stored(&link.theirs)?, link.at)));
        conversations.remember(bot, conversation, known);
        Ok(known)
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
