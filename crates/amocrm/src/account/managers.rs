//! Names of managers (4.3): learned when the channel is connected, and again after somebody was heard who has none, since
//! people are hired. What he wrote first has no name then; everything after that has.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tandem_model::{Timestamp, message::Manager};
use tandem_vendor::News;

use super::AmocrmAccount;

/// How often users are asked for at most: bots and those whom no user is behind never get a name.
const PAUSE: Duration = Duration::from_mins(10);

/// Whether somebody has no name.
#[derive(Debug, Default)]
pub(super) struct Nameless {
    heard: AtomicBool,
    asked_at: Mutex<Option<Timestamp>>,
}

impl AmocrmAccount {
    /// Notes who was heard.
    pub(super) fn note_speakers(&self, news: &[News]) {
        for one in news {
            if let News::Heard(heard) = one {
                self.note_speaker(&heard.by);
            }
        }
    }

    pub(super) fn note_speaker(&self, manager: &Manager) {
        if manager.name.is_none() && !manager.id.is_empty() {
            self.nameless.heard.store(true, Ordering::Relaxed);
        }
    }

    /// Learns the names of those who had none. That it fails keeps nothing from going on.
    pub(super) async fn learn_names(&self) {
        let Some(rest) = &self.rest else { return };
        let now = self.clock.now();
        {
            let mut asked_at = self.nameless.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
            let is_recent = asked_at.is_some_and(|at| at <= now && now.since(at) < PAUSE);
            if is_recent || !self.nameless.heard.swap(false, Ordering::Relaxed) {
                return;
            }
            *asked_at = Some(now);
        }
        if let Ok(names) = rest.manager_names().await {
            self.change_facts(|facts| facts.managers = names);
        }
    }
}
