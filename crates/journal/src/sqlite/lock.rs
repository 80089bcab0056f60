//! One process per database: a lock file that a second process meets with a clear sentence.
//!
//! SQLite would let two processes write in turn; but numbers, leases and caches here live in the one that owns the
//! file.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::Path,
};

use super::{OpenError, beside};

/// Held as long as the database is open; the operating system lets go of it when the process dies.
#[derive(Debug)]
pub(super) struct ProcessLock(#[expect(dead_code, reason = "an open file is what holds the lock")] File);

impl ProcessLock {
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let path = beside(database, ".lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| OpenError::of_io(database, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The process id is a courtesy: without it the sentence is only shorter.
                let _ = file.take(20).read_to_string(&mut text);
                return Err(OpenError::Locked {
                    path: database.to_owned(),
                    process: text.trim().parse().ok(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(OpenError::of_io(database, error)),
        }
        note_process(&mut file).map_err(|error| OpenError::of_io(database, error))?;
        Ok(Self(file))
    }
}

fn note_process(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}
