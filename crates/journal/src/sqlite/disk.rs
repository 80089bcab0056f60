//! The two watermarks and the reserve file (DESIGN section 3).
//!
//! Low: what can wait is refused. Last, or SQLite has met the end of the disk: the reserve file is deleted, so that
//! what comes only once still finds room. When there is space again, the reserve is laid down anew.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::FallocateFlags;

use super::{
    beside,
    options::{DiskSpace, Options, Watermarks},
};

/// How the disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Good,
    Low,
}

#[derive(Debug)]
pub(super) struct Disk {
    /// `None` under another VFS.
    directory: Option<PathBuf>,
    reserve: PathBuf,
    watermarks: Watermarks,
    space: Arc<dyn DiskSpace>,
}

impl Disk {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            directory: options.vfs.is_none().then(|| directory_of(&options.path)),
            reserve: beside(&options.path, ".reserve"),
            watermarks: options.watermarks,
            space: Arc::clone(&options.disk_space),
        }
    }

    pub(super) fn free_bytes(&self) -> Option<u64> {
        self.space.free_bytes(self.directory.as_deref()?)
    }

    /// Looks, frees the reserve at the last watermark, and lays it down when there is plenty.
    pub(super) fn look(&self) -> Level {
        let Some(free) = self.free_bytes() else { return Level::Good };
        if free < self.watermarks.last_bytes {
            self.release_reserve();
        }
        if free < self.watermarks.low_bytes {
            return Level::Low;
        }
        if free - self.watermarks.low_bytes >= self.watermarks.reserve_bytes
            && !self.has_reserve()
            && let Err(error) = self.lay_reserve()
        {
            tracing::warn!(%error, "the reserve file could not be made");
        }
        Level::Good
    }

    /// Deletes the reserve file; whether there was one.
    pub(super) fn release_reserve(&self) -> bool {
        if self.directory.is_none() {
            return false;
        }
        match fs::remove_file(&self.reserve) {
            Ok(()) => {
                tracing::error!(
                    "the disk is full: the reserve file was freed for what must be kept; free some space"
                );
                true
            }
            Err(_no_reserve) => false,
        }
    }

    fn has_reserve(&self) -> bool {
        self.watermarks.reserve_bytes == 0 || self.reserve.exists()
    }

    fn lay_reserve(&self) -> io::Result<()> {
        let result = self.fill_reserve();
        if result.is_err() {
            // A part of it would look like all of it.
            let _ = fs::remove_file(&self.reserve);
        }
        result
    }

    fn fill_reserve(&self) -> io::Result<()> {
        let mut file = File::create(&self.reserve)?;
        let size = self.watermarks.reserve_bytes;
        if rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, size).is_err() {
            // This file system cannot set space aside, so it is written; not with zeros, which some make holes of.
            io::copy(&mut io::repeat(0xA5).take(size), &mut file)?;
        }
        file.sync_all()
    }
}

/// The directory a file is in.
pub(super) fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
