//! A disk that has as much space as the test says.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tandem_journal::sqlite::DiskSpace;

/// Space left, as the store sees it.
#[derive(Debug)]
pub(crate) struct Disk(AtomicU64);

impl Disk {
    pub(crate) fn plenty() -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(1 << 40)))
    }

    /// Below the first watermark: what can wait is refused.
    pub(crate) fn runs_low(&self) {
        self.0.store(100 << 20, Ordering::SeqCst);
    }

    pub(crate) fn is_freed(&self) {
        self.0.store(1 << 40, Ordering::SeqCst);
    }
}

impl DiskSpace for Disk {
    fn free_bytes(&self, _directory: &Path) -> Option<u64> {
        Some(self.0.load(Ordering::SeqCst))
    }
}
