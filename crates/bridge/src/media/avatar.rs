//! Pictures of clients, as they show them to the bot.

use std::time::Duration;

use serde::Deserialize;
use tandem_model::{BotId, Timestamp, UserId, message::FileRef};
use tandem_telegram::{params::Params, upstream::CallError};

use super::{Media, bounded::Bounded, link::Linked};
use crate::bridge::Chain;

/// How long it is believed which picture somebody has, or that he has none.
const GOOD_FOR: Duration = Duration::from_hours(24);
/// How long nothing is asked after it could not be found out.
const PAUSE: Duration = Duration::from_mins(5);
/// How many are remembered: some 600 bytes each.
const MOST: usize = 4096;
/// No smaller than this is taken if there is a larger one: what a CRM shows beside a message.
const LEAST_SIDE: u32 = 160;

/// Pictures that were looked for, by bot and user.
#[derive(Debug)]
pub(super) struct Avatars(Bounded<(BotId, UserId), Option<Avatar>>);

impl Default for Avatars {
    fn default() -> Self {
        Self(Bounded::new(MOST))
    }
}

/// A picture, and its address as it was given last.
#[derive(Debug, Clone)]
struct Avatar {
    file: FileRef,
    link: String,
    /// Until when the picture is believed to be his.
    until: Timestamp,
    /// Until when the address has more than half of its life before it.
    young_until: Timestamp,
}

#[derive(Deserialize)]
struct Photos {
    photos: Vec<Vec<Size>>,
}

#[derive(Deserialize)]
struct Size {
    file_id: String,
    file_unique_id: String,
    width: u32,
    height: u32,
}

impl Media {
    /// An address of a user's picture. `None` where there is none, none that the bot may see, or no address at all; and
    /// where it cannot be found out just now, which is no reason to wait with anything.
    ///
    /// For some hours it is the same address, so that a vendor need not think that the picture has changed.
    pub async fn avatar_link(&self, bot: BotId, user: UserId) -> Option<String> {
        self.0.public_url.as_ref()?;
        let now = self.0.clock.now();
        match self.0.avatars.0.get(&(bot, user), now) {
            Some(None) => return None,
            Some(Some(avatar)) if now < avatar.young_until => return Some(avatar.link),
            Some(Some(avatar)) => return self.remember(bot, user, avatar.file, avatar.until),
            None => {}
        }
        let token = self.0.directory.find_bot(bot)?.token();
        let params = Params::of([("user_id", user.to_string()), ("limit", "1".to_owned())]);
        let asked = self.0.upstream.call(&token, "getUserProfilePhotos", &params).await;
        let asked = asked.and_then(|result| {
            serde_json::from_slice(&result).map_err(|_malformed| CallError::UnexpectedResult)
        });
        match asked {
            Ok(Photos { photos }) => match photos.into_iter().next().and_then(|sizes| chosen(&sizes)) {
                Some(file) => self.remember(bot, user, file, now.plus(GOOD_FOR)),
                None => self.remember_none(bot, user, GOOD_FOR),
            },
            // Telegram's no to a question about this user.
            Err(CallError::Refused(_)) => self.remember_none(bot, user, GOOD_FOR),
            Err(error) => {
                let chain = Chain(&error);
                tracing::debug!(bot.id = %bot, "the picture of a client of bot {bot} could not be found out: {chain}");
                self.remember_none(bot, user, PAUSE)
            }
        }
    }

    fn remember(&self, bot: BotId, user: UserId, file: FileRef, until: Timestamp) -> Option<String> {
        let now = self.0.clock.now();
        let link = self.link_to(&Linked {
            bot,
            file: file.clone(),
            name: "avatar.jpg".to_owned(),
            mime: Some("image/jpeg".to_owned()),
            until: now.plus(self.0.lifetime),
        })?;
        let young_until = now.plus(self.0.lifetime / 2);
        let avatar = Avatar { file, link: link.clone(), until, young_until };
        self.0.avatars.0.put((bot, user), Some(avatar), now, until);
        Some(link)
    }

    fn remember_none(&self, bot: BotId, user: UserId, lasting: Duration) -> Option<String> {
        let now = self.0.clock.now();
        self.0.avatars.0.put((bot, user), None, now, now.plus(lasting));
        None
    }
}

/// The smallest size that is not too small, else the largest there is.
fn chosen(sizes: &[Size]) -> Option<FileRef> {
    let side = |size: &Size| size.width.min(size.height);
    let large_enough = |size: &&Size| side(size) >= LEAST_SIDE;
    let best = sizes.iter().filter(large_enough).min_by_key(|size| side(size));
    let best = best.or_else(|| sizes.iter().max_by_key(|size| side(size)))?;
    Some(FileRef { id: best.file_id.clone(), unique_id: best.file_unique_id.clone() })
}
