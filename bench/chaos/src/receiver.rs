//! A webhook of somebody else's: takes updates, notes exactly what came and what it said, and fails as it is told.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{StatusCode, header};
use rand::{RngExt as _, SeedableRng as _, rngs::ChaCha12Rng};

use crate::{
    history::{Answer, Receipt},
    http::{Door, Reply, listen},
    plan::Fault,
    run::now_ms,
    seen::Seen,
};

/// Which part of the deliveries a fault meets while it lasts.
const SHARE: f64 = 0.7;
/// Which part fails at any other time.
const ALWAYS: f64 = 0.03;

/// What a receiver does with an update that it took for the first time: for apps, which answer their clients.
pub(crate) trait React: Send + Sync + 'static {
    /// Takes it; gives the body of the answer.
    fn react(&self, body: &Bytes) -> Bytes;
}

/// Takes it and says nothing.
#[derive(Debug)]
pub(crate) struct Silent;

impl React for Silent {
    fn react(&self, _body: &Bytes) -> Bytes {
        Bytes::new()
    }
}

/// A webhook. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Receiver {
    state: Arc<Mutex<State>>,
    door: Door,
    react: Arc<dyn React>,
}

struct State {
    rng: ChaCha12Rng,
    fault: Option<Fault>,
    well: bool,
    receipts: Vec<Receipt>,
    known: BTreeSet<u64>,
}

/// How a delivery is met.
#[derive(Debug, Clone, Copy)]
struct Manner {
    answer: Answer,
    status: StatusCode,
    slow: Duration,
    reset: bool,
}

impl Manner {
    const WELL: Self =
        Self { answer: Answer::Took, status: StatusCode::OK, slow: Duration::ZERO, reset: false };

    const fn says(self, answer: Answer, status: StatusCode) -> Self {
        Self { answer, status, ..self }
    }
}

impl Receiver {
    /// Listens.
    pub(crate) async fn start(seed: u64, react: Arc<dyn React>) -> anyhow::Result<(Self, SocketAddr)> {
        let state = State {
            rng: ChaCha12Rng::seed_from_u64(seed),
            fault: None,
            well: false,
            receipts: Vec::new(),
            known: BTreeSet::new(),
        };
        let receiver = Self { state: Arc::new(Mutex::new(state)), door: Door::open(), react };
        let handler = receiver.clone();
        let address = listen(receiver.door.clone(), move |_parts, body| {
            let receiver = handler.clone();
            async move { receiver.take(body).await }
        })
        .await?;
        Ok((receiver, address))
    }

    /// From now on it fails like this.
    pub(crate) fn fail(&self, fault: Fault) {
        match fault {
            Fault::RelayIsAway | Fault::WebhookIsAway => self.door.shut(),
            fault => self.lock().fault = Some(fault),
        }
    }

    /// The planned fault is over.
    pub(crate) fn heal(&self) {
        self.door.reopen();
        self.lock().fault = None;
    }

    /// From now on nothing fails at all.
    pub(crate) fn be_well(&self) {
        self.heal();
        self.lock().well = true;
    }

    /// What came.
    pub(crate) fn receipts(&self) -> Vec<Receipt> {
        self.lock().receipts.clone()
    }

    async fn take(&self, body: Bytes) -> Reply {
        let Some(seen) = Seen::read(&body) else { return Reply::status(StatusCode::BAD_REQUEST) };
        let (manner, fresh) = {
            let mut state = self.lock();
            let manner = state.manner();
            state.receipts.push(Receipt { at_ms: now_ms(), seen: seen.clone(), answer: manner.answer });
            let fresh = manner.answer != Answer::Failed && state.known.insert(seen.identity);
            (manner, fresh)
        };
        let said = if fresh { self.react.react(&body) } else { Bytes::new() };
        tokio::time::sleep(manner.slow).await;
        if manner.reset {
            return Reply::Reset;
        }
        if manner.status == StatusCode::OK {
            return Reply::whole(manner.status, "application/json", said);
        }
        let mut reply = Reply::status(manner.status);
        if manner.status == StatusCode::TOO_MANY_REQUESTS
            && let Reply::Whole(response) = &mut reply
        {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        reply
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn manner(&mut self) -> Manner {
        if self.well {
            return Manner::WELL;
        }
        let met = self.fault.filter(|_| self.rng.random_bool(SHARE));
        match met {
            Some(Fault::RelayFails | Fault::WebhookFails) => self.failing(),
            Some(Fault::WebhookIsGone) => Manner::WELL.says(Answer::Failed, StatusCode::GONE),
            Some(Fault::RelayIsSlow | Fault::WebhookIsSlow) => {
                Manner { slow: Duration::from_millis(self.rng.random_range(300..4_000)), ..Manner::WELL }
            }
            _ if self.rng.random_bool(ALWAYS) => self.failing(),
            _ => Manner::WELL,
        }
    }

    /// Some failure or other, some of them after the update was taken.
    fn failing(&mut self) -> Manner {
        let answer = if self.rng.random_bool(0.3) { Answer::TookAndFailed } else { Answer::Failed };
        match self.rng.random_range(0..5) {
            0 => Manner { reset: true, ..Manner::WELL.says(answer, StatusCode::OK) },
            1 => Manner::WELL.says(answer, StatusCode::TOO_MANY_REQUESTS),
            2 => Manner::WELL.says(answer, StatusCode::NOT_FOUND),
            _ => Manner::WELL.says(answer, StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}
