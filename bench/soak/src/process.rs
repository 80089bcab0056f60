//! The processes of a soak, and what the kernel tells of one.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

/// What this program is called when it is Tandem.
pub(crate) const TANDEM: &str = "tandem";

/// How long a start may take, with every bot there is.
const READY_WITHIN: Duration = Duration::from_mins(5);

/// Tandem's program in a directory of its own.
pub(crate) fn tandem(program: Option<&Path>, directory: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(match program {
        Some(program) => program.canonicalize()?,
        None => std::env::current_exe()?,
    });
    command.arg0(TANDEM);
    command.current_dir(directory).env_clear();
    Ok(command)
}

/// A running process. Dropping it ends it.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a sandbox and gives what it prints: its addresses and bots.
    pub(crate) fn sandbox(mut command: Command) -> anyhow::Result<(Self, Value)> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("the sandbox")?;
        let output = child.stdout.take().context("its output")?;
        let process = Self(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let printed = serde_json::from_str(&line).context("what the sandbox prints")?;
        Ok((process, printed))
    }

    /// Starts a service that logs to a file, and waits until it answers. Gives the time until then.
    pub(crate) async fn service(
        mut command: Command,
        log: &Path,
        address: &str,
    ) -> anyhow::Result<(Self, Duration)> {
        let log = File::options().create(true).append(true).open(log)?;
        let begun = Instant::now();
        let mut process = Self(command.stderr(log).spawn().context("tandem serve")?);
        while !answers(address).await {
            if let Some(status) = process.0.try_wait()? {
                bail!("tandem serve ended at once: {status}");
            }
            ensure!(begun.elapsed() < READY_WITHIN, "tandem serve does not answer");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok((process, begun.elapsed()))
    }

    /// Asks it to end, as a service manager does, and waits.
    pub(crate) fn terminate(mut self) -> anyhow::Result<()> {
        Command::new("kill").arg(self.0.id().to_string()).status()?;
        let status = self.0.wait()?;
        ensure!(status.success(), "it did not end well: {status}");
        Ok(())
    }

    /// What the kernel says of it now.
    pub(crate) fn look(&self) -> anyhow::Result<Vitals> {
        let of = |name: &str| format!("/proc/{}/{name}", self.0.id());
        let status = fs::read_to_string(of("status"))?;
        let rollup = fs::read_to_string(of("smaps_rollup"))?;
        Ok(Vitals {
            rss_kb: field(&status, "VmRSS:")?,
            pss_kb: field(&rollup, "Pss:")?,
            peak_kb: field(&status, "VmHWM:")?,
            threads: field(&status, "Threads:")?,
            open_files: u64::try_from(fs::read_dir(of("fd"))?.count())?,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing to do about one that is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether somebody answers there. It may listen before it does: then this waits.
async fn answers(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else { return false };
    let asked = stream.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    asked.is_ok() && stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0)
}

/// What the kernel says of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vitals {
    pub(crate) rss_kb: u64,
    pub(crate) pss_kb: u64,
    pub(crate) peak_kb: u64,
    pub(crate) threads: u64,
    pub(crate) open_files: u64,
}

fn field(text: &str, name: &str) -> anyhow::Result<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)).context("no such field")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
