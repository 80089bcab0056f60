//! The app that polls: asks, acts, confirms by the next question's offset; now and then it forgets where it was, or runs
//! twice.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::RngExt as _;
use serde_json::{Value, json};

use super::talk::Voice;
use crate::{
    history::{Answer, Poll, Receipt},
    run::now_ms,
    seen::Seen,
};

/// How long a question may wait, in seconds.
const WAIT_SECS: u64 = 2;
/// After a failure.
const PAUSE: Duration = Duration::from_millis(150);

/// The app. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PollingApp(Arc<Inner>);

struct Inner {
    voice: Voice,
    ticks: AtomicU64,
    /// The next offset; 0 after a start.
    offset: Mutex<i64>,
    log: Mutex<Log>,
    stop: AtomicBool,
}

#[derive(Default)]
struct Log {
    polls: Vec<Poll>,
    receipts: Vec<Receipt>,
    known: BTreeSet<u64>,
}

impl PollingApp {
    /// Begins to ask.
    pub(crate) fn start(voice: Voice) -> Self {
        let app = Self(Arc::new(Inner {
            voice,
            ticks: AtomicU64::new(0),
            offset: Mutex::new(0),
            log: Mutex::default(),
            stop: AtomicBool::new(false),
        }));
        let asking = app.clone();
        tokio::spawn(async move {
            while !asking.0.stop.load(Ordering::Relaxed) {
                if !asking.ask().await {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        });
        app
    }

    /// It is started anew and knows nothing of what it had.
    pub(crate) fn restart(&self) {
        *self.offset() = 0;
    }

    /// A second one asks beside it, once.
    pub(crate) async fn ask_beside(&self) {
        self.ask().await;
    }

    pub(crate) fn stop(&self) {
        self.0.stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn polls(&self) -> Vec<Poll> {
        self.log().polls.clone()
    }

    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        self.log().receipts.clone()
    }

    /// One question; whether it was answered.
    async fn ask(&self) -> bool {
        let offset = *self.offset();
        let limit = self.0.voice.lock().random_range(1..=100);
        let mut question = json!({ "limit": limit, "timeout": WAIT_SECS });
        if offset > 0 {
            question["offset"] = offset.into();
        }
        let asked = self.tick();
        let answer = match self.0.voice.call("getUpdates").json(&question).send().await {
            Ok(answer) if answer.status().is_success() => answer.bytes().await.ok(),
            Ok(_) | Err(_) => None,
        };
        let Some(updates) = answer.as_deref().and_then(Seen::read_answer) else { return false };
        let answered = self.tick();
        let at_ms = now_ms();
        let mut fresh = Vec::new();
        {
            let mut log = self.log();
            let got = updates.iter().map(|(seen, _)| (seen.update_id, seen.identity)).collect();
            log.polls.push(Poll { asked, answered, offset, got });
            for (seen, raw) in &updates {
                if log.known.insert(seen.identity) {
                    fresh.push(serde_json::from_str::<Value>(raw.get()).unwrap_or_default());
                }
                log.receipts.push(Receipt { at_ms, seen: seen.clone(), answer: Answer::Took });
            }
        }
        if let Some((last, _)) = updates.last() {
            let mut next = self.offset();
            // Started anew meanwhile: what it had is forgotten.
            if *next == offset {
                *next = last.update_id + 1;
            }
        }
        for update in fresh {
            self.0.voice.answer(&update);
        }
        true
    }

    fn tick(&self) -> u64 {
        self.0.ticks.fetch_add(1, Ordering::SeqCst)
    }

    fn offset(&self) -> MutexGuard<'_, i64> {
        self.0.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
