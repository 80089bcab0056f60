//! What is known of one connection: shared by its stream, which sees bytes, its requests, which see meaning, and the
//! listener, which has to choose who goes when there is no more room.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::Waker,
};

use tokio::time::Instant;

use super::{Limits, Peer, head::HeadScan};

#[derive(Debug)]
pub(super) struct Connection {
    peer: Peer,
    counted: Option<IpAddr>,
    /// Bytes of all heads of the listener that are not whole yet.
    heads: Arc<AtomicUsize>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    proven: bool,
    let_go: bool,
    requests: u64,
    scan: HeadScan,
    /// What the peer sends is not read any more, though it may still be sending.
    unread: bool,
    /// Of the connection's task.
    waker: Option<Waker>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Nothing is asked.
    Quiet { since: Instant },
    /// A head has begun.
    Head { since: Instant, bytes: usize },
    /// A request is read and answered.
    Busy,
}

/// How dispensable a connection is: the least comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// Of somebody who has proven nothing, since then.
    Stranger(Instant),
    /// Of somebody known, quiet since then.
    Quiet(Instant),
}

/// A request that has begun.
pub(super) struct Begun {
    /// The how many-th it is.
    pub(super) number: u64,
    /// Whether its head names a length.
    pub(super) names_length: bool,
}

impl Connection {
    pub(super) fn new(peer: Peer, limits: &Limits, heads: Arc<AtomicUsize>) -> Self {
        let state = State {
            phase: Phase::Quiet { since: Instant::now() },
            proven: peer == Peer::Own,
            let_go: false,
            requests: 0,
            scan: HeadScan::default(),
            unread: false,
            waker: None,
        };
        Self { peer, counted: peer.counted(limits), heads, state: Mutex::new(state) }
    }

    pub(super) const fn peer(&self) -> Peer {
        self.peer
    }

    /// Under which address it is counted.
    pub(super) const fn counted(&self) -> Option<IpAddr> {
        self.counted
    }

    /// Bytes have come. Whether heads together have become too large.
    pub(super) fn received(&self, bytes: &[u8], limits: &Limits) -> bool {
        let mut state = self.state();
        let (since, before) = match state.phase {
            Phase::Quiet { .. } => (Instant::now(), 0),
            Phase::Head { since, bytes } => (since, bytes),
            Phase::Busy => return false,
        };
        state.phase = Phase::Head { since, bytes: before + bytes.len() };
        state.scan.feed(bytes);
        drop(state);
        let together = self.heads.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        together > limits.heads_bytes()
    }

    /// Until when something has to come, if there is such a time: at once, when it is let go. `waker` is woken then.
    pub(super) fn deadline(&self, limits: &Limits, waker: &Waker) -> Option<Instant> {
        let mut state = self.state();
        if !state.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        if state.let_go {
            return Some(Instant::now());
        }
        match state.phase {
            Phase::Quiet { since } if state.proven && state.requests > 0 => Some(since + limits.idle),
            Phase::Quiet { since } | Phase::Head { since, .. } => Some(since + limits.head),
            Phase::Busy => None,
        }
    }

    /// A head is whole: its request is being answered.
    pub(super) fn begin(&self) -> Begun {
        let mut state = self.state();
        self.forget_head(&state);
        state.phase = Phase::Busy;
        state.requests += 1;
        state.unread = false;
        let names_length = std::mem::take(&mut state.scan).names_length();
        Begun { number: state.requests, names_length }
    }

    /// A request is answered.
    pub(super) fn end(&self) {
        self.state().phase = Phase::Quiet { since: Instant::now() };
    }

    /// Part of a body stays unread.
    pub(super) fn leave_unread(&self) {
        self.state().unread = true;
    }

    /// Whether the peer may still be sending what nobody reads.
    pub(super) fn may_still_send(&self) -> bool {
        let state = self.state();
        state.unread || matches!(state.phase, Phase::Head { .. })
    }

    pub(super) fn prove(&self) {
        self.state().proven = true;
    }

    pub(super) fn is_proven(&self) -> bool {
        self.state().proven
    }

    /// How dispensable it is; `None` when it is not, or is let go already.
    pub(super) fn worth(&self) -> Option<Worth> {
        let state = self.state();
        match state.phase {
            _ if state.let_go => None,
            Phase::Quiet { since } if state.proven => Some(Worth::Quiet(since)),
            Phase::Head { .. } | Phase::Busy if state.proven => None,
            Phase::Quiet { since } | Phase::Head { since, .. } => Some(Worth::Stranger(since)),
            Phase::Busy => Some(Worth::Stranger(Instant::now())),
        }
    }

    /// Since when it has had a head in the making, and how much of it.
    pub(super) fn unfinished_head(&self) -> Option<(Instant, usize)> {
        let state = self.state();
        match state.phase {
            Phase::Head { since, bytes } if !state.let_go => Some((since, bytes)),
            _ => None,
        }
    }

    /// Ends it.
    pub(super) fn let_go(&self) {
        let mut state = self.state();
        state.let_go = true;
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn is_let_go(&self) -> bool {
        self.state().let_go
    }

    fn forget_head(&self, state: &State) {
        if let Phase::Head { bytes, .. } = state.phase {
            self.heads.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.forget_head(&state);
    }
}
