//! Questions that wait for an event.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tandem_model::{BotId, Seq};
use tokio::sync::watch;

/// How far each journal goes, as far as was heard; empty for bots of which nobody waits.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<BTreeMap<BotId, watch::Sender<Seq>>>);

impl Waiting {
    fn bots(&self) -> MutexGuard<'_, BTreeMap<BotId, watch::Sender<Seq>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets everybody look again who waits for this bot and has not seen so much of its journal.
    pub(crate) fn wake(&self, bot: BotId, last: Seq) {
        if let Some(appended_to) = self.bots().get(&bot) {
            appended_to.send_if_modified(|before| {
                let further = *before < last;
                *before = last.max(*before);
                further
            });
        }
    }

    pub(super) fn waiter(&self, bot: BotId) -> Waiter<'_> {
        let appended_to = self.bots().entry(bot).or_insert_with(|| watch::Sender::new(Seq::ZERO)).subscribe();
        Waiter { waiting: self, bot, appended_to: Some(appended_to) }
    }
}

/// Somebody who waits.
pub(super) struct Waiter<'a> {
    waiting: &'a Waiting,
    bot: BotId,
    appended_to: Option<watch::Receiver<Seq>>,
}

impl Waiter<'_> {
    /// Until the journal goes further than `seen`. What was heard of since the waiter was made counts.
    pub(super) async fn appended_after(&mut self, seen: Seq) {
        let appended_to = self.appended_to.as_mut().expect("it is there until the waiter is dropped");
        // Its sender is there as long as somebody waits.
        let _ = appended_to.wait_for(|last| *last > seen).await;
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.appended_to = None;
        let mut bots = self.waiting.bots();
        if bots.get(&self.bot).is_some_and(|appended_to| appended_to.receiver_count() == 0) {
            bots.remove(&self.bot);
        }
    }
}
