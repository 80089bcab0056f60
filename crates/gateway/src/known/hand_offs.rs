//! Until when a manager talks in a conversation.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tandem_journal::{HandOff, ReadError, Store};
use tandem_model::{BotId, Conversation, Timestamp};

/// Conversations that are remembered, of all bots together.
const REMEMBERED: usize = 50_000;

/// Hand-offs by conversation.
#[derive(Debug, Default)]
pub(crate) struct HandOffs(Mutex<HashMap<(BotId, Conversation), Noted>>);

#[derive(Debug, Clone, Copy)]
struct Noted {
    until: Option<Timestamp>,
    /// Its end is noted, or being noted.
    closed: bool,
}

impl Noted {
    /// One that was taken back is none.
    fn of(until: Timestamp) -> Self {
        Self { until: Some(until).filter(|until| *until > HandOffs::NONE), closed: false }
    }
}

impl HandOffs {
    /// The end of a hand-off that an app has taken back: as if there had been none.
    pub(crate) const NONE: Timestamp = Timestamp::EPOCH;

    fn lock(&self) -> MutexGuard<'_, HashMap<(BotId, Conversation), Noted>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known
    }

    pub(super) fn learn(&self, bot: BotId, HandOff { conversation, until }: &HandOff) {
        self.lock().insert((bot, conversation.clone()), Noted::of(*until));
    }

    /// The end of the latest hand-off, be it over or not; `None` too when it was taken back.
    pub(crate) async fn find(
        &self,
        store: &dyn Store,
        bot: BotId,
        conversation: &Conversation,
    ) -> Result<Option<Timestamp>, ReadError> {
        let key = (bot, conversation.clone());
        if let Some(known) = self.lock().get(&key) {
            return Ok(known.until);
        }
        let stored = store.find_hand_off(bot, conversation.clone()).await?;
        let stored = Noted::of(stored.map_or(Self::NONE, |hand_off| hand_off.until));
        Ok(self.lock().entry(key).or_insert(stored).until)
    }

    /// Whether it is to be seen to now that the end of a hand-off is noted: once for each since the start.
    pub(crate) fn close(&self, bot: BotId, conversation: &Conversation) -> bool {
        let mut known = self.lock();
        let Some(noted) = known.get_mut(&(bot, conversation.clone())) else { return false };
        !std::mem::replace(&mut noted.closed, true)
    }
}
