//! A soak from beginning to end.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, ensure};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    apps::Apps,
    backlog::Backlog,
    bots::{self, Bot, Role},
    clients::Clients,
    history::{History, Idle, Sample, Stage},
    machine,
    measure::Service,
    outcome::{Ending, read_what_is_left},
    pace,
    plan::Plan,
    process::{self, Process},
    tally::Tallies,
};

/// Events go this many days after every route has passed them: seven minutes, so that an hour sees many of them go.
const KEEP_DAYS: f64 = 0.005;

/// How often it is looked whether it is time for a sample.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Where everybody is.
struct Scene {
    plan: Plan,
    directory: PathBuf,
    bots: Vec<Bot>,
    /// Telegram, and the sandbox's control, without `http://`.
    telegram: String,
    sandbox: String,
    gateway: String,
    public: String,
    receivers: String,
    /// Where nobody listens.
    nobody: String,
}

/// Runs it. Everything it needs is started and ended here.
#[tokio::main(flavor = "current_thread")]
pub(crate) async fn run(plan: Plan) -> anyhow::Result<History> {
    let directory = tempfile::tempdir_in(&plan.directory).context("a directory for the database")?;
    let machine = machine::describe(directory.path())?;
    let machine = machine.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let began = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let (_sandbox, scene) = Scene::set(plan, directory.path(), &listener)?;
    let plan = &scene.plan;
    let tallies = Arc::new(Tallies::of(scene.active().map(|bot| bot.id)));
    let mut apps = Apps::receive(listener, &tallies);

    let (service, idle) = scene.have_bots().await?;
    let active: Vec<Bot> = scene.active().cloned().collect();
    let clients = Clients::make(&scene.sandbox, &active).await?;
    apps.start(&active, &scene.gateway, &scene.receivers, &tallies).await?;
    let backlog = Backlog::of(scene.down()?.id, &scene.sandbox).await?;
    say("filling the backlog");
    let filled_in = backlog.fill(&scene.public, plan.backlog).await?;
    say(&format!("filled in {:.0} s; clients write", filled_in.as_secs_f64()));

    let (samples, mut outcome) = {
        let ending =
            Ending { plan, bots: &active, clients: &clients, tallies: &tallies, sandbox: &scene.sandbox };
        let wholly = async {
            let samples = scene.have_clients_write(&service, &clients, &backlog, &tallies).await?;
            say("clients have stopped");
            let outcome = ending.count(&service).await?;
            anyhow::Ok((samples, outcome))
        };
        tokio::select! {
            done = wholly => done?,
            error = apps.failed() => return Err(error),
        }
    };
    outcome.appended =
        service.bots().await?.iter().map(|bot| u64::try_from(bot.last_seq.get()).unwrap_or(0)).sum();
    drop(apps);
    service.process.terminate()?;

    say("starting it again");
    let service = scene.start().await?;
    let at_the_end = service.settled(plan.bots as u64, Duration::ZERO).await?;
    service.process.terminate()?;
    read_what_is_left(&mut outcome, &scene.directory, &scene.log())?;
    let idle = Idle { at_the_end, ..idle };
    let max_bytes = plan.max_bytes(Backlog::update_bytes(0));
    Ok(History {
        plan: plan.clone(),
        began,
        machine,
        idle,
        filled_in_s: filled_in.as_secs_f64(),
        max_bytes,
        samples,
        outcome,
    })
}

impl Scene {
    /// Starts the sandbox and decides about addresses.
    fn set(
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

    fn active(&self) -> impl Iterator<Item = &Bot> {
        self.bots.iter().filter(|bot| bot.role != Role::Idle)
    }

    fn find(&self, role: Role) -> anyhow::Result<&Bot> {
        self.bots.iter().find(|bot| bot.role == role).with_context(|| format!("a bot of {role:?}"))
    }

    fn down(&self) -> anyhow::Result<&Bot> {
        self.find(Role::Down)
    }

    fn log(&self) -> PathBuf {
        self.directory.join("tandem.log")
    }

    fn tandem(&self) -> anyhow::Result<Command> {
        process::tandem(self.plan.tandem.as_deref(), &self.directory)
    }

    async fn start(&self) -> anyhow::Result<Service> {
        let mut serve = self.tandem()?;
        serve.arg("serve");
        let (process, started_in) = Process::service(serve, &self.log(), &self.gateway).await?;
        Ok(Service::new(process, &self.directory, started_in))
    }

    /// Takes the bots over, a kind at a time, and measures a fresh start with each.
    async fn have_bots(&self) -> anyhow::Result<(Service, Idle)> {
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

    /// Has everybody write, and measures.
    async fn have_clients_write(
        &self,
        service: &Service,
        clients: &Clients,
        backlog: &Backlog,
        tallies: &Tallies,
    ) -> anyhow::Result<Vec<Sample>> {
        let plan = &self.plan;
        #[expect(clippy::cast_precision_loss, reason = "rates are small")]
        let rate = plan.rate as f64;
        let (more, more_rate) = plan.more_backlog();
        let (for_the_slow, slow_rate) = plan.for_the_slow();
        let given = Arc::new(AtomicU64::new(plan.backlog));
        let counted = || {
            let given = Arc::clone(&given);
            move |_turn: u64| {
                given.fetch_add(1, Ordering::Relaxed);
            }
        };
        let ordinary = {
            let clients = clients.clone();
            pace::post(&self.sandbox, plan.messages(), rate, move |turn| clients.ordinary(turn), counted())
        };
        let slow = {
            let clients = clients.clone();
            pace::post(&self.sandbox, for_the_slow, slow_rate, move |turn| clients.slow(turn), counted())
        };
        let down = {
            let (backlog, before) = (backlog.clone(), plan.backlog);
            pace::post(&self.public, more, more_rate, move |turn| backlog.request(before + turn), counted())
        };
        let sampling = self.samples(service, &given, tallies);
        let ((), (), (), samples) = tokio::try_join!(ordinary, slow, down, sampling)?;
        Ok(samples)
    }

    /// A sample whenever so many more updates were given.
    async fn samples(
        &self,
        service: &Service,
        given: &AtomicU64,
        tallies: &Tallies,
    ) -> anyhow::Result<Vec<Sample>> {
        let plan = &self.plan;
        let (down, slow) = (self.down()?.id, self.find(Role::Slow)?.id);
        let all = plan.messages() + plan.more_backlog().0 + plan.for_the_slow().0;
        let wanted = plan.samples.clamp(1, all);
        let begun = Instant::now();
        let mut samples = Vec::new();
        for number in 1..=wanted {
            while given.load(Ordering::Relaxed) < plan.backlog + all * number / wanted {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
            let vitals = service.process.look()?;
            let (database_bytes, log_bytes) = service.sizes()?;
            let tasks = service.summary().await?.tasks as u64;
            let (down, slow) = (service.route(down).await?, service.route(slow).await?);
            samples.push(Sample {
                at_s: begun.elapsed().as_secs_f64(),
                rss_kb: vitals.rss_kb,
                pss_kb: vitals.pss_kb,
                peak_kb: vitals.peak_kb,
                open_files: vitals.open_files,
                threads: vitals.threads,
                tasks,
                database_bytes,
                log_bytes,
                given: given.load(Ordering::Relaxed),
                taken: tallies.taken(),
                waiting_down: down.lag.events,
                lost_down: down.lost,
                waiting_slow: slow.lag.events,
            });
        }
        Ok(samples)
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
fn say(what: &str) {
    #[expect(clippy::print_stderr, reason = "a command that takes an hour says what it is at")]
    {
        eprintln!("{what}");
    }
}
