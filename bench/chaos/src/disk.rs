//! A disk of a size of its own, that can be filled: a file system in memory, mounted for this program alone.
//!
//! Mounting takes rights. The program begins itself again in a mount namespace of its own ([`enter`]), so that nothing
//! is left behind however it ends; where that is not permitted, the database is in an ordinary directory and the disk
//! cannot be filled, which the verdict says.

use std::{
    fs::File,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::Context as _;
use rustix::fs::{FallocateFlags, fallocate, statvfs};

/// Said in the environment of a program that is in a namespace of its own.
const INSIDE: &str = "CHAOS_INSIDE";
/// Enough for the store's watermarks (200 MiB), its reserve file and what a run writes.
const SIZE: &str = "size=480m";

/// Where the database is.
#[derive(Debug)]
pub(crate) struct Disk {
    directory: PathBuf,
    mounted: bool,
}

/// Begins this program again where it may mount. Returns if that is not permitted, or done.
pub(crate) fn enter() {
    #[expect(clippy::disallowed_methods, reason = "not a setting: this program's word to itself")]
    let inside = std::env::var(INSIDE).is_ok();
    if inside {
        return;
    }
    for rights in [["--mount"].as_slice(), &["--map-root-user", "--mount"]] {
        let permitted = Command::new("unshare")
            .args(rights)
            .args(["mount", "-t", "tmpfs", "-o", SIZE, "tmpfs", "/mnt"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if permitted && let Ok(program) = std::env::current_exe() {
            let mut command = Command::new("unshare");
            command.args(rights).arg("--").arg(program).args(std::env::args_os().skip(1));
            // Comes back only if it fails; then the disk cannot be filled.
            let _failed = command.env(INSIDE, "1").exec();
        }
    }
}

impl Disk {
    /// Mounts it there, if that is permitted.
    pub(crate) fn mount(directory: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", SIZE, "tmpfs"])
            .arg(directory)
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        Ok(Self { directory: directory.to_owned(), mounted })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }

    /// Whether it can be filled.
    pub(crate) const fn can_be_filled(&self) -> bool {
        self.mounted
    }

    /// Leaves so many bytes free, by a file that nobody needs.
    pub(crate) fn leave(&self, free_bytes: u64) -> anyhow::Result<()> {
        if !self.mounted {
            return Ok(());
        }
        let stat = statvfs(&self.directory)?;
        let surplus = (stat.f_bavail * stat.f_frsize).saturating_sub(free_bytes);
        if surplus == 0 {
            return Ok(());
        }
        let file = File::options().create(true).append(true).open(self.ballast())?;
        let size = file.metadata()?.len();
        match fallocate(&file, FallocateFlags::empty(), size, surplus) {
            // Somebody else was faster: it is full, which was the point.
            Ok(()) | Err(rustix::io::Errno::NOSPC) => Ok(()),
            Err(error) => Err(error).context("the disk cannot be filled"),
        }
    }

    /// Gives all of it back.
    pub(crate) fn relieve(&self) {
        // It may not be there.
        let _ = std::fs::remove_file(self.ballast());
    }

    fn ballast(&self) -> PathBuf {
        self.directory.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            // The namespace takes it along in any case.
            let _ = Command::new("umount").arg("-l").arg(&self.directory).stderr(Stdio::null()).status();
        }
    }
}
