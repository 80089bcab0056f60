//! Names of files: as programs see them, as the platter has them, and every change between the two.
//!
//! A new name, or the absence of a deleted one, is durable once its directory was synced, which SQLite does with
//! the first sync of a journal and, where it is asked to, after a deletion.

use std::{collections::BTreeMap, mem};

use rand::{RngExt, rngs::StdRng};

/// One file, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileId(pub(crate) u64);

#[derive(Debug, Clone)]
enum Change {
    Create(String, FileId),
    Delete(String),
}

impl Change {
    fn name(&self) -> &str {
        match self {
            Self::Create(name, _) | Self::Delete(name) => name,
        }
    }

    fn apply(self, names: &mut BTreeMap<String, FileId>) {
        match self {
            Self::Create(name, file) => names.insert(name, file),
            Self::Delete(name) => names.remove(&name),
        };
    }
}

/// All names of a disk.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    live: BTreeMap<String, FileId>,
    synced: BTreeMap<String, FileId>,
    pending: Vec<Change>,
}

impl Directory {
    /// Names that have been on the disk for a while.
    pub(crate) fn on_disk(names: BTreeMap<String, FileId>) -> Self {
        Self { live: names.clone(), synced: names, pending: Vec::new() }
    }

    /// Name and file, as programs see them.
    pub(crate) fn live(&self) -> &BTreeMap<String, FileId> {
        &self.live
    }

    pub(crate) fn find(&self, name: &str) -> Option<FileId> {
        self.live.get(name).copied()
    }

    pub(crate) fn create(&mut self, name: &str, file: FileId) {
        self.live.insert(name.to_owned(), file);
        self.pending.push(Change::Create(name.to_owned(), file));
    }

    /// `false` when there is no such name.
    pub(crate) fn delete(&mut self, name: &str) -> bool {
        let existed = self.live.remove(name).is_some();
        if existed {
            self.pending.push(Change::Delete(name.to_owned()));
        }
        existed
    }

    /// Syncs the directory in which `name` stands.
    pub(crate) fn sync_around(&mut self, name: &str) {
        let directory = parent(name);
        for change in mem::take(&mut self.pending) {
            if parent(change.name()) == directory {
                change.apply(&mut self.synced);
            } else {
                self.pending.push(change);
            }
        }
    }

    /// Syncs every directory.
    pub(crate) fn sync(&mut self) {
        for change in mem::take(&mut self.pending) {
            change.apply(&mut self.synced);
        }
    }

    /// The power goes: each pending change is there or not. Returns how many are not.
    pub(crate) fn crash(&mut self, rng: &mut StdRng) -> usize {
        let mut lost = 0;
        let kept = [0.0, 0.5, 1.0][rng.random_range(0..3_usize)];
        for change in mem::take(&mut self.pending) {
            if rng.random_bool(kept) {
                change.apply(&mut self.synced);
            } else {
                lost += 1;
            }
        }
        self.live.clone_from(&self.synced);
        lost
    }
}

fn parent(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(directory, _)| directory)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn names_after_crashes(change: impl Fn(&mut Directory)) -> Vec<Vec<String>> {
        (0..100)
            .map(|seed| {
                let mut directory = Directory::on_disk([("/a/old".to_owned(), FileId(0))].into());
                change(&mut directory);
                directory.crash(&mut StdRng::seed_from_u64(seed));
                directory.live().keys().cloned().collect()
            })
            .collect()
    }

    #[test]
    fn names_are_durable_once_their_directory_is_synced() {
        let change = |directory: &mut Directory| {
            directory.create("/a/new", FileId(1));
            assert!(directory.delete("/a/old"));
            assert!(!directory.delete("/a/old"));
        };
        let left = names_after_crashes(change);
        for wanted in [&["/a/old"][..], &["/a/new"], &[], &["/a/new", "/a/old"]] {
            assert!(left.iter().any(|names| names == wanted), "{wanted:?} must be possible");
        }
        let left = names_after_crashes(|directory| {
            change(directory);
            directory.sync_around("/a/anything");
        });
        assert!(left.iter().all(|names| names == &["/a/new"]));
        let left = names_after_crashes(|directory| {
            change(directory);
            directory.sync_around("/b/anything");
        });
        assert!(left.iter().any(|names| names != &["/a/new"]), "another directory's sync must not count");
    }
}
