//! How much may be sent (reference/telegram.md 6): 30 messages a second of a bot, one a second in a chat, 20 a minute in
//! a group, and nothing where Telegram has asked to wait.
//!
//! Only what goes through this lane is counted. What apps send streams past the bridge, and counting it here would make
//! managers wait for somebody else's mailing on a guess: Telegram's limits are not public. Where both together are too
//! much, Telegram says so to whoever came last, and that is obeyed.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tandem_model::Timestamp;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
/// Messages of a bot within a second.
const PER_SECOND: usize = 30;
/// Messages to a group within a minute.
const PER_GROUP: usize = 20;

/// What a bot has sent lately.
#[derive(Debug, Default)]
pub(super) struct Budget {
    sent: VecDeque<Timestamp>,
    chats: HashMap<i64, Chat>,
    /// Telegram has asked the bot to wait until then.
    blocked: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Chat {
    /// In groups all messages of the last minute, elsewhere the last one.
    sent: VecDeque<Timestamp>,
    blocked: Option<Timestamp>,
}

impl Budget {
    /// Takes room for so many messages that are sent at once, or says when to ask again.
    pub(super) fn take(&mut self, chat: i64, messages: usize, now: Timestamp) -> Result<(), Timestamp> {
        self.forget(now);
        let mut until = self.blocked.into_iter().chain(full(&self.sent, messages, PER_SECOND, SECOND)).max();
        if let Some(known) = self.chats.get(&chat) {
            until = until
                .max(known.blocked)
                .max(known.sent.back().map(|at| at.plus(SECOND)).filter(|at| *at > now));
            if is_group(chat) {
                until = until.max(full(&known.sent, messages, PER_GROUP, MINUTE));
            }
        }
        if let Some(until) = until {
            return Err(until);
        }
        let known = self.chats.entry(chat).or_default();
        for _ in 0..messages {
            self.sent.push_back(now);
            known.sent.push_back(now);
        }
        Ok(())
    }

    /// The same for what is no message: it counts for the bot alone.
    pub(super) fn take_aside(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        self.forget(now);
        if let Some(until) = self.blocked.into_iter().chain(full(&self.sent, 1, PER_SECOND, SECOND)).max() {
            return Err(until);
        }
        self.sent.push_back(now);
        Ok(())
    }

    /// Telegram has asked to wait. It does not say whether it means the chat or the bot: it means the bot when it has
    /// asked the same in another chat and that time is not over.
    pub(super) fn asked_to_wait(&mut self, chat: i64, after: Duration, now: Timestamp) {
        self.forget(now);
        let until = now.plus(after);
        if self.chats.iter().any(|(other, known)| *other != chat && known.blocked.is_some()) {
            self.blocked = self.blocked.max(Some(until));
        }
        self.chats.entry(chat).or_default().blocked = Some(until);
    }

    /// Forgets what is over, and what a clock that was wrong has put into the future.
    fn forget(&mut self, now: Timestamp) {
        let recent = |at: &Timestamp, within: Duration| *at <= now && now.since(*at) < within;
        self.sent.retain(|at| recent(at, SECOND));
        self.blocked = self.blocked.filter(|until| *until > now);
        self.chats.retain(|chat, known| {
            let within = if is_group(*chat) { MINUTE } else { SECOND };
            known.sent.retain(|at| recent(at, within));
            known.blocked = known.blocked.filter(|until| *until > now);
            known.blocked.is_some() || !known.sent.is_empty()
        });
    }
}

const fn is_group(chat: i64) -> bool {
    chat < 0
}

/// When there is room for so many more, if there is none now. More than ever have room at once need an empty window.
fn full(sent: &VecDeque<Timestamp>, more: usize, most: usize, within: Duration) -> Option<Timestamp> {
    let over = (sent.len() + more).checked_sub(most).filter(|over| *over > 0)?;
    let last_to_go = sent.get(over.min(sent.len()).checked_sub(1)?)?;
    Some(last_to_go.plus(within))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(1_800_000_000_000 + ms)
    }

    #[test]
    fn a_chat_gets_one_a_second_and_others_do_not_wait_for_it() {
        let mut budget = Budget::default();
        assert_eq!(budget.take(7, 1, at(0)), Ok(()));
        assert_eq!(budget.take(7, 1, at(400)), Err(at(1000)));
        assert_eq!(budget.take(8, 1, at(400)), Ok(()));
        assert_eq!(budget.take(7, 10, at(1000)), Ok(()), "an album is sent at once");
        assert_eq!(budget.take(7, 1, at(1999)), Err(at(2000)));
    }

    #[test]
    fn a_bot_sends_thirty_a_second_and_a_group_gets_twenty_a_minute() {
        let mut budget = Budget::default();
        for chat in 1..=30 {
            assert_eq!(budget.take(chat, 1, at(chat)), Ok(()));
        }
        assert_eq!(budget.take(31, 1, at(100)), Err(at(1001)));
        assert_eq!(budget.take_aside(at(100)), Err(at(1001)));
        assert_eq!(budget.take(31, 2, at(100)), Err(at(1002)));
        assert_eq!(budget.take(31, 1, at(1001)), Ok(()));
        let mut budget = Budget::default();
        for second in 0..20 {
            assert_eq!(budget.take(-5, 1, at(second * 1000)), Ok(()));
        }
        assert_eq!(budget.take(-5, 1, at(20_000)), Err(at(60_000)));
        assert_eq!(budget.take(-5, 10, at(20_000)), Err(at(69_000)));
        assert_eq!(budget.take(5, 1, at(20_000)), Ok(()));
    }

    #[test]
    fn what_telegram_asks_for_holds_for_the_chat_and_for_the_bot_once_two_chats_were_told() {
        let mut budget = Budget::default();
        budget.asked_to_wait(7, Duration::from_secs(5), at(0));
        assert_eq!(budget.take(7, 1, at(1000)), Err(at(5000)));
        assert_eq!(budget.take(8, 1, at(1000)), Ok(()));
        budget.asked_to_wait(8, Duration::from_secs(9), at(1000));
        assert_eq!(budget.take(9, 1, at(2000)), Err(at(10_000)));
        assert_eq!(budget.take_aside(at(2000)), Err(at(10_000)));
        assert_eq!(budget.take(9, 1, at(10_000)), Ok(()));
    }

    #[test]
    fn nothing_is_remembered_that_is_over() {
        let mut budget = Budget::default();
        for chat in 1..=1000 {
            budget.take(chat, 1, at(chat * 1000)).unwrap();
        }
        assert_eq!((budget.sent.len(), budget.chats.len()), (1, 1));
        assert_eq!(budget.take(1000, 1, at(0)), Ok(()), "a clock that went back blocks nobody");
    }
}
