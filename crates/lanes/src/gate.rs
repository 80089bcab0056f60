//! What all lanes share: places at destinations, and memory for events read ahead.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tandem_model::Event;

/// A counter with a limit.
#[derive(Debug)]
pub(crate) struct Gate {
    limit: usize,
    used: AtomicUsize,
}

impl Gate {
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// How much is left.
    pub(crate) fn left(&self) -> usize {
        self.limit.saturating_sub(self.used.load(Ordering::Relaxed))
    }

    /// Takes so much, whatever the limit says: for what must be possible in any case.
    pub(crate) fn force(self: &Arc<Self>, amount: usize) -> Charge {
        self.used.fetch_add(amount, Ordering::Relaxed);
        Charge { gate: Arc::clone(self), amount }
    }

    /// Takes so much if it is there.
    pub(crate) fn take(self: &Arc<Self>, amount: usize) -> Option<Charge> {
        self.used
            .try_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(amount).filter(|sum| *sum <= self.limit)
            })
            .ok()
            .map(|_| Charge { gate: Arc::clone(self), amount })
    }
}

/// What was taken from a [`Gate`]; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Charge {
    gate: Arc<Gate>,
    amount: usize,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.gate.used.fetch_sub(self.amount, Ordering::Relaxed);
    }
}

/// An event in memory, counted as such.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) event: Arc<Event>,
    _charge: Charge,
}

impl Loaded {
    /// About what an event needs beside its body.
    const OVERHEAD: usize = 320;

    pub(crate) fn new(event: Event, memory: &Arc<Gate>) -> Self {
        let charge = memory.force(event.body.len() + Self::OVERHEAD);
        Self { event: Arc::new(event), _charge: charge }
    }
}
