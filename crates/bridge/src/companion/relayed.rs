//! What clients wrote that was relayed a moment ago: by it a chat is recognised that was there before anybody listened.
//!
//! Nothing of what is written is kept, only a number that the same text gives again, for [`RECENT`] and of a bounded
//! number of messages. The relay pays for it with one look at the bytes it has in hand.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tandem_model::{BotId, Clock, ConnectionId, Timestamp, UserId};
use tandem_telegram::update::{Kind, UpdateView};

/// For how long a text is looked for. amoCRM shows a message within a second or two.
const RECENT: Duration = Duration::from_secs(10);
/// Most messages of all routes together; the oldest go first.
const MOST: usize = 16_384;

/// Messages that were relayed.
pub(crate) struct Relayed {
    clock: Arc<dyn Clock>,
    hasher: RandomState,
    recent: Mutex<Recent>,
}

#[derive(Default)]
struct Recent {
    messages: VecDeque<Message>,
    /// When something was relayed last that its account's hooks should tell of.
    last: BTreeMap<ConnectionId, Timestamp>,
}

struct Message {
    connection: ConnectionId,
    bot: BotId,
    user: UserId,
    words: u64,
    at: Timestamp,
}

impl Relayed {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, hasher: RandomState::new(), recent: Mutex::default() }
    }

    /// An update is about to be relayed.
    pub(crate) fn note(&self, connection: ConnectionId, bot: BotId, update: &Bytes) {
        let Ok(view) = UpdateView::of(update) else { return };
        let message = view.message();
        let (Kind::Message, Some(text), Some(user)) = (view.kind(), message.text(), message.sender()) else {
            return;
        };
        if message.chat_id() != Some(user.get()) || message.business_connection().is_some() {
            return;
        }
        let (now, words) = (self.clock.now(), self.hasher.hash_one(text.trim()));
        let mut recent = self.recent();
        recent.messages.push_back(Message { connection, bot, user, words, at: now });
        if recent.messages.len() > MOST {
            recent.messages.pop_front();
        }
        recent.last.insert(connection, now);
    }

    /// Who wrote this within the last seconds, through any bot of a connection.
    pub(crate) fn writers(&self, connection: ConnectionId, text: &str) -> BTreeSet<(BotId, UserId)> {
        if text.trim().is_empty() {
            return BTreeSet::new();
        }
        let (now, words) = (self.clock.now(), self.hasher.hash_one(text.trim()));
        let mut recent = self.recent();
        while recent.messages.front().is_some_and(|message| now.since(message.at) > RECENT) {
            recent.messages.pop_front();
        }
        let same = recent.messages.iter().filter(|one| one.connection == connection && one.words == words);
        same.map(|message| (message.bot, message.user)).collect()
    }

    /// When something was relayed last that the account's hooks should tell of.
    pub(crate) fn last(&self, connection: ConnectionId) -> Option<Timestamp> {
        self.recent().last.get(&connection).copied()
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Relayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relayed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tandem_testkit::ManualClock;

    use super::*;

    fn update(user: i64, chat: i64, text: &str) -> Bytes {
        let message = json!({
            "message_id": 1, "date": 1, "text": text, "chat": {"id": chat, "type": "private"}, "from": {"id": user},
        });
        Bytes::from(json!({"update_id": 1, "message": message}).to_string())
    }

    #[test]
    fn who_wrote_a_text_is_known_for_ten_seconds_and_of_one_connection() {
        let clock = ManualClock::new();
        let relayed = Relayed::new(Arc::new(clock.clone()));
        let (shop, other) = (ConnectionId::new(1).unwrap(), ConnectionId::new(2).unwrap());
        let (bot, second) = (BotId::new(777).unwrap(), BotId::new(778).unwrap());
        let user = |id| UserId::new(id).unwrap();
        relayed.note(shop, bot, &update(7, 7, "hello "));
        relayed.note(shop, bot, &update(7, 7, "hello"));
        assert_eq!(relayed.writers(shop, "hello"), BTreeSet::from([(bot, user(7))]));
        relayed.note(shop, second, &update(8, 8, "hello"));
        relayed.note(shop, bot, &update(9, -100, "hello"));
        assert_eq!(relayed.writers(shop, "hello").len(), 2, "a group is nobody's chat");
        assert_eq!(relayed.writers(other, "hello"), BTreeSet::new());
        assert_eq!(relayed.writers(shop, " "), BTreeSet::new());
        assert_eq!((relayed.last(shop), relayed.last(other)), (Some(clock.now()), None));
        clock.advance(Duration::from_secs(11));
        assert_eq!(relayed.writers(shop, "hello"), BTreeSet::new());
    }

    #[test]
    fn there_are_never_more_than_may_be() {
        let relayed = Relayed::new(Arc::new(ManualClock::new()));
        let (shop, bot) = (ConnectionId::new(1).unwrap(), BotId::new(777).unwrap());
        for user in 1..=20_000 {
            relayed.note(shop, bot, &update(user, user, "hi"));
        }
        assert_eq!(relayed.recent().messages.len(), MOST);
    }
}
