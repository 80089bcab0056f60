//! A soak from beginning to end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use tokio::time::Instant;

use crate::{
    apps::Apps,
    backlog::Backlog,
    bots::{Bot, Role},
    clients::Clients,
    history::{History, Idle, Sample},
    machine,
    measure::Service,
    outcome::{Ending, read_what_is_left},
    pace,
    plan::Plan,
    scene::{Scene, say},
    tally::Tallies,
};

/// How often it is looked whether it is time for a sample.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

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
