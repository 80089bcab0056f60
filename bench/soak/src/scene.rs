//! The stage of a soak: sandbox, settings, bots, and the service with them.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    backlog::Backlog,
    bots::{self, Bot, Role},
    history::{Idle, Stage},
    measure::Service,
    plan::Plan,
    process::{self, Process},
};

/// Events go this many days after every route has passed them: seven minutes, so that an hour sees many of them go.
const KEEP_DAYS: f64 = 0.005;

/// Where everybody is.
pub(crate) struct Scene {
    pub(crate) plan: Plan,
    pub(crate) directory: PathBuf,
    pub(crate) bots: Vec<Bot>,
    /// Telegram, and the sandbox's control, without `http://`.
    pub(crate) telegram: String,
    pub(crate) sandbox: String,
    pub(crate) gateway: String,
    pub(crate) public: String,
    pub(crate) receivers: String,
    /// Where nobody listens.
    pub(crate) nobody: String,
}

impl Scene {
    /// Starts the sandbox and decides about addresses.
    pub(crate) fn set(
        plan: Plan,
        directory: &Path,
        receivers: &tokio::net::TcpListener,
    ) -> anyhow::Result<(Process, Self)> {
        say(&format!("a sandbox with {} bots", plan.bots));
        let mut sandbox = process::tandem(plan.tandem.as_deref(), directory)?;
        let anywhere = "127.0.0.1:0";
        sandbox.args([
            "sandbox",
            "--json",
            "--telegram",
            anywhere,
            "--amocrm",
            anywhere,
            "--wahelp",
            anywhere,
            "--control",
            anywhere,
        ]);
        sandbox.args(["--bots", &plan.bots.to_string(), "--seed", &plan.seed.to_string()]);
        let (sandbox, printed) = Process::sandbox(sandbox)?;
        let address = |name: &str| -> anyhow::Result<String> {
            let url = printed[name].as_str().context("an address of the sandbox")?;
            Ok(url.trim_start_matches("http://").to_owned())
        };
        let scene = Self {
            bots: bots::cast(&plan, &printed)?,
            directory: directory.to_owned(),
            telegram: address("telegram")?,
            sandbox: address("control")?,
            gateway: free_address()?,
            public: free_address()?,
            receivers: receivers.local_addr()?.to_string(),
            nobody: free_address()?,
            plan,
        };
        scene.write_settings()?;
        Ok((sandbox, scene))
    }

    fn write_settings(&self) -> anyhow::Result<()> {
        let Self { gateway, public, telegram, .. } = self;
        let max_bytes = self.plan.max_bytes(Backlog::update_bytes(0));
        let settings = format!(
            "[server]\ngateway = '{gateway}'\npublic = '{public}'\npublic_url = 'http://{public}'\n\
             [telegram]\napi_base = 'http://{telegram}'\nupstream = 'webhook'\n\
             [security]\nallow_private_addresses = true\n\
             [retention]\ndays = {KEEP_DAYS}\nmax_days = 1\nmax_bytes = {max_bytes}\n\
             [log]\nfilter = 'warn'\n"
        );
        fs::write(self.directory.join("tandem.toml"), settings)?;
        Ok(())
    }

    pub(crate) fn active(&self) -> impl Iterator<Item = &Bot> {
        self.bots.iter().filter(|bot| bot.role != Role::Idle)
    }

    pub(crate) fn find(&self, role: Role) -> anyhow::Result<&Bot> {
        self.bots.iter().find(|bot| bot.role == role).with_context(|| format!("a bot of {role:?}"))
    }

    pub(crate) fn down(&self) -> anyhow::Result<&Bot> {
        self.find(Role::Down)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("tandem.log")
    }

    fn tandem(&self) -> anyhow::Result<Command> {
        process::tandem(self.plan.tandem.as_deref(), &self.directory)
    }

    pub(crate) async fn start(&self) -> anyhow::Result<Service> {
        let mut serve = self.tandem()?;
        serve.arg("serve");
        let (process, started_in) = Process::service(serve, &self.log(), &self.gateway).await?;
        Ok(Service::new(process, &self.directory, started_in))
    }

    /// Takes the bots over, a kind at a time, and measures a fresh start with each.
    pub(crate) async fn have_bots(&self) -> anyhow::Result<(Service, Idle)> {
        let (mut one, mut posted) = (Stage::default(), Stage::default());
        if !self.plan.at_once {
            let first = |bot: &Bot| bot.id == self.bots[0].id;
            let (service, stage) = self.stage(first).await?;
            service.process.terminate()?;
            one = stage;
            let (service, stage) = self.stage(|bot| !bot.polled).await?;
            service.process.terminate()?;
            posted = stage;
        }
        let (service, polled) = self.stage(|_any| true).await?;
        Ok((service, Idle { one, posted, polled, at_the_end: Stage::default() }))
    }

    /// Has these bots, and a fresh start with them.
    async fn stage(&self, wanted: impl Fn(&Bot) -> bool) -> anyhow::Result<(Service, Stage)> {
        let bots: Vec<&Bot> = self.bots.iter().filter(|bot| wanted(bot)).collect();
        say(&format!("taking over {} bots", bots.len()));
        bots::write_file(&self.directory, bots.iter().copied(), &self.receivers, &self.nobody)?;
        let service = self.start().await?;
        let begun = Instant::now();
        let said = self.directory.join("applied.json");
        let mut apply = self.tandem()?;
        apply.args(["apply", "bots.toml", "--yes", "--json"]).stdout(File::create(&said)?);
        let applied = tokio::process::Command::from(apply).status().await?;
        ensure!(applied.success(), "tandem apply failed: {}", refused(&said)?);
        let applied_in = begun.elapsed();
        service.process.terminate()?;
        let service = self.start().await?;
        let stage = service.settled(bots.len() as u64, applied_in).await?;
        say(&format!("{stage:?}"));
        Ok((service, stage))
    }
}

/// Why bots were refused.
fn refused(said: &Path) -> anyhow::Result<String> {
    let said: Value = serde_json::from_slice(&fs::read(said)?).unwrap_or_default();
    Ok(said["refused"].as_array().and_then(|refused| refused.first()).unwrap_or(&said).to_string())
}

/// An address of this machine that is free now.
fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

/// Says how far it is: an hour is long.
pub(crate) fn say(what: &str) {
    #[expect(clippy::print_stderr, reason = "a command that takes an hour says what it is at")]
    {
        eprintln!("{what}");
    }
}
