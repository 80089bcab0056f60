//! The one way events get into a journal: appended under this process's lease, and the bot's lanes told.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tandem_journal::{Append, Appended, Health, Lease, Store, Urgency, WriteError};
use tandem_lanes::{Lanes, LeaseSource, Waker};
use tandem_model::BotId;
use tokio::{sync::watch, time::Instant};

use crate::{
    known::Known,
    metrics::{Recorded, RecorderMetrics},
    serve::gathered,
};

/// How long sends are refused after the store has failed to keep one.
const FIRST_REFUSAL: Duration = Duration::from_secs(5);
/// The longest that this becomes while it goes on failing.
const LONGEST_REFUSAL: Duration = Duration::from_mins(1);
/// How often and in what distance it is tried again when the queue of a bot was full.
const CROWDED: (u32, Duration) = (100, Duration::from_millis(50));

/// Appends to bots' journals and wakes their lanes. Cheap to clone.
#[derive(Clone)]
pub struct Recorder {
    store: Arc<dyn Store>,
    leases: Arc<dyn LeaseSource>,
    lanes: Waker,
    health: watch::Receiver<Health>,
    trouble: Arc<Mutex<Option<Trouble>>>,
    metrics: RecorderMetrics,
    known: Arc<Known>,
}

/// The store failed to keep what will not come again. Its health says so for a moment only, because nothing else may
/// try it; so what it did is remembered.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    until: Instant,
    wait: Duration,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Another replica owns the bot.
    #[error("this process does not own bot {bot}")]
    NotOwned {
        /// Which bot.
        bot: BotId,
    },
    /// The store did not take it.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl Recorder {
    /// A recorder for the bots that `leases` knows.
    pub fn new(store: Arc<dyn Store>, leases: Arc<dyn LeaseSource>, lanes: &Lanes) -> Self {
        let health = store.health();
        Self {
            store,
            leases,
            lanes: lanes.waker(),
            health,
            trouble: Arc::default(),
            metrics: RecorderMetrics::default(),
            known: Arc::default(),
        }
    }

    /// Commits, then wakes the bot's lanes. `Ok` means durable.
    pub async fn record(&self, bot: BotId, mut append: Append) -> Result<Vec<Appended>, RecordError> {
        let lease = self.leases.lease(bot).ok_or(RecordError::NotOwned { bot })?;
        let events: Vec<_> = append.events.iter().map(Recorded::of).collect();
        let kept = append.urgency == Urgency::MustKeep;
        append.facts.extend(self.known.uses.marks(bot, &append.facts));
        let facts = append.facts.clone();
        let appended = self.append(lease, bot, append).await;
        match &appended {
            Ok(_) => *self.trouble() = None,
            Err(error) if kept && is_of_the_store(error) => self.refuse_for_a_while(),
            Err(_) => {}
        }
        let appended = appended?;
        self.known.learn(bot, &facts);
        self.metrics.count(&events, &appended);
        tell(bot, &events, &appended);
        if let Some(last) = appended.iter().map(|one| one.seq()).max() {
            self.lanes.wake(bot, last);
        }
        Ok(appended)
    }

    /// Whether what the company's side says could be kept if it were said now. Sends are refused before they are
    /// forwarded when it could not (invariant 1).
    ///
    /// After the store has failed to keep something, it is believed again once it has kept anything at all; if nothing
    /// tries it, one send is let through from time to time to see.
    pub fn keeps_promises(&self) -> bool {
        match &*self.health.borrow() {
            Health::Good | Health::LowDisk => {}
            Health::Full | Health::Failed { .. } => return false,
        }
        match &mut *self.trouble() {
            None => true,
            Some(trouble) if trouble.until <= Instant::now() => {
                trouble.until = Instant::now() + trouble.wait;
                true
            }
            Some(_) => false,
        }
    }

    async fn append(&self, lease: Lease, bot: BotId, append: Append) -> Result<Vec<Appended>, WriteError> {
        let (mut tries, pause) = CROWDED;
        loop {
            match gathered(self.store.append(lease, bot, append.clone())).await {
                // Whoever can wait is told so; what was sent already stands in line until there is room.
                Err(WriteError::Crowded { .. }) if append.urgency == Urgency::MustKeep && tries > 0 => {
                    tries -= 1;
                    tokio::time::sleep(pause).await;
                }
                appended => return appended,
            }
        }
    }

    fn refuse_for_a_while(&self) {
        let mut trouble = self.trouble();
        let wait = trouble.map_or(FIRST_REFUSAL, |trouble| (trouble.wait * 2).min(LONGEST_REFUSAL));
        *trouble = Some(Trouble { until: Instant::now() + wait, wait });
    }

    /// What is true in conversations, by what was committed.
    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    pub(crate) const fn metrics(&self) -> &RecorderMetrics {
        &self.metrics
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows the store's health.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("health", &self.health).finish_non_exhaustive()
    }
}

/// Names each event in the log, so that one can be followed: with the span of whoever brought it here, in the lanes by
/// its id.
fn tell(bot: BotId, events: &[Recorded], appended: &[Appended]) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    for (Recorded { kind, topic, upstream }, appended) in events.iter().zip(appended) {
        let (event, kind) = (format!("{bot}/{}", appended.seq()), kind.as_str());
        let update = upstream.map(|upstream| upstream.id.get());
        match appended {
            Appended::New { .. } => tracing::debug!(
                event.id = event,
                event.kind = kind,
                event.topic = topic,
                telegram.update_id = update,
                "committed event {event}"
            ),
            Appended::Duplicate { .. } => {
                tracing::debug!(event.id = event, telegram.update_id = update, "event {event} came again");
            }
        }
    }
}

/// Whether the store failed as a whole, rather than at this event or for this bot.
const fn is_of_the_store(error: &WriteError) -> bool {
    match error {
        WriteError::LowDisk
        | WriteError::Full
        | WriteError::ReadOnly
        | WriteError::Corrupt { .. }
        | WriteError::Unavailable(_)
        | WriteError::Closed => true,
        WriteError::Fenced { .. } | WriteError::Crowded { .. } | WriteError::TooLarge { .. } => false,
    }
}
