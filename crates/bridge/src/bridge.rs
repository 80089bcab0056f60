//! The bridge itself: what it holds, how it starts and ends.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use tandem_journal::ReadError;
use tandem_model::{BotId, ConnectionId};
use tandem_telegram::upstream::SetUpError;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    BotStatus, Connector, Media, Parts, RouteDocument,
    bots::LiveBot,
    chats::Chats,
    companion::{Notes, Relayed},
    connections::{Authorizations, Connections},
    doctor::SelfWords,
    guard::{self, Pace},
    hooks::{HookMetrics, drain_inbox},
    relay::Relays,
    replies,
    secrets::Vault,
    turns::{Turn, Turns},
    upkeep,
};

/// How many bots are read from the store at a time.
const PAGE: usize = 500;

/// How many webhooks are set at a time.
const WEBHOOKS_AT_A_TIME: usize = 32;

/// Everything that runs for bots. Cheap to clone: clones are the same bridge.
#[derive(Clone)]
pub struct Bridge(Arc<Inner>);

struct Inner {
    parts: Parts,
    vault: Vault,
    media: Media,
    connectors: Vec<Arc<dyn Connector>>,
    replies: Arc<replies::Shared>,
    /// What clients wrote that was relayed a moment ago.
    relayed: Arc<Relayed>,
    /// What the notes of all routes share.
    notes: Arc<Notes>,
    bots: RwLock<BTreeMap<BotId, Arc<LiveBot>>>,
    /// Settings are followed one bot at a time, so that what is read is what is made of it.
    syncing: tokio::sync::Mutex<()>,
    /// A bot's stream is taken over or given back by one at a time, so that a service that finishes what was
    /// interrupted and an operator do not undo each other's steps.
    handing_over: Turns<BotId>,
    connections: Connections,
    /// Grants of access that somebody was sent for.
    authorizations: Authorizations,
    /// What is heard is taken once: one at a time of each of a vendor's ids.
    hearing: Turns<(ConnectionId, String)>,
    hook_metrics: HookMetrics,
    /// By which we recognise ourselves at our public address.
    self_words: SelfWords,
    /// Bots whose webhooks are set at this moment. A start has it done for all of them: without a bound, as many
    /// connections to Telegram as there are bots.
    setting_webhooks: Semaphore,
    /// The pace of all guard checks together.
    pace: Pace,
    tasks: TaskTracker,
    /// Set while the bridge runs: what ends it.
    run: Mutex<Option<Run>>,
}

/// What ends a bridge that runs.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) soft: CancellationToken,
    pub(crate) hard: CancellationToken,
}

/// Why a bridge could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The client for routes could not be made.
    #[error("the client for routes cannot be made")]
    SetUp(#[from] SetUpError),
    /// The settings could not be read.
    #[error("the bots could not be read")]
    Read(#[from] ReadError),
}

impl Bridge {
    /// Reads the bots, makes them known to the gateway and gives their routes' lanes destinations. Nothing is taken
    /// in or delivered before it [runs](Bridge::run).
    ///
    /// A bot that cannot be served (a secret that does not open, a document of a newer version) is logged and left
    /// alone; the others are served.
    pub async fn open(parts: Parts) -> Result<Self, OpenError> {
        let vault = Vault::new(Arc::clone(&parts.store), Arc::clone(&parts.sealer), Arc::clone(&parts.rng));
        let relayed = Arc::new(Relayed::new(Arc::clone(&parts.clock)));
        let relays =
            Relays::new(parts.config.roots.clone(), parts.config.guard.clone(), Arc::clone(&relayed))?;
        let (connections, media) = (Connections::new(parts.vendors.clone()), Media::new(&parts));
        let chats = Chats::new(
            Arc::clone(&parts.store),
            Arc::clone(&parts.clock),
            Arc::new(connections.clone()),
            Arc::<crate::Ownership>::clone(&parts.ownership),
            Arc::new(media.clone()),
        );
        let notes =
            Notes::new(Arc::clone(&parts.store), Arc::clone(&parts.clock), Arc::new(connections.clone()));
        let mut connectors = parts.connectors.clone();
        connectors.push(Arc::new(chats));
        connectors.push(Arc::new(relays));
        let bridge = Self(Arc::new(Inner {
            pace: Pace::new(Arc::clone(&parts.clock)),
            media,
            replies: Arc::new(replies::Shared::new(&parts, Arc::new(connections.clone()))),
            relayed,
            notes: Arc::new(notes),
            parts,
            vault,
            connectors,
            bots: RwLock::default(),
            syncing: tokio::sync::Mutex::default(),
            handing_over: Turns::default(),
            connections,
            authorizations: Authorizations::default(),
            hearing: Turns::default(),
            hook_metrics: HookMetrics::default(),
            self_words: SelfWords::default(),
            setting_webhooks: Semaphore::new(WEBHOOKS_AT_A_TIME),
            tasks: TaskTracker::new(),
            run: Mutex::default(),
        }));
        if let Err(error) = bridge.sync_connections().await {
            let reason = Chain(&error);
            tracing::error!("not every connection can be used: {reason}");
        }
        let mut after = None;
        loop {
            let page = bridge.parts().store.list_bots(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(bridge) };
            after = Some(last.bot);
            for bot in page {
                if let Err(error) = bridge.sync(bot.bot).await {
                    let reason = Chain(&error);
                    tracing::error!(bot.id = %bot.bot, "bot {} is not served: {reason}", bot.bot);
                }
            }
        }
    }

    /// Takes updates in and keeps the store well until `soft` is cancelled; then finishes what is under way. `hard`
    /// ends at once, and what was under way is as after a crash. The lanes run beside it
    /// ([`tandem_lanes::Lanes::run`]).
    pub async fn run(&self, soft: CancellationToken, hard: CancellationToken) {
        let run = Run { soft: soft.clone(), hard: hard.clone() };
        *self.0.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run);
        for live in self.live_bots() {
            self.follow_phase(&live);
        }
        self.finish_adoptions();
        self.keep_all_connected(&Run { soft: soft.clone(), hard: hard.clone() });
        let inbox = drain_inbox(self.clone(), soft.clone());
        self.0.tasks.spawn(hard.clone().run_until_cancelled_owned(inbox));
        let upkeep = upkeep::run(self.clone(), soft.clone());
        let watch = guard::watch::run(self.clone(), soft.clone());
        self.0.tasks.spawn(hard.clone().run_until_cancelled_owned(upkeep));
        self.0.tasks.spawn(hard.run_until_cancelled_owned(watch));
        soft.cancelled().await;
        *self.0.run.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.tasks.close();
        self.0.tasks.wait().await;
        self.0.tasks.reopen();
    }

    /// How a bot that is ours is doing.
    pub fn status(&self, bot: BotId) -> Option<BotStatus> {
        self.find_live(bot).map(|live| live.status())
    }

    /// How all of them are doing, by id.
    pub fn list_status(&self) -> Vec<BotStatus> {
        self.live_bots().iter().map(|live| live.status()).collect()
    }

    /// What it was made of.
    pub fn parts(&self) -> &Parts {
        &self.0.parts
    }

    /// Secrets of bots and routes.
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    /// Addresses of files, and the files.
    pub fn media(&self) -> &Media {
        &self.0.media
    }

    pub(crate) fn connector_for(&self, route: &RouteDocument) -> Option<&Arc<dyn Connector>> {
        self.0.connectors.iter().find(|connector| connector.serves(route))
    }

    pub(crate) fn find_live(&self, bot: BotId) -> Option<Arc<LiveBot>> {
        self.0.bots.read().unwrap_or_else(PoisonError::into_inner).get(&bot).cloned()
    }

    pub(crate) fn live_bots(&self) -> Vec<Arc<LiveBot>> {
        self.0.bots.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    pub(crate) fn insert_live(&self, live: Arc<LiveBot>) {
        self.0.bots.write().unwrap_or_else(PoisonError::into_inner).insert(live.id(), live);
    }

    pub(crate) fn remove_live(&self, bot: BotId) -> Option<Arc<LiveBot>> {
        self.0.bots.write().unwrap_or_else(PoisonError::into_inner).remove(&bot)
    }

    /// One at a time: whoever makes what runs agree with what is stored.
    pub(crate) async fn syncing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.syncing.lock().await
    }

    /// One at a time of each bot: whoever takes its stream over or gives it back.
    pub(crate) async fn handing_over(&self, bot: BotId) -> Turn<'_, BotId> {
        self.0.handing_over.take(bot).await
    }

    /// Waits until there is room for another webhook to be set.
    pub(crate) async fn room_for_a_webhook(&self) -> SemaphorePermit<'_> {
        self.0.setting_webhooks.acquire().await.expect("it is never closed")
    }

    /// What ends the bridge, while it runs.
    pub(crate) fn current_run(&self) -> Option<Run> {
        self.0.run.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Accounts at vendors.
    pub fn connections(&self) -> &Connections {
        &self.0.connections
    }

    pub(crate) fn authorizations(&self) -> &Authorizations {
        &self.0.authorizations
    }

    /// One at a time of each of a vendor's ids: whoever takes what was heard.
    pub(crate) fn hearing(&self) -> &Turns<(ConnectionId, String)> {
        &self.0.hearing
    }

    pub(crate) fn hook_metrics(&self) -> &HookMetrics {
        &self.0.hook_metrics
    }

    pub(crate) fn self_words(&self) -> &SelfWords {
        &self.0.self_words
    }

    /// What the replies of all bots share.
    pub(crate) fn replies(&self) -> &Arc<replies::Shared> {
        &self.0.replies
    }

    pub(crate) fn relayed(&self) -> &Relayed {
        &self.0.relayed
    }

    pub(crate) fn notes(&self) -> &Arc<Notes> {
        &self.0.notes
    }

    pub(crate) fn pace(&self) -> &Pace {
        &self.0.pace
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }
}

impl fmt::Debug for Bridge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge").field("parts", &self.0.parts).finish_non_exhaustive()
    }
}

/// An error with all its causes, in one line.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn std::error::Error + Send + Sync));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.0, f)?;
        let mut next = self.0.source();
        while let Some(error) = next {
            write!(f, ": {error}")?;
            next = error.source();
        }
        Ok(())
    }
}
