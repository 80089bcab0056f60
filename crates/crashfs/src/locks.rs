//! The locks of one file between the connections of one process: SQLite's five levels, by its rules.

use std::collections::BTreeMap;

use rusqlite::ffi;

/// One open handle. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HandleId(pub(crate) u64);

/// SQLite's levels of a file lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

impl Level {
    /// From SQLite's number; unknown numbers ask for the strongest.
    pub(crate) fn from_sqlite(level: i32) -> Self {
        match level {
            ffi::SQLITE_LOCK_NONE => Self::None,
            ffi::SQLITE_LOCK_SHARED => Self::Shared,
            ffi::SQLITE_LOCK_RESERVED => Self::Reserved,
            ffi::SQLITE_LOCK_PENDING => Self::Pending,
            _ => Self::Exclusive,
        }
    }
}

/// Somebody else's lock is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// Who holds which lock of a file.
#[derive(Debug, Default)]
pub(crate) struct FileLocks(BTreeMap<HandleId, Level>);

impl FileLocks {
    pub(crate) fn raise(&mut self, handle: HandleId, wanted: Level) -> Result<(), Busy> {
        if self.level(handle) >= wanted {
            return Ok(());
        }
        let others = self.strongest_of_others(handle);
        let in_the_way = match wanted {
            Level::None => false,
            Level::Shared => others >= Level::Pending,
            Level::Reserved | Level::Pending | Level::Exclusive => others >= Level::Reserved,
        };
        if in_the_way {
            return Err(Busy);
        }
        if wanted == Level::Exclusive && others >= Level::Shared {
            // Waits for the readers to leave and keeps new ones out meanwhile.
            self.0.insert(handle, Level::Pending);
            return Err(Busy);
        }
        self.0.insert(handle, wanted);
        Ok(())
    }

    pub(crate) fn lower(&mut self, handle: HandleId, to: Level) {
        if to == Level::None {
            self.0.remove(&handle);
        } else if self.level(handle) > to {
            self.0.insert(handle, to);
        }
    }

    /// Whether anybody means to write.
    pub(crate) fn is_reserved(&self) -> bool {
        self.0.values().any(|level| *level >= Level::Reserved)
    }

    fn level(&self, handle: HandleId) -> Level {
        self.0.get(&handle).copied().unwrap_or(Level::None)
    }

    fn strongest_of_others(&self, handle: HandleId) -> Level {
        let others = self.0.iter().filter(|(holder, _)| **holder != handle);
        others.map(|(_, level)| *level).max().unwrap_or(Level::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writer_waits_for_readers_and_keeps_new_ones_out() {
        let (a, b, c) = (HandleId(1), HandleId(2), HandleId(3));
        let mut locks = FileLocks::default();
        locks.raise(a, Level::Shared).unwrap();
        locks.raise(b, Level::Shared).unwrap();
        locks.raise(a, Level::Reserved).unwrap();
        assert!(locks.is_reserved());
        assert_eq!(locks.raise(b, Level::Reserved), Err(Busy));
        assert_eq!(locks.raise(a, Level::Exclusive), Err(Busy));
        assert_eq!(locks.raise(c, Level::Shared), Err(Busy), "a pending writer keeps new readers out");
        locks.lower(b, Level::None);
        locks.raise(a, Level::Exclusive).unwrap();
        locks.lower(a, Level::Shared);
        locks.raise(c, Level::Shared).unwrap();
        assert!(!locks.is_reserved());
    }
}
