//! A server under load: a child process that ends when its standard input does.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context;

/// A running server. Dropping it ends it.
pub(crate) struct Peer {
    child: Child,
    /// The addresses that it printed, in one line.
    pub(crate) addresses: Vec<String>,
}

impl Peer {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{command:?}"))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("stdout is piped")?).read_line(&mut line)?;
        let addresses = line.split_whitespace().map(str::to_owned).collect();
        Ok(Self { child, addresses })
    }

    /// The sandbox, which is this program under another command.
    pub(crate) fn sandbox() -> anyhow::Result<Self> {
        Self::start(Command::new(std::env::current_exe()?).arg("serve"))
    }

    /// The CPU time it has taken so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in brackets may have spaces; user and system time are the 12th and 13th field after it.
        let (_, fields) = stat.rsplit_once(") ").context("a process has a name")?;
        let mut times = fields.split(' ').skip(11).map(str::parse::<u64>);
        let mut ticks = || times.next().context("a process has times").and_then(|time| Ok(time?));
        Ok(Duration::from_millis((ticks()? + ticks()?) * 10)) // Linux counts in hundredths of a second
    }

    /// The memory it holds, in MiB.
    pub(crate) fn resident_mib(&self) -> anyhow::Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Nothing to do about a child that is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
