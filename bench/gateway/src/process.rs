//! A server that is measured: a child process that is ended with its owner, and what it takes of the machine.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// How long a server may take until it answers, with every bot there is.
const READY_WITHIN: Duration = Duration::from_mins(5);

/// A running server. Dropping it ends it.
pub(crate) struct Server {
    child: Child,
    /// From its start until it answered.
    pub(crate) started_in: Duration,
}

impl Server {
    /// Starts it and waits until somebody answers at the address.
    pub(crate) async fn start(command: &mut Command, address: &str) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let child = command.spawn().with_context(|| command.get_program().display().to_string())?;
        let mut server = Self { child, started_in: Duration::ZERO };
        while !answers(address).await {
            if let Some(status) = server.child.try_wait()? {
                bail!("{} ended at once: {status}", command.get_program().display());
            }
            if begun.elapsed() > READY_WITHIN {
                bail!("{} does not answer", command.get_program().display());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        server.started_in = begun.elapsed();
        Ok(server)
    }

    /// One that has said in its own way that it is ready.
    pub(crate) const fn running(child: Child) -> Self {
        Self { child, started_in: Duration::ZERO }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The CPU time that it and its workers have taken so far.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let id = self.id();
        let workers = fs::read_to_string(format!("/proc/{id}/task/{id}/children"))?;
        let mut ticks = 0;
        for process in workers.split_whitespace().chain([id.to_string().as_str()]) {
            let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
            // The name in brackets may have spaces; user and system time are the 12th and 13th field after it.
            let (_, fields) = stat.rsplit_once(") ").context("a process has a name")?;
            let times = fields.split(' ').skip(11).take(2);
            ticks += times.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        }
        Ok(Duration::from_millis(ticks * 10)) // Linux counts in hundredths of a second
    }

    /// The memory it holds, and the most it held since it began or [`Self::forget_peak`], in MB.
    pub(crate) fn memory_mb(&self) -> anyhow::Result<(f64, f64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let field = |name: &str| -> anyhow::Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such field")?;
            let kb: f64 = line.trim().trim_end_matches(" kB").parse()?;
            Ok(kb / 1024.0)
        };
        Ok((field("VmRSS:")?, field("VmHWM:")?))
    }

    /// From here on the most memory is counted anew.
    pub(crate) fn forget_peak(&self) -> anyhow::Result<()> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.id()), "5")?)
    }

    /// Asks it to end, as a service manager does, and waits. nginx's workers go with it: they notice a master that is
    /// gone only by its SIGTERM.
    pub(crate) fn end(&mut self) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_none() {
            Command::new("kill").arg(self.id().to_string()).status()?;
            self.child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing to do about a child that is gone already.
        let _ = self.end();
    }
}

/// Whether somebody answers there. It may listen before it does: then this waits.
async fn answers(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address).await else { return false };
    let asked = stream.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    asked.is_ok() && stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0)
}

/// An address of this machine that is free now.
pub(crate) fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// This program under another name.
pub(crate) fn this_program(name: &str) -> anyhow::Result<Command> {
    Ok(called(&std::env::current_exe()?, name))
}

/// A program under another name.
pub(crate) fn called(program: &Path, name: &str) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    command.arg0(name);
    command
}
