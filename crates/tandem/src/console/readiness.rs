//! Whether the service takes what comes.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tandem_journal::Health;
use tokio::sync::watch;

const STARTING: u8 = 0;
const RUNNING: u8 = 1;
const STOPPING: u8 = 2;

/// Set by who runs the parts, asked by who watches. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Readiness {
    phase: Arc<AtomicU8>,
    store: watch::Receiver<Health>,
}

impl Readiness {
    /// Not ready yet.
    pub(crate) fn new(store: watch::Receiver<Health>) -> Self {
        Self { phase: Arc::new(AtomicU8::new(STARTING)), store }
    }

    /// All parts run. When one of them ends, so does the process.
    pub(crate) fn running(&self) {
        self.phase.store(RUNNING, Ordering::Release);
    }

    /// Nothing new is taken in any more.
    pub(crate) fn stopping(&self) {
        self.phase.store(STOPPING, Ordering::Release);
    }

    /// `Err` says why not, in a sentence for people.
    pub(crate) fn check(&self) -> Result<(), String> {
        match self.phase.load(Ordering::Acquire) {
            STARTING => return Err("starting".to_owned()),
            STOPPING => {
                return Err("stopping: what was begun is finished, nothing new is taken in".to_owned());
            }
            _ => {}
        }
        match &*self.store.borrow() {
            // Telegram keeps what is refused while the disk is nearly full, and everybody else is served.
            Health::Good | Health::LowDisk => Ok(()),
            Health::Full => Err("the disk is full: nothing can be stored".to_owned()),
            Health::Failed { reason } => Err(format!("the store has failed: {reason}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_who_runs_and_can_store() {
        let health = watch::Sender::new(Health::Good);
        let readiness = Readiness::new(health.subscribe());
        let said = |readiness: &Readiness| readiness.check().err().unwrap_or_default();
        assert_eq!(said(&readiness), "starting");
        readiness.running();
        for (health_now, expected) in [
            (Health::Good, ""),
            (Health::LowDisk, ""),
            (Health::Full, "the disk is full: nothing can be stored"),
            (Health::Failed { reason: "disk I/O error".to_owned() }, "the store has failed: disk I/O error"),
        ] {
            health.send_replace(health_now);
            assert_eq!(said(&readiness), expected);
        }
        health.send_replace(Health::Good);
        readiness.stopping();
        assert!(said(&readiness).starts_with("stopping"));
    }
}
