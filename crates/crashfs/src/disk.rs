//! The disk as tests use it.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{
    faults::Access,
    ffi::Registered,
    machine::{Losses, Machine, Step},
};

/// The files of a disk at some moment, by name. Another disk can begin with them.
#[derive(Debug, Clone, Default)]
pub struct Image(BTreeMap<String, Vec<u8>>);

impl Image {
    /// Names and sizes.
    pub fn sizes(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.iter().map(|(name, bytes)| (name.as_str(), bytes.len()))
    }

    /// What a file holds.
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }
}

/// A disk, registered with SQLite under a name of its own until it is dropped.
///
/// The same seed and the same operations in the same order make the same crash.
pub struct Disk {
    machine: Arc<Mutex<Machine>>,
    registered: Registered,
    seed: u64,
}

impl Disk {
    /// An empty disk. The seed also decides whether its sectors have 512 or 4096 bytes.
    pub fn new(seed: u64) -> Self {
        Self::with_image(seed, &Image::default())
    }

    /// A disk that has had these files, synced, for a while.
    pub fn with_image(seed: u64, image: &Image) -> Self {
        let sector = if seed.is_multiple_of(2) { 512 } else { 4096 };
        let machine = Arc::new(Mutex::new(Machine::new(seed, sector, &image.0)));
        Self { registered: Registered::new(&machine), machine, seed }
    }

    /// The name of the VFS, for `Connection::open_with_flags_and_vfs`.
    pub fn vfs(&self) -> &str {
        self.registered.name()
    }

    /// The seed it was made with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many steps there have been since the disk was made.
    pub fn steps(&self) -> u64 {
        self.machine().steps()
    }

    /// The latest step: after a crash that was armed, the one it happened at.
    pub fn last_step(&self) -> Option<Step> {
        self.machine().last_step()
    }

    /// Loses power at the so-manieth step from now (1 is the next one). A reboot disarms it.
    pub fn crash_after(&self, steps: u64) {
        self.machine().crash_after(steps);
    }

    /// Loses power now.
    pub fn crash(&self) {
        self.machine().crash();
    }

    /// Whether the power is off.
    pub fn has_crashed(&self) -> bool {
        !self.machine().has_power()
    }

    /// Power comes back, after it went now if it had not before: new handles work, earlier ones stay dead.
    pub fn reboot(&self) -> Losses {
        self.machine().reboot()
    }

    /// Everything so far has reached the platter, as it does when nothing happens for a minute.
    pub fn sync_everything(&self) {
        self.machine().sync_everything();
    }

    /// The files as programs see them now.
    pub fn image(&self) -> Image {
        Image(self.machine().live_files())
    }

    /// How many bytes files may still grow by; `None` is no limit. Deleted and shortened files give theirs back.
    pub fn leave_free(&self, bytes: Option<u64>) {
        self.machine().faults.free = bytes;
    }

    /// What [`Disk::leave_free`] has left.
    pub fn free(&self) -> Option<u64> {
        self.machine().faults.free
    }

    /// The next syncs fail, and what they should have kept is forgotten as Linux forgets it: a later sync
    /// succeeds without it.
    pub fn fail_syncs(&self, count: u32) {
        self.machine().faults.failing_syncs = count;
    }

    /// The next reads fail.
    pub fn fail_reads(&self, count: u32) {
        self.machine().faults.failing_reads = count;
    }

    /// The next reads return only half of what is there.
    pub fn shorten_reads(&self, count: u32) {
        self.machine().faults.short_reads = count;
    }

    /// Mounts it read-only, or back.
    pub fn set_access(&self, access: Access) {
        self.machine().faults.access = access;
    }

    /// Turns one bit of a file over, on the medium and in what is read. `false` if there is no such byte.
    pub fn flip_bit(&self, name: &str, byte: usize, bit: u8) -> bool {
        self.machine().flip_bit(name, byte, bit)
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("vfs", &self.vfs()).field("seed", &self.seed).finish_non_exhaustive()
    }
}
