//! The simulated machine behind a disk: its files and their names, its power, its faults, and the count of
//! everything that changes something. No SQLite here, and no unsafe code.

use std::{collections::BTreeMap, sync::Arc};

use rand::{Rng as _, SeedableRng, rngs::StdRng};

use crate::{
    contents::Contents,
    directory::{Directory, FileId},
    faults::{Access, Faults, strikes},
    locks::{FileLocks, HandleId},
    shm::{Region, Shm},
};

/// An operation that changes something, and at which a crash can therefore be armed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// A write to a named file.
    Write,
    /// A new length of a named file.
    Truncate,
    /// A sync of a named file.
    Sync,
    /// A file got a name.
    Create,
    /// A file lost its name.
    Delete,
}

/// What a crash met and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Losses {
    /// Changes of files that no sync had covered.
    pub unsynced: usize,
    /// Of those, the ones that are gone.
    pub lost: usize,
    /// Of those, the writes of which some sectors may be there.
    pub torn: usize,
    /// Names that are missing, or back.
    pub names: usize,
}

impl Losses {
    fn add(&mut self, other: Self) {
        self.unsynced += other.unsynced;
        self.lost += other.lost;
        self.torn += other.torn;
        self.names += other.names;
    }
}

/// Why an operation was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No power, a handle from before the last boot, or a fault that was asked for.
    Io,
    Full,
    ReadOnly,
    Missing,
}

/// An open file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opened {
    pub(crate) handle: HandleId,
    pub(crate) file: FileId,
    boot: u64,
    pub(crate) access: Access,
}

/// How to open a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenMode {
    pub(crate) access: Access,
    pub(crate) create: bool,
    pub(crate) must_be_new: bool,
}

/// A named file is on the disk; a temporary one has no name, and its changes are no steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Named,
    Temporary,
}

#[derive(Debug)]
struct File {
    place: Place,
    contents: Contents,
    locks: FileLocks,
    shm: Shm,
}

impl File {
    fn new(place: Place, contents: Contents) -> Self {
        Self { place, contents, locks: FileLocks::default(), shm: Shm::default() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    On,
    Off(Losses),
}

/// The machine.
#[derive(Debug)]
pub(crate) struct Machine {
    rng: StdRng,
    sector: usize,
    power: Power,
    boot: u64,
    next_id: u64,
    steps: u64,
    crash_at: Option<u64>,
    last_step: Option<Step>,
    files: BTreeMap<FileId, File>,
    directory: Directory,
    pub(crate) faults: Faults,
}

impl Machine {
    /// A machine whose disk has had these files for a while.
    pub(crate) fn new(seed: u64, sector: usize, files: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut names = BTreeMap::new();
        let mut stored = BTreeMap::new();
        for (id, (name, bytes)) in (0..).map(FileId).zip(files) {
            names.insert(name.clone(), id);
            stored.insert(id, File::new(Place::Named, Contents::on_disk(bytes.clone())));
        }
        Self {
            rng: StdRng::seed_from_u64(seed),
            sector,
            power: Power::On,
            boot: 0,
            next_id: files.len() as u64,
            steps: 0,
            crash_at: None,
            last_step: None,
            files: stored,
            directory: Directory::on_disk(names),
            faults: Faults::default(),
        }
    }

    // Power.

    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    pub(crate) fn last_step(&self) -> Option<Step> {
        self.last_step
    }

    pub(crate) fn crash_after(&mut self, steps: u64) {
        self.crash_at = Some(self.steps + steps);
    }

    pub(crate) fn has_power(&self) -> bool {
        self.power == Power::On
    }

    pub(crate) fn crash(&mut self) {
        if self.power != Power::On {
            return;
        }
        let mut losses = Losses { names: self.directory.crash(&mut self.rng), ..Losses::default() };
        for file in self.files.values_mut().filter(|file| file.place == Place::Named) {
            losses.add(file.contents.crash(&mut self.rng, self.sector));
        }
        self.power = Power::Off(losses);
    }

    pub(crate) fn reboot(&mut self) -> Losses {
        self.crash();
        let Power::Off(losses) = self.power else { return Losses::default() };
        self.power = Power::On;
        self.boot += 1;
        self.crash_at = None;
        let named: Vec<FileId> = self.directory.live().values().copied().collect();
        self.files.retain(|id, _| named.contains(id));
        for file in self.files.values_mut() {
            file.locks = FileLocks::default();
            file.shm = Shm::default();
        }
        losses
    }

    pub(crate) fn sync_everything(&mut self) {
        self.directory.sync();
        for file in self.files.values_mut() {
            file.contents.sync();
        }
    }

    // Names.

    pub(crate) fn open(&mut self, name: Option<&str>, mode: OpenMode) -> Result<Opened, Refusal> {
        self.powered()?;
        let found = name.and_then(|name| self.directory.find(name));
        let read_only = mode.access == Access::ReadOnly || self.faults.access == Access::ReadOnly;
        let (file, access) = match (found, name) {
            (Some(_), _) if mode.must_be_new => return Err(Refusal::Io),
            (Some(file), _) => (file, if read_only { Access::ReadOnly } else { Access::ReadWrite }),
            (None, Some(_)) if !mode.create => return Err(Refusal::Missing),
            (None, Some(_)) if read_only => return Err(Refusal::ReadOnly),
            (None, name) => (self.create(name)?, Access::ReadWrite),
        };
        Ok(Opened { handle: HandleId(self.new_id()), file, boot: self.boot, access })
    }

    fn create(&mut self, name: Option<&str>) -> Result<FileId, Refusal> {
        let id = FileId(self.new_id());
        let place = if name.is_some() { Place::Named } else { Place::Temporary };
        self.files.insert(id, File::new(place, Contents::default()));
        if let Some(name) = name {
            self.directory.create(name, id);
            self.count(Step::Create)?;
        }
        Ok(id)
    }

    pub(crate) fn delete(&mut self, name: &str, sync_directory: bool) -> Result<(), Refusal> {
        self.powered()?;
        self.writable()?;
        let file = self.directory.find(name).ok_or(Refusal::Missing)?;
        self.directory.delete(name);
        self.release(self.files.get(&file).map_or(0, |file| file.contents.live().len()));
        self.count(Step::Delete)?;
        if sync_directory {
            self.count(Step::Sync)?;
            self.directory.sync_around(name);
        }
        Ok(())
    }

    pub(crate) fn exists(&self, name: &str) -> Result<bool, Refusal> {
        self.powered()?;
        Ok(self.directory.find(name).is_some())
    }

    pub(crate) fn close(&mut self, opened: Opened) {
        if self.alive(opened).is_err() {
            return;
        }
        if let Some(file) = self.files.get_mut(&opened.file) {
            file.locks.lower(opened.handle, crate::locks::Level::None);
            file.shm.unmap(opened.handle);
            if file.place == Place::Temporary {
                self.files.remove(&opened.file);
            }
        }
    }

    /// What stands on the disk as programs see it.
    pub(crate) fn live_files(&self) -> BTreeMap<String, Vec<u8>> {
        let bytes = |id: &FileId| self.files.get(id).map(|file| file.contents.live().to_vec());
        self.directory.live().iter().filter_map(|(name, id)| Some((name.clone(), bytes(id)?))).collect()
    }

    pub(crate) fn flip_bit(&mut self, name: &str, at: usize, bit: u8) -> bool {
        let file = self.directory.find(name).and_then(|id| self.files.get_mut(&id));
        file.is_some_and(|file| file.contents.flip_bit(at, bit))
    }

    // Bytes.

    /// Fills the buffer and says how much of it the file had; the rest is zeros.
    pub(crate) fn read(&mut self, opened: Opened, buffer: &mut [u8], at: usize) -> Result<usize, Refusal> {
        self.alive(opened)?;
        if strikes(&mut self.faults.failing_reads) {
            return Err(Refusal::Io);
        }
        let short = strikes(&mut self.faults.short_reads);
        let live = self.file(opened)?.contents.live();
        let mut bytes = live.get(at..).unwrap_or_default();
        bytes = &bytes[..bytes.len().min(if short { buffer.len() / 2 } else { buffer.len() })];
        buffer[..bytes.len()].copy_from_slice(bytes);
        buffer[bytes.len()..].fill(0);
        Ok(bytes.len())
    }

    pub(crate) fn write(&mut self, opened: Opened, bytes: &[u8], at: usize) -> Result<(), Refusal> {
        self.alive(opened)?;
        self.writable()?;
        let len = self.file(opened)?.contents.live().len();
        let growth = (at + bytes.len()).saturating_sub(len) as u64;
        let room = self.faults.free.unwrap_or(u64::MAX).min(growth);
        let missing = usize::try_from(growth - room).unwrap_or(usize::MAX);
        let fitting = &bytes[..bytes.len().saturating_sub(missing)];
        if !fitting.is_empty() {
            self.faults.free = self.faults.free.map(|free| free - room);
            self.file(opened)?.contents.write(at, fitting);
            self.count_in(opened, Step::Write)?;
        }
        if missing > 0 { Err(Refusal::Full) } else { Ok(()) }
    }

    pub(crate) fn truncate(&mut self, opened: Opened, len: usize) -> Result<(), Refusal> {
        self.alive(opened)?;
        self.writable()?;
        let file = self.file(opened)?;
        let freed = file.contents.live().len().saturating_sub(len);
        file.contents.resize(len);
        self.release(freed);
        self.count_in(opened, Step::Truncate)
    }

    /// Syncs the file and, with a name, the directory in which it stands.
    pub(crate) fn sync(&mut self, opened: Opened, directory_of: Option<&str>) -> Result<(), Refusal> {
        self.alive(opened)?;
        self.count_in(opened, Step::Sync)?;
        if strikes(&mut self.faults.failing_syncs) {
            let Self { rng, sector, files, .. } = self;
            if let Some(file) = files.get_mut(&opened.file) {
                file.contents.fail_sync(rng, *sector);
            }
            return Err(Refusal::Io);
        }
        self.file(opened)?.contents.sync();
        if let Some(name) = directory_of {
            self.count_in(opened, Step::Sync)?;
            self.directory.sync_around(name);
        }
        Ok(())
    }

    pub(crate) fn len(&mut self, opened: Opened) -> Result<usize, Refusal> {
        self.alive(opened)?;
        Ok(self.file(opened)?.contents.live().len())
    }

    // Locks and shared memory.

    pub(crate) fn locks(&mut self, opened: Opened) -> Result<&mut FileLocks, Refusal> {
        self.alive(opened)?;
        Ok(&mut self.file(opened)?.locks)
    }

    pub(crate) fn shm(&mut self, opened: Opened) -> Result<&mut Shm, Refusal> {
        self.alive(opened)?;
        Ok(&mut self.file(opened)?.shm)
    }

    pub(crate) fn map_shm(
        &mut self,
        opened: Opened,
        number: usize,
        size: usize,
        extend: bool,
    ) -> Result<Option<Arc<Region>>, Refusal> {
        let read_only = self.faults.access == Access::ReadOnly;
        let region = self.shm(opened)?.map(opened.handle, number, size, extend && !read_only);
        // Read-only and nobody here to share it with: the file that would hold it cannot be made.
        if region.is_none() && extend { Err(Refusal::ReadOnly) } else { Ok(region) }
    }

    pub(crate) fn randomness(&mut self, buffer: &mut [u8]) {
        self.rng.fill_bytes(buffer);
    }

    // Checks.

    fn powered(&self) -> Result<(), Refusal> {
        if self.has_power() { Ok(()) } else { Err(Refusal::Io) }
    }

    fn alive(&self, opened: Opened) -> Result<(), Refusal> {
        self.powered()?;
        if opened.boot == self.boot { Ok(()) } else { Err(Refusal::Io) }
    }

    fn writable(&self) -> Result<(), Refusal> {
        match self.faults.access {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly => Err(Refusal::ReadOnly),
        }
    }

    fn file(&mut self, opened: Opened) -> Result<&mut File, Refusal> {
        self.files.get_mut(&opened.file).ok_or(Refusal::Io)
    }

    fn release(&mut self, bytes: usize) {
        self.faults.free = self.faults.free.map(|free| free.saturating_add(bytes as u64));
    }

    fn count_in(&mut self, opened: Opened, step: Step) -> Result<(), Refusal> {
        match self.file(opened)?.place {
            Place::Named => self.count(step),
            Place::Temporary => Ok(()),
        }
    }

    /// Counts a step and loses power if this is the one. Changes are made before they are counted, so that the
    /// crash decides about them too; syncs after, for one that is interrupted has promised nothing.
    fn count(&mut self, step: Step) -> Result<(), Refusal> {
        self.steps += 1;
        self.last_step = Some(step);
        if self.crash_at == Some(self.steps) {
            self.crash();
        }
        self.powered()
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }
}
