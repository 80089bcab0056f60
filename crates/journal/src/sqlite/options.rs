//! How the engine is opened.

use std::{fmt, path::Path, path::PathBuf, sync::Arc};

/// How the engine is opened. [`Options::new`] has what production uses.
#[derive(Debug, Clone)]
pub struct Options {
    /// The database file. Made when there is none. Beside it stand SQLite's own `-wal` and `-shm`, and our `.lock`
    /// and `.reserve`.
    pub path: PathBuf,
    /// Another SQLite VFS, by name, for tests. With it there is no lock file, no reserve file and no look at the
    /// disk: its files need not be in the file system at all.
    pub vfs: Option<String>,
    /// When a commit counts as durable.
    pub synchronous: Synchronous,
    /// What is done when the disk runs full.
    pub watermarks: Watermarks,
    /// Threads that read.
    pub readers: usize,
    /// How much of one bot may wait for its commit; what comes then is refused as
    /// [`Crowded`](crate::WriteError::Crowded).
    pub waiting_per_bot: Waiting,
    /// How many bytes of the journals' ends are kept in memory for lanes that keep up, over all bots; 0: none.
    pub tail_bytes: usize,
    /// Who is asked how much space is left.
    pub disk_space: Arc<dyn DiskSpace>,
    /// A file up to this size is checked as a whole before it is opened, a larger one while it is in use already.
    pub check_before_open_bytes: u64,
}

impl Options {
    /// As production uses it.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            vfs: None,
            synchronous: Synchronous::Full,
            watermarks: Watermarks::default(),
            readers: 2,
            waiting_per_bot: Waiting::default(),
            tail_bytes: 2 << 20,
            disk_space: Arc::new(FileSystem),
            check_before_open_bytes: 8 << 20,
        }
    }
}

/// When a commit counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronous {
    /// When the disk has confirmed it.
    Full,
    /// When the operating system has it. A power failure loses commits: for the negative control of the
    /// durability tests only.
    Off,
}

/// Bounds of what waits for its commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Appends and inbox entries.
    pub writes: usize,
    /// Bytes of their bodies. One write is taken whatever its size.
    pub bytes: usize,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { writes: 1024, bytes: 16 << 20 }
    }
}

/// What is done when the disk runs full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watermarks {
    /// With less space left than this, what can wait is refused.
    pub low_bytes: u64,
    /// With less than this, the reserve file is freed for what must be kept.
    pub last_bytes: u64,
    /// The size of the reserve file; 0 for none.
    pub reserve_bytes: u64,
}

impl Default for Watermarks {
    fn default() -> Self {
        Self { low_bytes: 200 << 20, last_bytes: 32 << 20, reserve_bytes: 32 << 20 }
    }
}

/// Who knows how much space is left.
pub trait DiskSpace: fmt::Debug + Send + Sync {
    /// Bytes that this process can still write in the directory; `None` when it cannot be said.
    fn free_bytes(&self, directory: &Path) -> Option<u64>;
}

/// Asks the file system.
#[derive(Debug, Clone, Copy)]
pub struct FileSystem;

impl DiskSpace for FileSystem {
    fn free_bytes(&self, directory: &Path) -> Option<u64> {
        let stat = rustix::fs::statvfs(directory).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}
