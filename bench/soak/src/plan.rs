//! What a soak consists of.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

/// How much of everything there is. The defaults are the long run's.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// How long clients write.
    #[arg(long, default_value_t = 60)]
    pub(crate) minutes: u64,
    /// How many messages clients write, instead of a time.
    #[arg(long)]
    pub(crate) messages: Option<u64>,
    /// Bots.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) bots: usize,
    /// Of them, so many are polled at Telegram; it posts the updates of the others.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) polling: usize,
    /// Of the bots, so many have clients that write [default: one in a hundred, at least eight].
    #[arg(long)]
    pub(crate) active: Option<usize>,
    /// Messages of clients in a second, over all active bots.
    #[arg(long, default_value_t = 100)]
    pub(crate) rate: u64,
    /// Events of one bot that a route has not got when the clients begin, because its destination is down.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) backlog: u64,
    /// How often it is measured while clients write.
    #[arg(long, default_value_t = 360)]
    pub(crate) samples: u64,
    /// Growth that counts as noise, in multiples of the long run's: one of seconds is all warm-up.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) noise: f64,
    /// Do not measure what idle bots cost: have all of them at once.
    #[arg(long)]
    pub(crate) at_once: bool,
    /// Decides tokens, ids and what the sandbox makes up.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Tandem's own program, if this one is not to stand for it.
    #[arg(long, value_name = "FILE")]
    pub(crate) tandem: Option<PathBuf>,
    /// Where the database is. It should be a disk.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    pub(crate) directory: PathBuf,
}

impl Plan {
    /// One more update for the bot with the backlog, at so many messages of clients.
    const MESSAGES_FOR_ONE_OF_THE_BACKLOG: u64 = 10;
    /// One more for the bot whose route never keeps up.
    const MESSAGES_FOR_ONE_OF_THE_SLOW: u64 = 40;

    /// Bots whose clients write: the special ones, some of each kind of app, some with a route.
    pub(crate) fn active(&self) -> usize {
        self.active.unwrap_or((self.bots / 100).max(8)).min(self.bots)
    }

    /// Messages that clients write.
    pub(crate) fn messages(&self) -> u64 {
        self.messages.unwrap_or(self.minutes * 60 * self.rate)
    }

    /// Updates that the bot with the backlog gets while clients write, and how many a second.
    pub(crate) fn more_backlog(&self) -> (u64, f64) {
        self.share(Self::MESSAGES_FOR_ONE_OF_THE_BACKLOG)
    }

    /// Messages for the bot whose route does not keep up, and how many a second.
    pub(crate) fn for_the_slow(&self) -> (u64, f64) {
        self.share(Self::MESSAGES_FOR_ONE_OF_THE_SLOW)
    }

    /// One in so many messages.
    #[expect(clippy::cast_precision_loss, reason = "rates are small")]
    fn share(&self, of: u64) -> (u64, f64) {
        (self.messages() / of, self.rate as f64 / of as f64)
    }

    /// What the journal of the bot with the backlog may hold: hardly more than the backlog, so that what comes on top
    /// pushes the oldest out while the soak goes on.
    pub(crate) fn max_bytes(&self, of_an_update: u64) -> u64 {
        (self.backlog + self.backlog / 200 + 100) * of_an_update
    }
}
