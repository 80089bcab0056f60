//! Where Telegram has a file: `getFile`, remembered for as long as its answer is good.

use std::{sync::Arc, time::Duration};

use serde::Deserialize;
use tandem_model::BotId;
use tandem_telegram::{params::Params, token::Token, upstream::CallError};

use super::{Media, bounded::Bounded};

/// Telegram promises an hour.
const GOOD_FOR: Duration = Duration::from_mins(50);
/// How many are remembered: some 300 bytes each.
const MOST: usize = 4096;

/// Files that were looked for, by bot and id.
#[derive(Debug)]
pub(super) struct Paths(Bounded<(BotId, String), Arc<Found>>);

impl Default for Paths {
    fn default() -> Self {
        Self(Bounded::new(MOST))
    }
}

/// A file at Telegram.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    #[serde(rename = "file_path")]
    pub(super) path: String,
    #[serde(rename = "file_size")]
    pub(super) size: Option<u64>,
}

/// Whether what is said of a file was asked for just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    Asked,
    Remembered,
}

impl Media {
    /// Where a bot's file is.
    pub(super) async fn find_path(
        &self,
        token: &Token,
        file_id: &str,
    ) -> Result<(Arc<Found>, Freshness), CallError> {
        let key = (token.bot(), file_id.to_owned());
        if let Some(found) = self.0.paths.0.get(&key, self.0.clock.now()) {
            return Ok((found, Freshness::Remembered));
        }
        let params = Params::of([("file_id", file_id.to_owned())]);
        let result = self.0.upstream.call(token, "getFile", &params).await?;
        let found: Found =
            serde_json::from_slice(&result).map_err(|_malformed| CallError::UnexpectedResult)?;
        let (found, now) = (Arc::new(found), self.0.clock.now());
        self.0.paths.0.put(key, Arc::clone(&found), now, now.plus(GOOD_FOR));
        Ok((found, Freshness::Asked))
    }

    /// It is not there any more.
    pub(super) fn forget_path(&self, bot: BotId, file_id: &str) {
        self.0.paths.0.forget(&(bot, file_id.to_owned()));
    }
}
