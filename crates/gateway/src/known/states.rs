//! What apps have said that they are doing in conversations.
//!
//! The latest state of a conversation is a link of the bot's. A bot whose apps never set one costs a look at the first
//! of its events after a start, and nothing afterwards.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tandem_journal::{Link, LinkScope, ReadError, Store};
use tandem_model::{BotId, Conversation, Timestamp};

use crate::ConversationState;

/// Conversations whose state is remembered, of all bots together.
const REMEMBERED: usize = 50_000;
const OURS: &str = "conversation:";

type State = Option<(ConversationState, Timestamp)>;

/// The states of conversations.
#[derive(Debug, Default)]
pub(crate) struct States(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    /// Whether any conversation of a bot has, or had, a state.
    used: HashMap<BotId, bool>,
    states: HashMap<(BotId, Conversation), State>,
}

/// How a state is kept.
pub(crate) fn state_link(conversation: &Conversation, state: ConversationState, at: Timestamp) -> Link {
    Link { scope: LinkScope::Bot, ours: ours(conversation), theirs: stored(state), at }
}

fn ours(conversation: &Conversation) -> String {
    format!("{OURS}{conversation}")
}

fn stored(state: ConversationState) -> String {
    format!("{OURS}{}", state.as_str())
}

fn of_stored(link: &Link) -> State {
    let state = ConversationState::ALL.into_iter().find(|state| stored(*state) == link.theirs);
    state.map(|state| (state, link.at))
}

impl States {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.states.len() >= REMEMBERED {
            // They are read again when they are asked for.
            remembered.states.clear();
        }
        remembered
    }

    pub(super) fn learn(&self, bot: BotId, link: &Link) {
        if let Some(conversation) = link.ours.strip_prefix(OURS) {
            let mut remembered = self.lock();
            remembered.used.insert(bot, true);
            remembered.states.insert((bot, Conversation::from_stored(conversation)), of_stored(link));
        }
    }

    /// Whether any conversation of a bot has a state: asked of the store once.
    async fn uses(&self, store: &dyn Store, bot: BotId) -> Result<bool, ReadError> {
        let known = self.lock().used.get(&bot).copied();
        if let Some(used) = known {
            return Ok(used);
        }
        let mut found = false;
        for state in [ConversationState::Dialogue, ConversationState::Manager] {
            found |= !store.list_links(bot, LinkScope::Bot, stored(state), 1).await?.is_empty();
        }
        Ok(*self.lock().used.entry(bot).or_insert(found))
    }

    /// The latest state of a conversation, and since when.
    pub(crate) async fn find(
        &self,
        store: &dyn Store,
        bot: BotId,
        conversation: &Conversation,
    ) -> Result<State, ReadError> {
        if !self.uses(store, bot).await? {
            return Ok(None);
        }
        let key = (bot, conversation.clone());
        if let Some(known) = self.lock().states.get(&key).copied() {
            return Ok(known);
        }
        let link = store.find_link(bot, LinkScope::Bot, ours(conversation)).await?;
        Ok(*self.lock().states.entry(key).or_insert(link.as_ref().and_then(of_stored)))
    }
}
