//! Questions that wait for an event.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tandem_model::BotId;
use tokio::sync::{Notify, futures::Notified};

/// By bot; empty for bots of which nobody waits.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<BTreeMap<BotId, Arc<Notify>>>);

impl Waiting {
    fn bots(&self) -> MutexGuard<'_, BTreeMap<BotId, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets everybody look again who waits for this bot.
    pub(crate) fn wake(&self, bot: BotId) {
        if let Some(notify) = self.bots().get(&bot) {
            notify.notify_waiters();
        }
    }

    pub(super) fn waiter(&self, bot: BotId) -> Waiter<'_> {
        let notify = Arc::clone(self.bots().entry(bot).or_default());
        Waiter { waiting: self, bot, notify: Some(notify) }
    }
}

/// Somebody who waits.
pub(super) struct Waiter<'a> {
    waiting: &'a Waiting,
    bot: BotId,
    notify: Option<Arc<Notify>>,
}

impl Waiter<'_> {
    pub(super) fn woken(&self) -> Notified<'_> {
        self.notify.as_ref().expect("it is there until the waiter is dropped").notified()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.notify = None;
        let mut bots = self.waiting.bots();
        if bots.get(&self.bot).is_some_and(|notify| Arc::strong_count(notify) == 1) {
            bots.remove(&self.bot);
        }
    }
}
