//! A bot program of `clients/` or `examples/` as a child process: what it prints, and its end.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
};

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, Command},
    sync::mpsc,
    time::timeout,
};

use super::LIMIT;

/// A running program. Dropping it kills it.
pub(crate) struct Program {
    child: Child,
    printed: mpsc::UnboundedReceiver<String>,
    complained: Arc<Mutex<Vec<String>>>,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{command:?}: run scripts/setup first"))?;
        let (sender, printed) = mpsc::unbounded_channel();
        read_lines(child.stdout.take().context("stdout is piped")?, move |line| drop(sender.send(line)));
        let complained = Arc::new(Mutex::new(Vec::new()));
        let complaints = Arc::clone(&complained);
        read_lines(child.stderr.take().context("stderr is piped")?, move |line| {
            complaints.lock().unwrap().push(line);
        });
        Ok(Self { child, printed, complained })
    }

    /// The next line that the program prints, which must be a JSON object with this `event`.
    pub(crate) async fn reports(&mut self, event: &str) -> anyhow::Result<Value> {
        let line = match timeout(LIMIT, self.printed.recv()).await {
            Ok(Some(line)) => line,
            Ok(None) => bail!("the program ended before it printed {event}{}", self.complaints()),
            Err(_) => bail!("the program does not print {event}{}", self.complaints()),
        };
        let report: Value =
            serde_json::from_str(&line).with_context(|| format!("{line}{}", self.complaints()))?;
        if report["event"] != event {
            bail!("the program printed {line} instead of {event}{}", self.complaints());
        }
        Ok(report)
    }

    /// Asks the program to stop, as a supervisor does, and waits for its clean end.
    /// Gives the lines it had still to print.
    pub(crate) async fn stop(mut self) -> anyhow::Result<Vec<String>> {
        let pid = self.child.id().context("the program has ended before it was asked to")?;
        let sent = Command::new("sh").arg("-c").arg(format!("kill -TERM {pid}")).status().await?;
        anyhow::ensure!(sent.success(), "no signal could be sent to {pid}");
        let Ok(status) = timeout(LIMIT, self.child.wait()).await else {
            bail!("the program does not stop{}", self.complaints());
        };
        let mut rest = Vec::new();
        while let Some(line) = self.printed.recv().await {
            rest.push(line);
        }
        let status = status?;
        if !status.success() {
            bail!("the program ended with {status}{}", self.complaints());
        }
        Ok(rest)
    }

    /// The end of its stderr.
    pub(crate) fn complaints(&self) -> String {
        let complained = self.complained.lock().unwrap();
        let last = complained.len().saturating_sub(40);
        format!("; its stderr:\n{}", complained[last..].join("\n"))
    }
}

fn read_lines(stream: impl AsyncRead + Send + Unpin + 'static, take: impl Fn(String) + Send + 'static) {
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            take(line);
        }
    });
}

/// The root of the source tree.
pub(crate) fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// Where `scripts/setup` installed what the programs need (`scripts/cache.sh` says the same).
pub(crate) fn installed(path: &str) -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    variable("TANDEM_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("tandem")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/tandem")))
        .expect("HOME is set")
        .join(path)
}

/// The interpreter of the venv.
pub(crate) fn python(script: &str) -> Command {
    let mut command = Command::new(installed("python/bin/python"));
    command.arg(source(script)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}
