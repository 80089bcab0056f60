//! Getting the files that managers send.
//!
//! **What is fetched, and from where**: from addresses that the account's rule allows, by https (by http too where the
//! operator allows private addresses), each redirect looked at like the first address and three of them at most. What
//! an address stands for is asked about when it is connected to. At most so many bytes, within so much time.
//!
//! **How**: a file whose length its server says goes to Telegram while it comes, so memory is flat whatever its size; one
//! without a length, or one of several, goes through an unnamed file on disk, which is gone with the process. Its
//! beginning is looked at first, since it decides as what the file is sent.

mod fetch;
mod source;
mod spool;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use tandem_model::BotId;
use tandem_telegram::upstream::{AddressGuard, Fetcher, FileStream, Roots, SetUpError};
use url::Url;

pub(super) use self::source::Source;

/// Says from where the files of managers may be fetched.
pub trait FileRule: fmt::Debug + Send + Sync {
    /// Whether a file at this address may be fetched for a manager who came by this route of the bot. Whatever the
    /// address stands for is looked at besides.
    fn may_fetch(&self, bot: BotId, route: &str, url: &Url) -> bool;
}

/// How the files of managers are fetched.
#[derive(Debug, Clone)]
pub struct FileConfig {
    /// From where; `None` for where the accounts of the bots' routes have them.
    pub rule: Option<Arc<dyn FileRule>>,
    /// Largest file: more than Telegram takes is not worth fetching.
    pub max_bytes: u64,
    /// How long connecting may take.
    pub connect: Duration,
    /// How long nothing may come.
    pub idle: Duration,
    /// How long a file may take altogether.
    pub whole: Duration,
    /// Where files go whose length is not known before; `None` for the system's folder for such.
    pub spool: Option<PathBuf>,
}

impl Default for FileConfig {
    fn default() -> Self {
        Self {
            rule: None,
            max_bytes: 50 << 20,
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            whole: Duration::from_mins(5),
            spool: None,
        }
    }
}

/// Gets files.
pub(super) struct Files {
    config: FileConfig,
    rule: Arc<dyn FileRule>,
    roots: Roots,
    guard: Option<Arc<dyn AddressGuard>>,
    /// Made for the first file: many bots never get one, and trusted certificates take memory.
    fetcher: OnceLock<Fetcher>,
}

/// A file that is there, or on its way.
pub(super) struct OpenFile {
    /// Its beginning, which `content` has too.
    pub(super) head: Bytes,
    /// Its size.
    pub(super) size_bytes: u64,
    /// All of it.
    pub(super) content: FileStream,
}

/// Why a file is not there. For people: without the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileTrouble {
    /// It may be there later.
    Later(String),
    /// It will never be.
    Never(String),
}

impl Files {
    pub(super) const fn new(
        config: FileConfig,
        rule: Arc<dyn FileRule>,
        roots: Roots,
        guard: Option<Arc<dyn AddressGuard>>,
    ) -> Self {
        Self { config, rule, roots, guard, fetcher: OnceLock::new() }
    }

    fn fetcher(&self) -> Result<&Fetcher, SetUpError> {
        if let Some(fetcher) = self.fetcher.get() {
            return Ok(fetcher);
        }
        let fetcher = Fetcher::new(&self.roots, self.guard.clone(), self.config.connect)?;
        Ok(self.fetcher.get_or_init(|| fetcher))
    }
}

impl FileTrouble {
    fn never(words: &str) -> Self {
        Self::Never(words.to_owned())
    }

    fn later(words: impl Into<String>) -> Self {
        Self::Later(words.into())
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("config", &self.config).finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenFile").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}
