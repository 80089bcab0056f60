//! What is known of the chats that were spoken of last, so that a message in one of them asks the store nothing.
//!
//! Bounded, and nothing but a memory: whatever falls out of it is read from the store again. A chat is taken out while
//! its events are delivered, so that a delivery that is broken off leaves nothing half true behind.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    mem,
    sync::{Mutex, PoisonError},
};

use tandem_model::{
    Conversation, Timestamp,
    message::{ChatKey, Client, MessageKey},
};
use tandem_vendor::ChatIds;

use super::times::Times;

/// How many messages of a chat are known to have been told.
const TOLD: usize = 32;

/// A chat as a route knows it.
#[derive(Debug, Clone)]
pub(super) struct Chat {
    /// Our name of it.
    pub(super) key: ChatKey,
    /// How far the CRM knows of it.
    pub(super) standing: Standing,
    /// Who the client is, as far as he was seen.
    pub(super) client: Option<Client>,
    /// When its names were noted last: they are kept only for so long.
    pub(super) noted_at: Option<Timestamp>,
    /// The times that were given to its messages.
    pub(super) times: Times,
    /// The messages that were told last.
    pub(super) told: Recent,
    /// A message that was refused and is looked for once more.
    pub(super) doubted: Option<MessageKey>,
    /// How its client and his card were looked after.
    pub(super) care: Care,
}

/// How a client and his card were looked after.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Care {
    /// The vendor's name of the contact, where it is known.
    pub(super) contact: Option<String>,
    /// When that was done last, as far as the CRM said, and what the client was called then.
    pub(super) last: Option<(Timestamp, String)>,
    /// When it was tried last, whatever came of it.
    pub(super) tried_at: Option<Timestamp>,
}

/// How far a CRM knows of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not at all: what the company says is kept back.
    Unknown {
        /// When that was looked up: a contact may be linked at any time.
        looked_at: Timestamp,
    },
    /// There is a conversation or a contact, and nothing was told yet.
    Linked {
        /// The conversation's names, where there is one: a manager has begun it.
        ids: Option<ChatIds>,
    },
    /// It was opened, and what was said before is being told.
    Importing {
        /// Its names.
        ids: ChatIds,
        /// So many lines are there.
        lines: usize,
    },
    /// It is told.
    Open {
        /// Its names.
        ids: ChatIds,
    },
}

/// The messages that were told last.
#[derive(Debug, Clone, Default)]
pub(super) struct Recent(VecDeque<u64>);

impl Recent {
    pub(super) fn add(&mut self, key: &MessageKey) {
        if !self.has(key) {
            if self.0.len() >= TOLD {
                self.0.pop_front();
            }
            self.0.push_back(short(key));
        }
    }

    pub(super) fn has(&self, key: &MessageKey) -> bool {
        self.0.contains(&short(key))
    }
}

/// Enough of a key to tell a few dozen apart.
fn short(key: &MessageKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The chats of one destination are apart from those of any other, also of what stood in its place before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) destination: u64,
    pub(super) conversation: Conversation,
}

/// All chats that are known, of all routes together.
#[derive(Debug)]
pub(super) struct KnownChats {
    half: usize,
    generations: Mutex<Generations>,
}

/// Who is used moves to the young; when they are as many as half of all may be, the old are forgotten.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Place, Chat>,
    old: HashMap<Place, Chat>,
}

impl KnownChats {
    /// Room for so many.
    pub(super) fn new(most: usize) -> Self {
        Self { half: (most / 2).max(1), generations: Mutex::default() }
    }

    /// Takes a chat out.
    pub(super) fn take(&self, place: &Place) -> Option<Chat> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { young, old } = &mut *generations;
        young.remove(place).or_else(|| old.remove(place))
    }

    /// Puts a chat (back) in.
    pub(super) fn put(&self, place: Place, chat: Chat) {
        let mut forgotten = HashMap::new();
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.young.len() >= self.half {
            let young = mem::take(&mut generations.young);
            forgotten = mem::replace(&mut generations.old, young);
        }
        generations.young.insert(place, chat);
        drop(generations);
        // Thousands of them are let go of after everybody else has their turn again.
        drop(forgotten);
    }

    /// Changes a chat that is there.
    pub(super) fn touch(&self, place: &Place, change: impl FnOnce(&mut Chat)) {
        if let Some(mut chat) = self.take(place) {
            change(&mut chat);
            self.put(place.clone(), chat);
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_model::{BotId, message::MessagePlace};

    use super::*;

    fn place(number: i64) -> Place {
        Place { destination: 1, conversation: Conversation::chat(number) }
    }

    fn chat(number: i64) -> Chat {
        Chat {
            key: ChatKey::of(BotId::new(777).unwrap(), None, number),
            standing: Standing::Unknown { looked_at: Timestamp::EPOCH },
            client: None,
            noted_at: None,
            times: Times::default(),
            told: Recent::default(),
            doubted: None,
            care: Care::default(),
        }
    }

    #[test]
    fn what_is_used_stays_and_there_are_never_more_than_may_be() {
        let known = KnownChats::new(8);
        for number in 0..100 {
            known.put(place(number), chat(number));
            known.touch(&place(0), |_| {});
            let generations = known.generations.lock().unwrap();
            assert!(generations.young.len() + generations.old.len() <= 8);
        }
        assert!(known.take(&place(0)).is_some() && known.take(&place(99)).is_some());
        assert!(known.take(&place(50)).is_none());
        let other = Place { destination: 2, ..place(99) };
        known.put(place(99), chat(99));
        assert!(known.take(&other).is_none());
    }

    #[test]
    fn the_messages_told_last_are_known() {
        let bot = BotId::new(777).unwrap();
        let key = |message| MessageKey::of(bot, &MessagePlace { business: None, chat: 1, message });
        let mut recent = Recent::default();
        for message in 0..40 {
            recent.add(&key(message));
            recent.add(&key(39));
        }
        assert!(recent.has(&key(39)) && recent.has(&key(20)) && !recent.has(&key(0)));
    }
}
