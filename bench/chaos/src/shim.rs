//! A slow or failing disk and a wrong clock for one process: a small library that is loaded into it (`shim.c`), and the
//! file by which it is told what to do.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, ensure};

/// The library's source.
const SOURCE: &str = include_str!("shim.c");
/// `EIO`, as a disk that fails says it.
const EIO: i64 = 5;

/// Where each number stands in the file.
#[derive(Debug, Clone, Copy)]
enum Number {
    AheadNs = 0,
    FrozenNs = 8,
    SyncDelayUs = 16,
    SyncError = 24,
}

/// The library, built, and its file.
#[derive(Debug)]
pub(crate) struct Shim {
    library: PathBuf,
    control: PathBuf,
    file: File,
}

impl Shim {
    /// Builds the library with the C compiler that SQLite is built with too.
    pub(crate) fn build(directory: &Path) -> anyhow::Result<Self> {
        let source = directory.join("shim.c");
        let library = directory.join("shim.so");
        std::fs::write(&source, SOURCE)?;
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&library, &source])
            .arg("-ldl")
            .output()
            .context("cc is needed to build a shim")?;
        ensure!(
            built.status.success(),
            "the shim cannot be built: {}",
            String::from_utf8_lossy(&built.stderr)
        );
        let control = directory.join("shim.control");
        std::fs::write(&control, [0_u8; 32])?;
        let file = File::options().read(true).write(true).open(&control)?;
        Ok(Self { library, control, file })
    }

    /// What a process's environment needs.
    pub(crate) fn environment(&self) -> [(&'static str, &Path); 2] {
        [("LD_PRELOAD", &self.library), ("CHAOS_SHIM", &self.control)]
    }

    /// The clock is ahead by so many milliseconds, or behind.
    pub(crate) fn clock_ahead(&self, millis: i64) -> anyhow::Result<()> {
        self.put(Number::AheadNs, millis.saturating_mul(1_000_000))
    }

    /// The clock stands still at this time, in milliseconds since 1970; it runs at 0.
    pub(crate) fn clock_frozen(&self, at_ms: i64) -> anyhow::Result<()> {
        self.put(Number::FrozenNs, at_ms.saturating_mul(1_000_000))
    }

    /// Every sync takes so much longer.
    pub(crate) fn slow_syncs(&self, delay: Duration) -> anyhow::Result<()> {
        self.put(Number::SyncDelayUs, i64::try_from(delay.as_micros())?)
    }

    /// Every sync fails.
    pub(crate) fn failing_syncs(&self, failing: bool) -> anyhow::Result<()> {
        self.put(Number::SyncError, if failing { EIO } else { 0 })
    }

    /// Everything is as it should be.
    pub(crate) fn heal(&self) -> anyhow::Result<()> {
        [Number::AheadNs, Number::FrozenNs, Number::SyncDelayUs, Number::SyncError]
            .into_iter()
            .try_for_each(|number| self.put(number, 0))
    }

    fn put(&self, number: Number, value: i64) -> anyhow::Result<()> {
        Ok(self.file.write_all_at(&value.to_ne_bytes(), number as u64)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_sees_the_clock_that_it_is_shown() {
        let directory = tempfile::tempdir().unwrap();
        let shim = Shim::build(directory.path()).unwrap();
        let year = || {
            let output = Command::new("date").args(["-u", "+%Y"]).envs(shim.environment()).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().parse::<i32>().unwrap()
        };
        let now = year();
        shim.clock_ahead(10 * 366 * 86_400_000).unwrap();
        assert!(year() >= now + 10);
        shim.clock_frozen(86_400_000).unwrap();
        assert_eq!(year(), 1970);
        shim.heal().unwrap();
        assert_eq!(year(), now);
    }

    #[test]
    fn a_program_sees_a_disk_that_fails() {
        let directory = tempfile::tempdir().unwrap();
        let shim = Shim::build(directory.path()).unwrap();
        let synced = || {
            let mut command = Command::new("dd");
            command.args(["if=/dev/zero", "bs=1", "count=1", "conv=fsync"]);
            command.arg(format!("of={}", directory.path().join("file").display()));
            command.envs(shim.environment()).output().unwrap().status.success()
        };
        assert!(synced());
        shim.failing_syncs(true).unwrap();
        assert!(!synced());
    }
}
