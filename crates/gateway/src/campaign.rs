//! Campaigns: one text to more than thirty chats within ten minutes (DESIGN section 6).
//!
//! A text is what a call says apart from whom it says it to. Only what comes after the thirtieth chat is known to be part
//! of a campaign: the sends before it are in the journal already. A text with somebody's name in it is another text. What
//! is counted is kept in memory, in bounds, and begins anew after a start.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tandem_model::{BotId, Conversation, LaneId, Timestamp};
use tandem_telegram::{
    methods::{Act, Capture},
    params::Params,
};

/// To more chats than so many.
const CHATS: usize = 30;
/// Within so long.
const WITHIN: Duration = Duration::from_mins(10);
/// Texts that are remembered, of all bots together.
const TEXTS: usize = 4096;
/// What a call says of whom and how it says it to, and not what.
const NOT_THE_TEXT: [&str; 10] = [
    "business_connection_id",
    "chat_id",
    "direct_messages_topic_id",
    "disable_notification",
    "message_effect_id",
    "message_thread_id",
    "reply_parameters",
    "reply_to_message_id",
    "allow_sending_without_reply",
    "protect_content",
];

/// What has been said to how many.
#[derive(Debug, Default)]
pub(crate) struct Campaigns(Mutex<HashMap<(BotId, LaneId, u64), Chats>>);

/// To which chats a text went, by hash, and when: the latest last.
type Chats = VecDeque<(u64, Timestamp)>;

impl Campaigns {
    /// Notes what an app has said; whether it is part of a campaign.
    pub(crate) fn note(
        &self,
        (bot, lane): (BotId, LaneId),
        capture: Capture,
        (method, parameters): (&str, &Params),
        conversation: &Conversation,
        now: Timestamp,
    ) -> bool {
        if !matches!(capture.act, Act::Send | Act::Copy | Act::Forward) {
            return false;
        }
        let (text, chat) = (text_of(method, parameters), hash_of(|hasher| conversation.hash(hasher)));
        let recent = |said: &(u64, Timestamp)| now.since(said.1) < WITHIN;
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if texts.len() >= TEXTS {
            texts.retain(|_, chats| chats.back().is_some_and(recent));
            if texts.len() >= TEXTS {
                // So many different texts are no campaign; one among them is counted anew.
                texts.clear();
            }
        }
        let chats = texts.entry((bot, lane, text)).or_default();
        chats.retain(|said| said.0 != chat && recent(said));
        chats.push_back((chat, now));
        if chats.len() > CHATS + 1 {
            chats.pop_front();
        }
        chats.len() > CHATS
    }
}

fn text_of(method: &str, parameters: &Params) -> u64 {
    hash_of(|hasher| {
        method.to_ascii_lowercase().hash(hasher);
        for (name, value) in parameters.texts().filter(|(name, _)| !NOT_THE_TEXT.contains(name)) {
            (name, value).hash(hasher);
        }
        for file in parameters.files() {
            (&file.name, &file.file_name, file.size_bytes).hash(hasher);
        }
    })
}

fn hash_of(write: impl FnOnce(&mut DefaultHasher)) -> u64 {
    let mut hasher = DefaultHasher::new();
    write(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use tandem_telegram::methods::Class;

    use super::*;

    struct Mailing {
        campaigns: Campaigns,
        lane: LaneId,
    }

    impl Mailing {
        fn of(lane: i64) -> Self {
            Self { campaigns: Campaigns::default(), lane: LaneId::new(lane).unwrap() }
        }

        fn says(&self, method: &str, text: &str, chat: i64, secs: i64) -> bool {
            let Class::Captured(capture) = Class::of(method) else { panic!("{method}") };
            let parameters = Params::of([("chat_id", chat.to_string()), ("text", text.to_owned())]);
            let app = (BotId::new(42).unwrap(), self.lane);
            let conversation = Conversation::chat(chat);
            self.campaigns.note(
                app,
                capture,
                (method, &parameters),
                &conversation,
                Timestamp::from_secs(secs),
            )
        }
    }

    #[test]
    fn one_text_is_a_campaign_from_the_thirty_first_chat_on() {
        let mailing = Mailing::of(1);
        let flags: Vec<bool> =
            (1..=40).map(|chat| mailing.says("sendMessage", "Скидки!", chat, chat)).collect();
        assert_eq!(flags.iter().position(|flag| *flag), Some(30));
        assert!(flags[30..].iter().all(|flag| *flag));
        assert!(!mailing.says("sendMessage", "Другое", 41, 41), "another text");
        assert!(mailing.says("SENDMESSAGE", "Скидки!", 41, 42));
    }

    #[test]
    fn the_same_chat_counts_once_and_what_is_older_than_ten_minutes_does_not() {
        let mailing = Mailing::of(1);
        assert!((0..100).all(|time| !mailing.says("sendMessage", "Ваш заказ готов", 7, time)));
        let slow = (0..60).map(|chat| mailing.says("sendMessage", "Напоминаем", chat, chat * 20));
        assert_eq!(slow.filter(|flag| *flag).count(), 0, "thirty in ten minutes and no more");
        assert!(
            (0..60).all(|chat| !mailing.says("editMessageText", "Готово", chat, 0)),
            "nothing new is said"
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mailing = Mailing::of(1);
        for number in 0..10_000 {
            mailing.says("sendMessage", &number.to_string(), 7, number / 100);
        }
        assert!(mailing.campaigns.0.lock().unwrap().len() <= TEXTS);
    }
}
