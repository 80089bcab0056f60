//! Ids of ours that vendors are given: computed, never stored (DESIGN section 3).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{BotId, UpstreamId, UserId};

/// A message: `tg:<bot>[:<business connection>]:<chat>:<message id>`, with `:2` and so on for further parts of it, or
/// `tg:<bot>:u<update id>` where there is no message id (a press).
///
/// Unique over all bots, so also within one channel of a vendor's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageKey(String);

/// A chat: `tg:<bot>[:<business connection>]:<chat>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChatKey(String);

/// A Telegram user: `tg:<user>`, the same over all bots, so that one person stays one person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonKey(String);

/// Where a message stands in Telegram.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MessagePlace {
    /// The business connection, where the chat is one of a business account's.
    pub business: Option<String>,
    /// The chat.
    pub chat: i64,
    /// The message's id in it.
    pub message: i64,
}

impl ChatKey {
    /// The key of a chat.
    pub fn of(bot: BotId, business: Option<&str>, chat: i64) -> Self {
        Self(match business {
            Some(business) => format!("tg:{bot}:{business}:{chat}"),
            None => format!("tg:{bot}:{chat}"),
        })
    }

    /// As vendors are given it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key as it was stored or given back by a vendor.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Reads what a vendor gives back: the bot, the business connection and the chat.
    pub fn read(text: &str) -> Option<(BotId, Option<String>, i64)> {
        let mut parts = text.strip_prefix("tg:")?.split(':');
        let bot = BotId::new(parts.next()?.parse().ok()?).ok()?;
        let (second, third) = (parts.next()?, parts.next());
        if parts.next().is_some() {
            return None;
        }
        Some(match third {
            Some(chat) => (bot, Some(second.to_owned()), chat.parse().ok()?),
            None => (bot, None, second.parse().ok()?),
        })
    }
}

impl PersonKey {
    /// The key of a chat that speaks for itself: a channel, an anonymous administrator of a group. It is nobody's
    /// [`UserId`], so [`PersonKey::read`] gives none.
    pub fn of_chat(chat: i64) -> Self {
        Self(format!("tg:{chat}"))
    }

    /// The key of a user.
    pub fn of(user: UserId) -> Self {
        Self(format!("tg:{user}"))
    }

    /// As vendors are given it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads what a vendor gives back.
    pub fn read(text: &str) -> Option<UserId> {
        UserId::new(text.strip_prefix("tg:")?.parse().ok()?).ok()
    }
}

impl MessageKey {
    /// The key of a message.
    pub fn of(bot: BotId, place: &MessagePlace) -> Self {
        let chat = ChatKey::of(bot, place.business.as_deref(), place.chat);
        Self(format!("{}:{}", chat.0, place.message))
    }

    /// The key of something without a message id.
    pub fn of_update(bot: BotId, update: UpstreamId) -> Self {
        Self(format!("tg:{bot}:u{update}"))
    }

    /// The key of a message of which only a vendor's id is known: the vendor's own integration has sent it.
    pub fn of_vendors(bot: BotId, theirs: &str) -> Self {
        Self(format!("tg:{bot}:v{theirs}"))
    }

    /// The key of a further part of it: `number` is 2 for the second.
    #[must_use]
    pub fn part(&self, number: usize) -> Self {
        if number < 2 { self.clone() } else { Self(format!("{}:{number}", self.0)) }
    }

    /// As vendors are given it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A key as it was stored or given back by a vendor.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Reads what a vendor gives back: the bot, and where the message stands. `None` for what has no message id.
    pub fn read(text: &str) -> Option<(BotId, MessagePlace)> {
        let parts: Vec<&str> = text.strip_prefix("tg:")?.split(':').collect();
        let (bot, business, chat, message) = match *parts.as_slice() {
            [bot, chat, message] => (bot, None, chat, message),
            // Telegram's connections are no numbers, chats are.
            [bot, chat, message, _part] if chat.parse::<i64>().is_ok() => (bot, None, chat, message),
            [bot, business, chat, message] | [bot, business, chat, message, _] => {
                (bot, Some(business.to_owned()), chat, message)
            }
            _ => return None,
        };
        let bot = BotId::new(bot.parse().ok()?).ok()?;
        let (chat, message) = (chat.parse().ok()?, message.parse().ok()?);
        Some((bot, MessagePlace { business, chat, message }))
    }
}

macro_rules! shown {
    ($($key:ident)*) => {
        $(impl fmt::Display for $key {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        })*
    };
}

shown!(MessageKey ChatKey PersonKey);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_the_design_says_and_come_back_as_what_they_were() {
        let bot = BotId::new(777).unwrap();
        let place = |business: Option<&str>, chat| MessagePlace {
            business: business.map(str::to_owned),
            chat,
            message: 42,
        };
        let key = MessageKey::of(bot, &place(None, 1001));
        assert_eq!(key.as_str(), "tg:777:1001:42");
        assert_eq!(key.part(1), key);
        assert_eq!(key.part(2).as_str(), "tg:777:1001:42:2");
        assert_eq!(MessageKey::of(bot, &place(Some("bc"), -7)).as_str(), "tg:777:bc:-7:42");
        for place in [place(None, 1001), place(Some("bc"), -7)] {
            let key = MessageKey::of(bot, &place);
            for key in [key.clone(), key.part(2)] {
                assert_eq!(MessageKey::read(key.as_str()), Some((bot, place.clone())), "{key}");
            }
        }
        for strange in
            ["", "tg:777", "tg:777:u9", "tg:777:1001", "tg:x:1:2", "tg:1:b:x:2", "tg:1:2:3:4:5:6", "wa:1:2:3"]
        {
            assert_eq!(MessageKey::read(strange), None, "{strange}");
        }
        let vendors = MessageKey::of_vendors(bot, "7e6d5c4b-3a29-4817-96f5-e4d3c2b1a098");
        assert_eq!(MessageKey::read(vendors.as_str()), None, "it stands nowhere in Telegram");
        assert_eq!(MessageKey::of_update(bot, UpstreamId::new(9).unwrap()).as_str(), "tg:777:u9");
        for (business, chat) in [(None, 1001), (Some("bc"), -100_123)] {
            let key = ChatKey::of(bot, business, chat);
            assert_eq!(ChatKey::read(key.as_str()), Some((bot, business.map(str::to_owned), chat)));
        }
        for strange in ["", "tg:", "tg:1", "tg:x:1", "wa:1:2", "tg:1:b:2:3", "tg:1:b:x"] {
            assert_eq!(ChatKey::read(strange), None, "{strange}");
        }
        let user = UserId::new(1001).unwrap();
        assert_eq!(PersonKey::read(PersonKey::of(user).as_str()), Some(user));
        assert_eq!(PersonKey::read("1001"), None);
    }
}
