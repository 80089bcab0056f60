//! What a disk can do wrong without losing power.

/// Whether a disk takes writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// It does.
    #[default]
    ReadWrite,
    /// Mounted read-only: files open for reading, and every change to an open file fails.
    ReadOnly,
}

/// The faults that are set. Counted ones go away by themselves.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) access: Access,
    /// How many bytes files may still grow by.
    pub(crate) free: Option<u64>,
    pub(crate) failing_syncs: u32,
    pub(crate) failing_reads: u32,
    pub(crate) short_reads: u32,
}

/// Takes one from a counter of faults; `true` when there was one.
pub(crate) fn strikes(counter: &mut u32) -> bool {
    let strikes = *counter > 0;
    *counter = counter.saturating_sub(1);
    strikes
}
