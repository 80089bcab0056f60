//! `/file/bot<token>/<path>`.

use super::{Reply, Telegram};
use crate::telegram::{ApiError, Bot, files::StoredFile};

/// The content behind a path that `getFile` has opened less than an hour ago.
pub(super) fn download(telegram: &Telegram, bot: &Bot, path: &str) -> Reply {
    let content = telegram
        .files()
        .by_path(bot.id(), path, bot.clock.now_ms())
        .ok_or_else(ApiError::not_found)
        .and_then(|file: StoredFile| Ok(file.read()?));
    match content {
        Ok(content) => Reply::file(content),
        Err(error) => Reply::failure(&error),
    }
}
