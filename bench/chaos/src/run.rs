//! One run: everything is started, lives through the plan, is healed, comes to rest, and is judged.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    apps::{
        polling::PollingApp,
        talk::{Outbox, Voice},
        webhook::{KINDS, WebhookApp},
    },
    clients::Clients,
    disk::Disk,
    faults::Stage,
    history::{Consumer, HeldSample, History, LaneEnd, LaneLog, Order, Receipt, Settled, Size},
    plan::{Extent, Fault, Place, Plan},
    receiver::{Receiver, Silent},
    shim::Shim,
    supervisor::{Order as Tell, Supervisor},
    tandem::Tandem,
    verdict::Verdict,
    wire::Wire,
    world::World,
};

/// How often the sandbox's records are read on and the service is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(700);

/// The kinds of update that Telegram sends to a webhook that names none.
const DEFAULT_KINDS: [&str; 4] = ["message", "edited_message", "callback_query", "my_chat_member"];

/// The lanes of the two apps.
const MAIN: &str = "app:main";
const HOOKED: &str = "app:hooked";

/// The time by this machine's clock, in milliseconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the one clock of this program")]
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Lives through the plan of a seed and judges what was seen.
pub async fn run(seed: u64, extent: Extent, keep: Option<PathBuf>) -> anyhow::Result<Verdict> {
    let plan = Plan::of(seed, &extent);
    let begun = Instant::now();
    let folder = tempfile::Builder::new().prefix("chaos").tempdir()?;
    let mut everybody = Play::set_up(seed, folder.path().to_owned()).await?;
    everybody.live_through(&plan, seed, &extent).await?;
    let settled = everybody.settle(extent.settle).await?;
    let (history, unfilled) = everybody.end(settled).await?;
    if let Some(keep) = keep {
        std::fs::create_dir_all(&keep)?;
        std::fs::copy(folder.path().join("tandem.log"), keep.join("tandem.log"))?;
    }
    Ok(Verdict::of(seed, &plan, &history, unfilled, begun.elapsed()))
}

/// Everything that takes part.
struct Play {
    world: World,
    wire: Wire,
    stage: Arc<Stage>,
    tandem: Tandem,
    service: Supervisor,
    supervised: JoinHandle<anyhow::Result<()>>,
    outbox: Outbox,
    poller: PollingApp,
    webhook: Receiver,
    relay: Receiver,
    sizes: Vec<Size>,
    held: Vec<HeldSample>,
}

impl Play {
    async fn set_up(seed: u64, folder: PathBuf) -> anyhow::Result<Self> {
        let world = World::start(seed).await?;
        let (wire, telegram) = Wire::to(world.telegram_url(), seed ^ 0x1).await?;
        let disk = Disk::mount(&folder.join("disk"))?;
        let shim = Shim::build(&folder)?;
        let tandem = Tandem::new(&folder, &disk, &shim, telegram).await?;
        let serving = tandem.clone();
        let (service, supervised) = Supervisor::start(move || serving.serve());
        tandem.ready().await?;

        let token_file = folder.join("bot.token");
        std::fs::write(&token_file, &world.token)?;
        let token_path = token_file.display().to_string();
        let adopted = tandem.perform(&["adopt", "--token-file", &token_path]).await?;
        let main = adopted["app_token"].as_str().context("adopt shows the app's token")?.to_owned();
        let added = tandem.perform(&["apps", "add", "hooked"]).await?;
        let hooked = added["token"].as_str().context("a new app has a token")?.to_owned();

        let outbox = Outbox::default();
        let gateway = tandem.gateway_url();
        let (relay, relay_address) = Receiver::start(seed ^ 0x2, Arc::new(Silent)).await?;
        std::fs::write(folder.join("relay.url"), format!("http://{relay_address}/updates"))?;
        let file = "[[bot]]\ntoken_file = \"bot.token\"\n[[bot.route]]\nname = \"partner\"\nkind = \"relay\"\nurl_file = \"relay.url\"\n";
        std::fs::write(folder.join("bots.toml"), file)?;
        tandem.perform(&["apply", "bots.toml", "--yes"]).await?;

        let voice = Voice::new(outbox.clone(), HOOKED, (&gateway, &hooked), seed ^ 0x3)?;
        let (webhook, address) = Receiver::start(seed ^ 0x4, Arc::new(WebhookApp(voice.clone()))).await?;
        WebhookApp::set_webhook(&voice, &format!("http://{address}/bot")).await?;
        let poller = PollingApp::start(Voice::new(outbox.clone(), MAIN, (&gateway, &main), seed ^ 0x5)?);
        let stage = Stage::new(disk, shim, seed);
        Ok(Self {
            world,
            wire,
            stage: Arc::new(stage),
            tandem,
            service,
            supervised,
            outbox,
            poller,
            webhook,
            relay,
            sizes: Vec::new(),
            held: Vec::new(),
        })
    }

    /// Clients act, and everything goes wrong as planned.
    async fn live_through(&mut self, plan: &Plan, seed: u64, extent: &Extent) -> anyhow::Result<()> {
        let control = self.world.control();
        let clients = Clients::arrive(&control, self.world.bot, extent).await?;
        self.world.crm_is_unreliable().await?;
        let stop = CancellationToken::new();
        let mut acting = clients.act(&control, self.world.bot, seed ^ 0x6, extent.client_pause, &stop);
        let begun = Instant::now();
        let mut moments = moments(plan);
        moments.reverse();
        let mut next_look = begun;
        while begun.elapsed() < plan.lasts {
            while let Some((at, _)) = moments.last()
                && *at <= begun.elapsed()
            {
                let Some((_, moment)) = moments.pop() else { break };
                self.do_now(moment).await?;
            }
            if next_look <= Instant::now() {
                self.look().await?;
                next_look = Instant::now() + LOOK_EVERY;
            }
            self.stage.keep_filled()?;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        stop.cancel();
        while acting.join_next().await.is_some() {}
        Ok(())
    }

    async fn do_now(&mut self, moment: Moment) -> anyhow::Result<()> {
        match moment {
            Moment::Kill => self.service.order(Tell::Kill),
            Moment::Begin(fault, extent) => {
                self.stage.note_begin(fault);
                match fault.place() {
                    Place::Upstream if fault == Fault::UpstreamRebases => {
                        self.wire.forget_recent();
                        self.world.rebase(self.stage.next_base()).await?;
                        self.wire.forget_recent();
                    }
                    Place::Upstream => self.wire.fail(fault),
                    Place::Crm => {
                        let how = if fault == Fault::CrmIsAway { "refuse" } else { "reset" };
                        self.world.crm_goes_down(how).await?;
                    }
                    Place::Relay => self.relay.fail(fault),
                    Place::Webhook => self.webhook.fail(fault),
                    Place::Poller if fault == Fault::PollerRestarts => self.poller.restart(),
                    Place::Poller => {
                        let poller = self.poller.clone();
                        tokio::spawn(async move { poller.ask_beside().await });
                    }
                    Place::Disk | Place::Clock => self.stage.begin(fault, extent)?,
                    Place::Process if fault == Fault::Terminated => self.service.order(Tell::Terminate),
                    Place::Process => self.service.order(Tell::Stop),
                }
            }
            Moment::End(fault) => {
                match fault.place() {
                    Place::Upstream => self.wire.heal(),
                    Place::Crm => self.world.crm_comes_up().await?,
                    Place::Relay => self.relay.heal(),
                    Place::Webhook => self.webhook.heal(),
                    Place::Poller => {}
                    Place::Disk | Place::Clock => self.stage.end(fault)?,
                    Place::Process => self.service.order(Tell::Go),
                }
                self.stage.note_end(fault);
            }
        }
        Ok(())
    }

    /// Reads on in the records, and looks at the service from outside.
    async fn look(&mut self) -> anyhow::Result<()> {
        self.world.read_on().await?;
        if let Some(size) = self.service.pid().and_then(|pid| size_of(pid, &self.tandem)) {
            self.sizes.push(size);
        }
        // A process that stands still answers nothing.
        if self.held.len() < 20_000 && !self.stage.is(Fault::Stopped) {
            self.held.extend(self.tandem.held().await?);
        }
        Ok(())
    }

    /// Heals everything, and waits until everybody has everything.
    async fn settle(&mut self, patience: Duration) -> anyhow::Result<Settled> {
        self.wire.heal();
        self.relay.be_well();
        self.webhook.be_well();
        self.world.crm_is_well().await?;
        self.stage.heal()?;
        self.service.order(Tell::Go);
        let limit = Instant::now() + patience;
        let mut quiet = 0;
        loop {
            self.look().await?;
            let missing = self.missing().await?;
            quiet = if missing.is_none() { quiet + 1 } else { 0 };
            if quiet >= 3 {
                return Ok(Settled::Yes);
            }
            if let Some(missing) = missing
                && Instant::now() > limit
            {
                return Ok(Settled::No(missing));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What is not delivered yet, if anything.
    async fn missing(&self) -> anyhow::Result<Option<String>> {
        let pending = self.world.pending().await?;
        // What is given last is confirmed by the next question, which may be waiting.
        let Some(lanes) = self.tandem.lanes().await? else {
            return Ok(Some("tandem serve does not answer".to_owned()));
        };
        let open: Vec<String> = lanes
            .iter()
            .filter(|(_, end)| end.waiting + end.retrying > 0)
            .map(|(name, end)| format!("{name}: {} wait, {} are held", end.waiting, end.retrying))
            .collect();
        Ok(match (pending, open.is_empty()) {
            (0, true) => None,
            (pending, _) => Some(format!("{pending} at Telegram; {}", open.join(", "))),
        })
    }

    /// Ends everything, and puts together what was seen.
    async fn end(mut self, settled: Settled) -> anyhow::Result<(History, bool)> {
        let ends = self.tandem.lanes().await?.unwrap_or_default();
        self.poller.stop();
        self.service.finish().await?;
        (&mut self.supervised).await??;
        self.world.read_on().await?;
        let lanes = self.lane_logs(&ends);
        let history = History {
            updates: self.world.updates(&self.wire.given()),
            lanes,
            sends: self.outbox.sends(),
            carried_out: self.world.carried_out(),
            answers_lost: self.wire.answers_lost(),
            journal: self.tandem.journal()?,
            lives: self.service.lives(),
            episodes: self.stage.happened(),
            held: self.held,
            sizes: self.sizes,
            panics: self.tandem.panics()?,
            settled,
        };
        let unfilled = !self.stage.disk_can_be_filled();
        self.world.stop().await;
        Ok((history, unfilled))
    }

    fn lane_logs(&self, ends: &[(String, LaneEnd)]) -> Vec<LaneLog> {
        let log =
            |name: &str, consumer, order, kinds: &[&str], receipts: Vec<Receipt>, faults: &[Fault]| LaneLog {
                name: name.to_owned(),
                order,
                kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect::<BTreeSet<_>>(),
                consumer,
                receipts,
                polls: if consumer == Consumer::PollingApp { self.poller.polls() } else { Vec::new() },
                end: ends
                    .iter()
                    .find(|(lane, _)| lane == name)
                    .map(|(_, end)| end.clone())
                    .unwrap_or_default(),
                faults: faults.to_vec(),
            };
        let webhook_faults =
            [Fault::WebhookIsGone, Fault::WebhookFails, Fault::WebhookIsSlow, Fault::WebhookIsAway];
        let relay_faults = [Fault::RelayFails, Fault::RelayIsSlow, Fault::RelayIsAway];
        let families = Order::ConversationAndFamily;
        vec![
            log(
                "route:amocrm",
                Consumer::Route,
                Order::Conversation,
                &DEFAULT_KINDS,
                self.world.deliveries(),
                &[Fault::CrmIsAway, Fault::CrmResets],
            ),
            log(
                "route:partner",
                Consumer::Route,
                families,
                &DEFAULT_KINDS,
                self.relay.receipts(),
                &relay_faults,
            ),
            log(HOOKED, Consumer::PostedApp, families, &KINDS, self.webhook.receipts(), &webhook_faults),
            log(MAIN, Consumer::PollingApp, Order::Conversation, &DEFAULT_KINDS, self.poller.receipts(), &[]),
        ]
    }
}

/// Something to do at a moment.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Kill,
    Begin(Fault, u32),
    End(Fault),
}

fn moments(plan: &Plan) -> Vec<(Duration, Moment)> {
    let kills = plan.kills.iter().map(|at| (*at, Moment::Kill));
    let episodes = plan.episodes.iter().flat_map(|episode| {
        let begin = (episode.at, Moment::Begin(episode.fault, episode.extent));
        [begin, (episode.at + episode.lasts, Moment::End(episode.fault))]
    });
    let mut moments: Vec<_> = kills.chain(episodes).collect();
    moments.sort_by_key(|(at, _)| *at);
    moments
}

fn size_of(pid: u32, tandem: &Tandem) -> Option<Size> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let memory_kb = memory.trim().trim_end_matches(" kB").parse().ok()?;
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
    let (database, log) = tandem.file_sizes();
    Some(Size { at_ms: now_ms(), memory_kb, files: u64::try_from(files).ok()?, database, log })
}
