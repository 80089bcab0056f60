//! What the scheduler, the workers and the public verbs share.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tandem_journal::{Lease, Store};
use tandem_model::{BotId, Clock, Seq};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::{
    core::Env,
    pull::{Sessions, Waiting},
    registry::Registry,
};

/// Under which right lanes write: the leases that this process has (DESIGN section 10).
pub trait LeaseSource: Send + Sync {
    /// The lease for a bot; `None` when this process does not own it.
    fn lease(&self, bot: BotId) -> Option<Lease>;
}

/// Everything lanes need.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) leases: Arc<dyn LeaseSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) env: Arc<Env>,
    /// Something has become ready, or a worker has ended.
    pub(crate) wake: Notify,
    pub(crate) sessions: Sessions,
    pub(crate) waiting: Waiting,
    registry: Mutex<Registry>,
    starting: Arc<Semaphore>,
}

impl Shared {
    /// The bot's journal goes up to `last` now.
    pub(crate) fn tell(&self, bot: BotId, last: Seq) {
        let ready = self.registry().wake(bot, last);
        self.waiting.wake(bot, last);
        if ready {
            self.wake.notify_one();
        }
    }

    pub(crate) fn new(
        store: Arc<dyn Store>,
        leases: Arc<dyn LeaseSource>,
        clock: Arc<dyn Clock>,
        env: Arc<Env>,
    ) -> Self {
        let starting = Arc::new(Semaphore::new(env.config.starting.max(1)));
        let registry = Mutex::new(Registry::default());
        Self {
            store,
            leases,
            clock,
            env,
            wake: Notify::new(),
            sessions: Sessions::default(),
            waiting: Waiting::default(),
            registry,
            starting,
        }
    }

    /// The registry. Never held while anything is waited for.
    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to look for work, if not too many lanes are doing so.
    pub(crate) fn permit(self: &Arc<Self>) -> Option<Permit> {
        let permit = Arc::clone(&self.starting).try_acquire_owned().ok()?;
        Some(Permit { permit: Some(permit), shared: Arc::clone(self) })
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("env", &self.env).finish_non_exhaustive()
    }
}

/// One of the lanes that may look for work at a time.
pub(crate) struct Permit {
    permit: Option<OwnedSemaphorePermit>,
    shared: Arc<Shared>,
}

impl Permit {
    /// Gives it back unused: nobody has to be told.
    pub(crate) fn give_back(mut self) {
        self.permit = None;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.permit.take().is_some() {
            self.shared.wake.notify_one();
        }
    }
}
