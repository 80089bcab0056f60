//! A server that is measured: a child process that is ended with its owner, and what it takes of the machine.

use std::{
    net::TcpListener,
    process::{Child, Command},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

/// How long a server may take until it listens.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A running server. Dropping it ends it.
pub(crate) struct Server(Child);

impl Server {
    /// Starts it and waits until something listens at the address.
    pub(crate) async fn start(command: &mut Command, address: &str) -> anyhow::Result<Self> {
        let child = command.spawn().with_context(|| format!("{}", command.get_program().display()))?;
        let mut server = Self(child);
        let limit = Instant::now() + READY_WITHIN;
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if let Some(status) = server.0.try_wait()? {
                bail!("{} ended at once: {status}", command.get_program().display());
            }
            if Instant::now() > limit {
                bail!("{} does not listen", command.get_program().display());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(server)
    }

    /// The CPU time it has taken so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The name in brackets may have spaces; user and system time are the 12th and 13th field after it.
        let (_, fields) = stat.rsplit_once(") ").context("a process has a name")?;
        let times = fields.split(' ').skip(11).take(2);
        let ticks = times.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 10)) // Linux counts in hundredths of a second
    }

    /// The memory it holds, and the most it ever held, in MB.
    pub(crate) fn memory_mb(&self) -> anyhow::Result<(f64, f64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let field = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such field")?;
            let kb: f64 = line.trim().trim_end_matches(" kB").parse()?;
            Ok(kb / 1024.0)
        };
        Ok((field("VmRSS:")?, field("VmHWM:")?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing to do about a child that is gone already. nginx's workers go with it: they notice a master that is
        // gone only by its SIGTERM, so that is what it gets.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// An address of this machine that is free now.
pub(crate) fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// This program under another name.
pub(crate) fn this_program(name: &str) -> anyhow::Result<Command> {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg0(name);
    Ok(command)
}
