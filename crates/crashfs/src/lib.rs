//! A disk for tests that forgets at a crash whatever it was not asked to keep.
//!
//! `kill -9` loses no write that the kernel has accepted, so it says nothing about fsync. A [`Disk`] is an SQLite
//! VFS that keeps its files in memory and remembers, for each of them, what was synced and every change since.
//! A crash ([`Disk::crash_after`], [`Disk::crash`]) draws from the disk's seed which of the unsynced changes
//! survive: none, all, the first few, any subset; a write may survive in part, torn at the boundaries of sectors.
//! The end of a file may be left holding zeros or rubbish, and files created or deleted without a sync of their
//! directory may be missing or back. Until [`Disk::reboot`] every operation fails, and handles opened before it
//! stay dead, as after a power cut.
//!
//! Besides crashes it has the faults a store must survive: a full disk, a failing fsync (whose pages the kernel
//! drops, so that a later fsync succeeds without them), failing and short reads, a read-only disk, flipped bits.
//!
//! What SQLite is told of the disk is what its own VFS tells it on Linux: sectors of 4096 bytes and
//! `POWERSAFE_OVERWRITE` (a torn write harms no byte outside of it). Locks and the shared memory of the WAL work
//! between the connections of one process.
//!
//! It deliberately has no mmap, no atomic batch writes and no tree of directories: a directory is whatever stands
//! before the last slash of a path. Tests alone use it; the product has no dependency on it.

mod contents;
mod directory;
mod disk;
mod faults;
mod ffi;
mod locks;
mod machine;
mod shm;

pub use disk::{Disk, Image};
pub use faults::Access;
pub use machine::{Losses, Step};
