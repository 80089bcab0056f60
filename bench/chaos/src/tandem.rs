//! The service under test: its settings, its command line as a child process, its control socket, its database file.

use std::{
    net::SocketAddr,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::bail;
use serde_json::Value;
use tandem::control::{self, ControlError};
use tandem_bridge::operations::{HeldQuery, Request, Response};
use tokio::{net::TcpListener, process::Command, time::Instant};

use crate::{disk::Disk, history::HeldSample, history::LaneEnd, run::now_ms, seen::marks, shim::Shim};

/// What this program is called when it is Tandem.
pub(crate) const NAME: &str = "tandem";
/// How long it may take until it answers.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// Where it is and how it is called.
#[derive(Clone)]
pub(crate) struct Tandem {
    directory: PathBuf,
    database: PathBuf,
    gateway: SocketAddr,
    environment: Vec<(&'static str, PathBuf)>,
}

impl Tandem {
    /// Writes its settings.
    pub(crate) async fn new(
        directory: &Path,
        disk: &Disk,
        shim: &Shim,
        telegram: SocketAddr,
    ) -> anyhow::Result<Self> {
        let (gateway, public) = (free_address().await?, free_address().await?);
        let database = disk.path().join("tandem.db");
        let settings = format!(
            "[server]\ngateway = '{gateway}'\npublic = '{public}'\n[store]\nurl = 'sqlite:{}'\n\
             [telegram]\napi_base = 'http://{telegram}'\n[security]\nkey_file = '{}'\n\
             allow_private_addresses = true\n[log]\nfilter = 'info'\n",
            database.display(),
            directory.join("tandem.key").display(),
        );
        std::fs::write(directory.join("tandem.toml"), settings)?;
        let environment = shim.environment().map(|(name, path)| (name, path.to_owned())).to_vec();
        Ok(Self { directory: directory.to_owned(), database, gateway, environment })
    }

    /// Without a slash at the end.
    pub(crate) fn gateway_url(&self) -> String {
        format!("http://{}", self.gateway)
    }

    /// `tandem serve` with the disk and the clock it is given.
    pub(crate) fn serve(&self) -> anyhow::Result<Command> {
        let log = std::fs::File::options().create(true).append(true).open(self.log_file())?;
        let mut command = self.command()?;
        command.arg("serve").envs(self.environment.clone()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }

    /// A command as people give it, with `--json`.
    pub(crate) async fn perform(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self.command()?.args(arguments).arg("--json").output().await?;
        if !output.status.success() {
            bail!("tandem {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = std::process::Command::new(std::env::current_exe()?);
        command.arg0(NAME).current_dir(&self.directory).env("RUST_BACKTRACE", "1");
        Ok(command.into())
    }

    /// Waits until it answers.
    pub(crate) async fn ready(&self) -> anyhow::Result<()> {
        let limit = Instant::now() + READY_WITHIN;
        while self.ask(&Request::Status).await?.is_none() {
            anyhow::ensure!(Instant::now() < limit, "tandem serve does not come up");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        Ok(())
    }

    /// What the commands ask over the control socket. `None` while nobody listens.
    async fn ask(&self, request: &Request) -> anyhow::Result<Option<Response>> {
        let socket = self.directory_of_database().join("tandem.db.sock");
        let asked = control::perform(&socket, request);
        match tokio::time::timeout(Duration::from_secs(5), asked).await {
            Ok(Ok(Ok(response))) => Ok(Some(response)),
            Ok(
                Ok(Err(_)) | Err(ControlError::NotRunning | ControlError::Lost(_) | ControlError::Connect(_)),
            )
            | Err(_) => Ok(None),
            Ok(Err(error)) => Err(error.into()),
        }
    }

    fn directory_of_database(&self) -> &Path {
        self.database.parent().unwrap_or(Path::new("."))
    }

    /// How its lanes stand, by name.
    pub(crate) async fn lanes(&self) -> anyhow::Result<Option<Vec<(String, LaneEnd)>>> {
        let Some(Response::Lanes { lanes }) = self.ask(&Request::Lanes { bot: None }).await? else {
            return Ok(None);
        };
        let end = |lane: tandem_bridge::operations::LaneView| {
            let end = LaneEnd {
                waiting: lane.lag.events,
                retrying: lane.held.retrying + lane.held.sending,
                unknown: lane.held.unknown,
                dead: lane.held.dead,
                expired: lane.expired,
                skipped: lane.skipped,
                lost: lane.lost,
            };
            (lane.name, end)
        };
        Ok(Some(lanes.into_iter().map(end).collect()))
    }

    /// What its lanes hold.
    pub(crate) async fn held(&self) -> anyhow::Result<Vec<HeldSample>> {
        let Some(Response::Held { held, .. }) = self.ask(&Request::Held(HeldQuery::default())).await? else {
            return Ok(Vec::new());
        };
        let at_ms = now_ms();
        let sample = |held: tandem_bridge::operations::HeldView| HeldSample {
            at_ms,
            lane: held.lane,
            // `chat:5`, as the journal has it; the number is what the outside knows.
            conversation: held.conversation.rsplit(':').next().unwrap_or_default().to_owned(),
            state: serde_json::to_value(held.state)
                .ok()
                .and_then(|state| state.as_str().map(str::to_owned))
                .unwrap_or_default(),
            tries: held.tries,
            reason: held.reason,
        };
        Ok(held.into_iter().map(sample).collect())
    }

    /// The marks in the journal's `Sent` events, read from the file once nobody has it open.
    pub(crate) fn journal(&self) -> anyhow::Result<Vec<u64>> {
        const SENT: i64 = 1;
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = rusqlite::Connection::open_with_flags(&self.database, flags)?;
        let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        anyhow::ensure!(check == "ok", "the database is damaged: {check}");
        let mut query = database.prepare("SELECT body FROM events WHERE kind = ?1 ORDER BY position")?;
        let mut rows = query.query([SENT])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let body: Vec<u8> = row.get(0)?;
            // The mark is in the parameters and in Telegram's result.
            found.extend(marks(&String::from_utf8_lossy(&body)).next());
        }
        Ok(found)
    }

    /// Bytes of the database, and of its log.
    pub(crate) fn file_sizes(&self) -> (u64, u64) {
        let size = |path: PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
        (size(self.database.clone()), size(self.database.with_extension("db-wal")))
    }

    /// Lines of its log that tell of a panic.
    pub(crate) fn panics(&self) -> anyhow::Result<Vec<String>> {
        let log = String::from_utf8_lossy(&std::fs::read(self.log_file())?).into_owned();
        Ok(log.lines().filter(|line| line.contains("panicked")).map(str::to_owned).collect())
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.directory.join("tandem.log")
    }
}

async fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}
