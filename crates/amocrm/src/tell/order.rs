//! When a message was said, to the millisecond.
//!
//! Telegram counts in seconds, the chat service sorts by milliseconds. What is missing is made of the message's number,
//! so that the same message always has the same time, and later ones of a chat mostly have later times. Where they have
//! not (numbers pass a thousand, a press has another kind of number), the last times of each chat are remembered and
//! stepped over. After a restart such a message may get the time it has by itself, which is less than a second off.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tandem_model::{Timestamp, message::MessageKey};

/// Chats that are remembered, and messages of each: some megabyte altogether.
const CHATS: usize = 5_000;
const MESSAGES: usize = 4;
/// What is older than the last message by more than this is no neighbour of it, but told again.
const NEAR: Duration = Duration::from_secs(10);

/// The last times of chats.
#[derive(Debug, Default)]
pub(crate) struct Order(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    last: HashMap<String, VecDeque<(MessageKey, i64)>>,
    /// Chats by when they were first remembered.
    since: VecDeque<String>,
}

impl Order {
    /// The time of a message, in milliseconds.
    pub(crate) fn place(&self, chat: &str, key: &MessageKey, said: Timestamp) -> i64 {
        let alone = alone(key, said);
        let near = i64::try_from(NEAR.as_millis()).unwrap_or(i64::MAX);
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !remembered.last.contains_key(chat) {
            remembered.begin(chat);
        }
        let Some(last) = remembered.last.get_mut(chat) else { return alone };
        if let Some((_, at)) = last.iter().find(|(known, _)| known == key) {
            return *at;
        }
        let at = match last.back() {
            Some((_, latest)) if alone.saturating_add(near) < *latest => return alone,
            Some((_, latest)) => alone.max(latest + 1),
            None => alone,
        };
        if last.len() == MESSAGES {
            last.pop_front();
        }
        last.push_back((key.clone(), at));
        at
    }
}

impl Remembered {
    fn begin(&mut self, chat: &str) {
        if self.since.len() >= CHATS
            && let Some(oldest) = self.since.pop_front()
        {
            self.last.remove(&oldest);
        }
        self.since.push_back(chat.to_owned());
        self.last.insert(chat.to_owned(), VecDeque::with_capacity(1));
    }
}

/// The time that a message has whatever else was said.
fn alone(key: &MessageKey, said: Timestamp) -> i64 {
    let millis = said.as_millis();
    if millis % 1000 != 0 {
        return millis;
    }
    let tail = key.as_str().bytes().rev().take_while(u8::is_ascii_digit).take(3);
    tail.zip([1, 10, 100]).fold(millis, |sum, (digit, worth)| sum + i64::from(digit - b'0') * worth)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AT: Timestamp = Timestamp::from_secs(1_767_607_200);

    fn place(order: &Order, message: &str, at: Timestamp) -> i64 {
        order.place("tg:777:1001", &MessageKey::from_stored(message), at) - AT.as_millis()
    }

    #[test]
    fn a_message_has_the_time_of_its_number_always() {
        let order = Order::default();
        assert_eq!(place(&order, "tg:777:1001:41998", AT), 998);
        assert_eq!(place(&order, "tg:777:1001:41999", AT), 999);
        // Its second part, and the next, whose number begins anew.
        assert_eq!(place(&order, "tg:777:1001:41999:2", AT), 1000);
        assert_eq!(place(&order, "tg:777:1001:42000", AT), 1001);
        assert_eq!(place(&order, "tg:777:1001:41999", AT), 999, "a repeat");
        // Long ago, told again: as it was, and it moves nothing.
        let earlier = AT.minus(Duration::from_hours(1));
        assert_eq!(place(&order, "tg:777:1001:7", earlier), 7 - 3_600_000);
        assert_eq!(place(&order, "tg:777:1001:42001", AT), 1002);
        // Somebody has given it milliseconds already.
        assert_eq!(place(&order, "tg:777:1001:42002", AT.plus(Duration::from_millis(5123))), 5123);
        assert_eq!(place(&Order::default(), "tg:777:1001:42001", AT), 1, "after a restart");
    }

    #[test]
    fn no_more_chats_are_remembered_than_fit() {
        let order = Order::default();
        for chat in 0..CHATS + 10 {
            order.place(&chat.to_string(), &MessageKey::from_stored("tg:1:2:3"), AT);
        }
        let remembered = order.0.lock().unwrap();
        assert_eq!((remembered.last.len(), remembered.since.len()), (CHATS, CHATS));
    }

    proptest! {
        #[test]
        fn later_messages_have_later_times(
            first in 1_u32..1_000_000,
            steps in prop::collection::vec((1_u32..400, 0_i64..3), 1..40),
        ) {
            let order = Order::default();
            let (mut number, mut second, mut last) = (first, AT.as_millis() / 1000, i64::MIN);
            for (step, seconds) in steps {
                number += step;
                second += seconds;
                let key = MessageKey::from_stored(&format!("tg:777:1001:{number}"));
                let at = order.place("chat", &key, Timestamp::from_secs(second));
                prop_assert!(at > last);
                prop_assert_eq!(at, order.place("chat", &key, Timestamp::from_secs(second)));
                last = at;
            }
        }
    }
}
