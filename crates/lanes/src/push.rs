//! Push lanes: attaching destinations, the one scheduler, shutdown.

use std::sync::{Arc, Weak};

use tandem_journal::Store;
use tandem_model::{BotId, Clock, Rng, Seq};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Destination, LaneAddress, LeaseSource, PushSpec,
    core::Env,
    gate::Gate,
    metrics::DeliveryMetrics,
    registry::{Detaching, Job, Noted},
    shared::{Permit, Shared},
    worker,
};

/// All push lanes of a process.
///
/// Cheap to clone: clones are the same lanes.
#[derive(Debug, Clone)]
pub struct Lanes {
    pub(crate) shared: Arc<Shared>,
}

/// Tells lanes of what was appended, as long as there are any.
#[derive(Debug, Clone)]
pub struct Waker(Weak<Shared>);

impl Waker {
    /// As [`Lanes::wake`] does.
    pub fn wake(&self, bot: BotId, last: Seq) {
        if let Some(shared) = self.0.upgrade() {
            shared.tell(bot, last);
        }
    }
}

/// Why a lane could not be attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AttachError {
    /// It has a destination already.
    #[error("lane {lane} is attached already")]
    Attached {
        /// Which lane.
        lane: LaneAddress,
    },
}

/// Why a lane was not detached as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DetachError {
    /// The store failed: what was delivered last will be delivered again.
    #[error("the last deliveries of lane {lane} could not be noted")]
    Unnoted {
        /// Which lane.
        lane: LaneAddress,
    },
}

/// When the scheduler ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Told,
    Quiet,
}

impl Lanes {
    /// Lanes over this store. Nothing is delivered before [`Lanes::run`].
    pub fn new(
        store: Arc<dyn Store>,
        leases: Arc<dyn LeaseSource>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        config: Config,
    ) -> Self {
        let (places, memory) = (Gate::new(config.max_in_flight), Gate::new(config.read_ahead_bytes));
        let env = Arc::new(Env { config, places, memory, rng, metrics: DeliveryMetrics::default() });
        Self { shared: Arc::new(Shared::new(store, leases, clock, env)) }
    }

    /// Gives a lane a destination. It goes on from where it stands in the store.
    pub fn attach(
        &self,
        lane: LaneAddress,
        spec: impl Into<Arc<PushSpec>>,
        destination: Arc<dyn Destination>,
    ) -> Result<(), AttachError> {
        self.shared.sessions.forget(lane);
        let attached = self.shared.registry().attach(lane, spec.into(), destination);
        self.shared.wake.notify_one();
        if attached { Ok(()) } else { Err(AttachError::Attached { lane }) }
    }

    /// Takes a lane's destination away and returns once everything that was delivered is noted. Runs at a
    /// destination that recognises repeats are broken off, to come again; others are waited for.
    ///
    /// Nothing happens to a lane that is not attached. Dropping the future leaves the lane attached or not.
    pub async fn detach(&self, lane: LaneAddress) -> Result<(), DetachError> {
        let detaching = self.shared.registry().detach(lane);
        let noted = match detaching {
            Detaching::Unknown => Noted::Everything,
            Detaching::Wait(ended) => ended.await.unwrap_or(Noted::NotAll),
            Detaching::Finish(job) => worker::work(Arc::clone(&self.shared), *job, None).await,
        };
        match noted {
            Noted::Everything => Ok(()),
            Noted::NotAll => Err(DetachError::Unnoted { lane }),
        }
    }

    /// Whether a lane has a destination.
    pub fn is_attached(&self, lane: LaneAddress) -> bool {
        self.shared.registry().contains(lane)
    }

    /// Tells the bot's lanes that its journal goes up to `last` now. Cheap, and never waits; wakes may come in any
    /// order, and one that says nothing new costs the lanes nothing.
    pub fn wake(&self, bot: BotId, last: Seq) {
        self.shared.tell(bot, last);
    }

    /// What tells these lanes, without keeping them: destinations may hold it, and lanes hold destinations.
    pub fn waker(&self) -> Waker {
        Waker(Arc::downgrade(&self.shared))
    }

    /// Delivers until `soft` is cancelled, then finishes what is under way and notes it. `hard` ends at once, and
    /// what was under way is as after a crash.
    pub async fn run(&self, soft: CancellationToken, hard: CancellationToken) {
        self.shared.registry().start();
        let mut workers = JoinSet::new();
        let finished = hard.run_until_cancelled(self.schedule(&mut workers, &soft, Until::Told)).await;
        if finished.is_none() {
            workers.shutdown().await;
        }
    }

    /// Does everything that is due at the clock's time, and returns when nothing is under way any more: for tests
    /// with a clock that stands still.
    pub async fn run_due(&self) {
        self.shared.registry().start();
        let mut workers = JoinSet::new();
        self.schedule(&mut workers, &CancellationToken::new(), Until::Quiet).await;
    }

    async fn schedule(&self, workers: &mut JoinSet<Noted>, soft: &CancellationToken, until: Until) {
        let mut stopping = false;
        loop {
            while let Some((job, permit)) = self.next_job() {
                workers.spawn(worker::work(Arc::clone(&self.shared), job, Some(permit)));
            }
            if workers.is_empty() && (stopping || until == Until::Quiet) {
                return;
            }
            let timer = self.shared.registry().next_timer();
            let time = async {
                match timer {
                    Some(at) => self.shared.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = soft.cancelled(), if !stopping => {
                    stopping = true;
                    self.shared.registry().stop();
                }
                Some(ended) = workers.join_next() => {
                    if let Err(error) = ended && error.is_panic() {
                        tracing::error!("a lane's worker panicked: the lane is read again from the store");
                    }
                }
                () = self.shared.wake.notified() => {}
                () = time => {}
            }
        }
    }

    /// The next lane that may look for work.
    fn next_job(&self) -> Option<(Job, Permit)> {
        let permit = self.shared.permit()?;
        let job = self.shared.registry().next_job(self.shared.clock.now());
        let Some(job) = job else {
            permit.give_back();
            return None;
        };
        Some((job, permit))
    }
}
