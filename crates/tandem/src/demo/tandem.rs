//! Tandem in the demo: the very service that `tandem serve` runs, in this process, on a database of its own.
//!
//! Each of its lives has a runtime to itself. A kill drops that runtime with whatever its tasks were doing: nothing
//! is finished, answered or written any more, and the next life finds only what was committed.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use tandem_bridge::{
    apply,
    operations::{
        Adopt, AnotherPoller, Apply, ApplyMode, Confidential, GiveBack, KeepHolder, LaneStateView, Others,
        RefusedView, Release, Request, Response, Serves, Undelivered,
    },
};
use tandem_gateway::DropPending;
use tandem_model::SeededRng;
use tempfile::TempDir;
use tokio::{net::TcpListener, runtime::Runtime, task::JoinHandle, time::Instant};

use crate::{Listeners, Stop, clock::SystemClock, control, settings::Settings};

/// How long it may take to come up or to end.
const PATIENCE: Duration = Duration::from_secs(15);

/// How soon it is tried again meanwhile.
const AGAIN: Duration = Duration::from_millis(20);

/// How long a release waits until amoCRM has everything, in seconds.
const DRAIN_SECS: u64 = 10;

/// Tandem, alive or not.
pub(super) struct Tandem {
    settings: Settings,
    life: Option<Life>,
    app_token: String,
    /// Removed with everything in it when the demo ends.
    folder: TempDir,
}

struct Life {
    runtime: Runtime,
    service: JoinHandle<anyhow::Result<()>>,
    stop: Stop,
}

/// What adopting a bot came to.
pub(super) struct Adopted {
    pub(super) holder: String,
    pub(super) route: String,
}

impl Tandem {
    /// Chooses the addresses and the folder; nothing runs yet.
    pub(super) async fn prepare(telegram_url: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("a folder for the demo's database")?;
        let database = folder.path().join("tandem.db");
        let mut settings = Settings::defaults();
        settings.server.gateway = free_address().await?;
        settings.server.public = free_address().await?;
        settings.store.url = format!("sqlite:{}", database.display()).parse().map_err(anyhow::Error::msg)?;
        settings.telegram.api_base = telegram_url.parse()?;
        settings.telegram.file_base = settings.telegram.api_base.clone();
        settings.security.key_file = folder.path().join("tandem.key");
        settings.security.allow_private_addresses = true;
        Ok(Self { settings, life: None, app_token: String::new(), folder })
    }

    /// Where apps speak the Bot API to it.
    pub(super) fn gateway_url(&self) -> String {
        format!("http://{}", self.settings.server.gateway)
    }

    /// Lets vendors reach its public listener, as if it stood behind an address of its own.
    pub(super) fn is_reachable(&mut self) -> anyhow::Result<()> {
        self.settings.server.public_url = Some(self.public_url().parse()?);
        Ok(())
    }

    /// Says that webhooks at this address are Wahelp's, as an owner does whose Wahelp takes it by an unknown host.
    pub(super) fn recognises_wahelp_at(&mut self, address: &str) -> anyhow::Result<()> {
        let host = address.strip_prefix("http://").context("a sandbox is reached by http")?;
        self.settings.telegram.wahelp_hosts = vec![host.to_owned()];
        Ok(())
    }

    /// Where vendors reach it.
    pub(super) fn public_url(&self) -> String {
        format!("http://{}", self.settings.server.public)
    }

    /// Where its files are.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The token that the owner's bot is started with.
    pub(super) fn app_token(&self) -> &str {
        &self.app_token
    }

    /// Begins a life, and waits until it answers. The life before may still hold the database for a moment.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            let mut life = Life::begin(&self.settings)?;
            match life.comes_up(&self.settings, end).await {
                Ok(()) => {
                    self.life = Some(life);
                    return Ok(());
                }
                Err(error) => {
                    life.drop_everything().await;
                    if Instant::now() >= end {
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Ends its life in the middle of whatever it is doing.
    pub(super) async fn kill(&mut self) {
        if let Some(life) = self.life.take() {
            life.drop_everything().await;
        }
    }

    /// Asks it to finish, as a service manager does.
    pub(super) async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut life) = self.life.take() else { return Ok(()) };
        life.stop.soft.cancel();
        let ended = tokio::time::timeout(PATIENCE, &mut life.service).await.context("it does not end")?;
        life.drop_everything().await;
        ended.context("it ended early")?
    }

    /// `tandem adopt`.
    pub(super) async fn adopt(&mut self, token: &str) -> anyhow::Result<Adopted> {
        let adopt = Adopt {
            token: Confidential::new(token),
            drop_pending: Some(DropPending::Ignore),
            holder_secret: None,
            holder_certificate: None,
            holder: KeepHolder::AsRoute,
            upstream: None,
            another_poller: AnotherPoller::Refuse,
            guard: None,
        };
        let Response::Adopted(adopted) = self.ask(Request::Adopt(adopt)).await? else {
            bail!("adopt was answered with something else");
        };
        let token = adopted.app_token.context("adopt gives the app's token")?;
        token.expose().clone_into(&mut self.app_token);
        let route = adopted.kept.map(|kept| kept.route).unwrap_or_default();
        Ok(Adopted { holder: adopted.holder.kind.as_str().to_owned(), route })
    }

    /// `tandem apply`; says what was done. The token of the app `main` is the one that the demo's bot uses.
    pub(super) async fn apply(&mut self, file: &Path) -> anyhow::Result<Vec<String>> {
        let desired = apply::load(file)?;
        let request = Apply { desired, mode: ApplyMode::Execute, others: Others::Keep };
        let Response::Applied(applied) = self.ask(Request::Apply(request)).await? else {
            bail!("apply was answered with something else");
        };
        if let Some(RefusedView { refusal, .. }) = applied.refused.first() {
            bail!("{} {}", refusal.sentence, refusal.what_to_do);
        }
        let tokens = applied.steps.iter().filter_map(|step| step.app_token.as_ref());
        for token in tokens {
            token.expose().clone_into(&mut self.app_token);
        }
        Ok(applied.steps.into_iter().map(|step| format!("{}: {}", step.what, step.sentence)).collect())
    }

    /// How many managers' replies nobody can say of whether they arrived, as `tandem held` tells.
    pub(super) async fn unknown_replies(&self) -> anyhow::Result<usize> {
        let Response::Lanes { lanes } = self.ask(Request::Lanes { bot: None }).await? else {
            bail!("lanes was answered with something else");
        };
        let unknown = lanes.iter().filter(|lane| lane.name == "telegram").map(|lane| lane.held.unknown);
        Ok(usize::try_from(unknown.sum::<u64>())?)
    }

    /// Why a route stands still, as `tandem lanes` tells; empty while it does not.
    pub(super) async fn refusal_of_route(&self, route: &str) -> anyhow::Result<String> {
        let Response::Lanes { lanes } = self.ask(Request::Lanes { bot: None }).await? else {
            bail!("lanes was answered with something else");
        };
        let name = format!("route:{route}");
        let lane = lanes.into_iter().find(|lane| lane.name == name && lane.state != LaneStateView::Running);
        Ok(lane.and_then(|lane| lane.last_fault).map(|fault| fault.text).unwrap_or_default())
    }

    /// `tandem release`; says whose the stream is now.
    pub(super) async fn release(&self) -> anyhow::Result<String> {
        let release = Release {
            bot: None,
            wait_secs: DRAIN_SECS,
            undelivered: Undelivered::Refuse,
            holder_secret: None,
            holder_certificate: None,
            webhook: GiveBack::Webhook,
        };
        let Response::Released(released) = self.ask(Request::Release(release)).await? else {
            bail!("release was answered with something else");
        };
        Ok(released.holder.kind.as_str().to_owned())
    }

    /// How many events apps have not confirmed yet, as `tandem lanes` tells.
    pub(super) async fn waits_for_apps(&self) -> anyhow::Result<u64> {
        let Response::Lanes { lanes } = self.ask(Request::Lanes { bot: None }).await? else {
            bail!("lanes was answered with something else");
        };
        let apps = lanes.iter().filter(|lane| lane.serves == Serves::App);
        Ok(apps.map(|lane| lane.lag.events).sum())
    }

    /// What the command line does: an operation over the control socket.
    async fn ask(&self, request: Request) -> anyhow::Result<Response> {
        let socket = self.settings.store.control_socket();
        let performed = control::perform(&socket, &request).await?;
        performed.map_err(|refusal| anyhow::anyhow!("{} {}", refusal.sentence, refusal.what_to_do))
    }
}

impl Drop for Tandem {
    /// A runtime must not be dropped where others run: it is left to end by itself.
    fn drop(&mut self) {
        if let Some(life) = self.life.take() {
            life.runtime.shutdown_background();
        }
    }
}

impl Life {
    fn begin(settings: &Settings) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let stop = Stop::new();
        let (settings, of_service) = (settings.clone(), stop.clone());
        let service = runtime.spawn(async move {
            let listeners =
                Listeners::bind(&settings.server).await.map_err(|failure| anyhow::anyhow!("{failure}"))?;
            let rng = Arc::new(SeededRng::from_system());
            crate::run(settings, listeners, Arc::new(SystemClock::new()), rng, of_service).await?;
            Ok(())
        });
        Ok(Self { runtime, service, stop })
    }

    /// Waits until it answers on its control socket, or says why it ended.
    async fn comes_up(&mut self, settings: &Settings, end: Instant) -> anyhow::Result<()> {
        let socket = settings.store.control_socket();
        loop {
            if self.service.is_finished() {
                (&mut self.service).await??;
                bail!("the service ended by itself");
            }
            match control::perform(&socket, &Request::Status).await {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() >= end => return Err(error.into()),
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// Waits for nothing but the threads: every task is dropped where it stands.
    async fn drop_everything(self) {
        let runtime = self.runtime;
        let ended = tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE)).await;
        ended.expect("shutting a runtime down does not panic");
    }
}

/// An address nobody listens at.
async fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?)
}
