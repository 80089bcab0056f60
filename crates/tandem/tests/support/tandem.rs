//! `tandem serve` as a child process, killed and started again on the same database and addresses.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, bail};
use tandem::control::{self, ControlError};
use tandem_bridge::{
    UpstreamMode,
    operations::{
        Adopt, Adopted, AnotherPoller, Confidential, GiveBack, KeepHolder, LaneView, Release, Released,
        Request, Response, Undelivered,
    },
};
use tandem_gateway::DropPending;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    time::Instant,
};

use super::LIMIT;

/// A Tandem with its folder. Dropping it kills it.
pub(crate) struct Tandem {
    folder: TempDir,
    gateway: SocketAddr,
    public: SocketAddr,
    telegram: String,
    child: Option<Child>,
    /// What was set beside what every Tandem of these tests needs.
    more: Vec<String>,
}

impl Tandem {
    /// Chooses folder and addresses, and starts it.
    pub(crate) async fn start(telegram: &str) -> anyhow::Result<Self> {
        let (gateway, public) = (free_address().await?, free_address().await?);
        let folder = tandem_testkit::folder();
        let mut tandem =
            Self { folder, gateway, public, telegram: telegram.to_owned(), child: None, more: Vec::new() };
        tandem.revive().await?;
        Ok(tandem)
    }

    /// Starts it again, and waits until it answers.
    pub(crate) async fn revive(&mut self) -> anyhow::Result<()> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file())?;
        let mut child = self
            .command()
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let deadline = Instant::now() + LIMIT;
        loop {
            match control::perform(&self.socket(), &Request::Status).await {
                Ok(_) => break,
                Err(ControlError::NotRunning | ControlError::Lost(_)) => {}
                Err(error) => return Err(error.into()),
            }
            if let Some(status) = child.try_wait()? {
                bail!("tandem serve ended with {status}:\n{}", self.log()?);
            }
            anyhow::ensure!(Instant::now() < deadline, "tandem serve does not come up:\n{}", self.log()?);
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        self.child = Some(child);
        Ok(())
    }

    /// The program with the settings of this Tandem, for commands to be added.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
        let file = |name: &str| self.folder.path().join(name).display().to_string();
        let settings = [
            format!("store.url=sqlite:{}", file("tandem.db")),
            format!("security.key_file={}", file("tandem.key")),
            "security.allow_private_addresses=true".to_owned(),
            format!("server.gateway={}", self.gateway),
            format!("server.public={}", self.public),
            format!("server.public_url=http://{}", self.public),
            "telegram.upstream=polling".to_owned(),
            format!("telegram.api_base={}", self.telegram),
            "log.filter=trace".to_owned(),
        ];
        command.current_dir(self.folder.path());
        for setting in settings.iter().chain(&self.more) {
            command.arg("--set").arg(setting);
        }
        command
    }

    /// Sets `section.key=value` for the next start.
    pub(crate) fn set(&mut self, setting: String) {
        self.more.push(setting);
    }

    /// SIGKILL.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        self.child.take().context("it runs")?.kill().await?;
        Ok(())
    }

    /// SIGTERM, and a clean end.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        let mut child = self.child.take().context("it runs")?;
        let pid = child.id().context("it has not ended")?;
        let sent = Command::new("sh").arg("-c").arg(format!("kill -TERM {pid}")).status().await?;
        anyhow::ensure!(sent.success(), "no signal could be sent to {pid}");
        let status = tokio::time::timeout(LIMIT, child.wait()).await.context("it does not end")??;
        anyhow::ensure!(status.success(), "it ended with {status}:\n{}", self.log()?);
        Ok(())
    }

    pub(crate) const fn gateway(&self) -> SocketAddr {
        self.gateway
    }

    /// Without a slash at the end.
    pub(crate) fn gateway_url(&self) -> String {
        format!("http://{}", self.gateway)
    }

    pub(crate) fn public_url(&self) -> String {
        format!("http://{}", self.public)
    }

    /// Everything it has is in here: database, key, log.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn log(&self) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&std::fs::read(self.log_file())?).into_owned())
    }

    /// What the command line does.
    pub(crate) async fn ask(&self, request: Request) -> anyhow::Result<Response> {
        let performed = control::perform(&self.socket(), &request).await?;
        performed.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))
    }

    /// `tandem adopt`.
    pub(crate) async fn adopt(
        &self,
        token: &str,
        drop_pending: DropPending,
        upstream: UpstreamMode,
    ) -> anyhow::Result<Adopted> {
        let adopt = Adopt {
            token: Confidential::new(token),
            drop_pending: Some(drop_pending),
            holder_secret: None,
            holder_certificate: None,
            holder: KeepHolder::AsRoute,
            upstream: Some(upstream),
            another_poller: AnotherPoller::Refuse,
            guard: None,
        };
        match self.ask(Request::Adopt(adopt)).await? {
            Response::Adopted(adopted) => Ok(*adopted),
            other => bail!("{other:?}"),
        }
    }

    /// `tandem release`, once everybody has everything; `undelivered` says what if somebody does not.
    pub(crate) async fn release(&self, undelivered: Undelivered) -> anyhow::Result<Released> {
        let wait_secs = match undelivered {
            Undelivered::Refuse => 30,
            Undelivered::Leave => 0,
        };
        let release = Release {
            bot: None,
            wait_secs,
            undelivered,
            holder_secret: None,
            holder_certificate: None,
            webhook: GiveBack::Webhook,
        };
        match self.ask(Request::Release(release)).await? {
            Response::Released(released) => Ok(*released),
            other => bail!("{other:?}"),
        }
    }

    pub(crate) async fn lanes(&self) -> anyhow::Result<Vec<LaneView>> {
        match self.ask(Request::Lanes { bot: None }).await? {
            Response::Lanes { lanes } => Ok(lanes),
            other => bail!("{other:?}"),
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("tandem.db.sock")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("tandem.log")
    }
}

/// An address nobody listens at.
pub(crate) async fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}
