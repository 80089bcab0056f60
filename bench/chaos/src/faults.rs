//! What is done to the machine under the service: its disk and its clock; and the record of when each fault was there.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicI32, Ordering},
};
use std::time::Duration;

use crate::{disk::Disk, history::Happened, plan::Fault, run::now_ms, shim::Shim};

/// Below the low watermark of the store (200 MiB), and above its last one.
const LOW: u64 = 100 << 20;
/// An hour, around which clocks jump.
const HOUR_MS: i64 = 3_600_000;

/// The machine. Shared by whoever looks at it.
pub(crate) struct Stage {
    disk: Disk,
    shim: Shim,
    state: Mutex<State>,
    base: AtomicI32,
}

#[derive(Default)]
struct State {
    /// Those that last, with their beginnings.
    under_way: Vec<(Fault, i64)>,
    happened: Vec<Happened>,
}

impl Stage {
    pub(crate) fn new(disk: Disk, shim: Shim, seed: u64) -> Self {
        let first = i32::try_from(seed % 100).unwrap_or(0) * 1_000 + 1_000_000_000;
        Self { disk, shim, state: Mutex::default(), base: AtomicI32::new(first) }
    }

    /// Where Telegram's numbers go on: each time elsewhere, now above and now below what was.
    pub(crate) fn next_base(&self) -> i32 {
        let step = self.base.fetch_add(1, Ordering::Relaxed) % 1_000;
        let up = 1_100_000_000 + step * 1_000_000;
        let down = 1_000_000_000 - step * 900_000;
        if step % 2 == 0 { up } else { down }
    }

    /// Does it to the disk or to the clock.
    pub(crate) fn begin(&self, fault: Fault, extent: u32) -> anyhow::Result<()> {
        let part = i64::from(extent);
        match fault {
            Fault::DiskIsLow => self.disk.leave(LOW),
            Fault::DiskIsFull | Fault::DiskIsFullForGood => self.disk.leave(0),
            Fault::DiskIsSlow => self.shim.slow_syncs(Duration::from_millis(100 + u64::from(extent))),
            Fault::DiskFails => self.shim.failing_syncs(true),
            // Between seconds and two hours: some presses live their time, nothing else does.
            Fault::ClockAhead => self.shim.clock_ahead(part * part * 7),
            Fault::ClockBack => self.shim.clock_ahead(-HOUR_MS - part * 1_000),
            Fault::ClockFrozen => self.shim.clock_frozen(now_ms()),
            _ => Ok(()),
        }
    }

    /// Undoes it.
    pub(crate) fn end(&self, fault: Fault) -> anyhow::Result<()> {
        match fault {
            Fault::DiskIsLow | Fault::DiskIsFull | Fault::DiskIsFullForGood => {
                self.disk.relieve();
                Ok(())
            }
            Fault::DiskIsSlow => self.shim.slow_syncs(Duration::ZERO),
            Fault::DiskFails => self.shim.failing_syncs(false),
            Fault::ClockAhead | Fault::ClockBack => self.shim.clock_ahead(0),
            Fault::ClockFrozen => self.shim.clock_frozen(0),
            _ => Ok(()),
        }
    }

    /// Somebody else writes whatever the service frees.
    pub(crate) fn keep_filled(&self) -> anyhow::Result<()> {
        if self.is(Fault::DiskIsFullForGood) { self.disk.leave(0) } else { Ok(()) }
    }

    pub(crate) fn heal(&self) -> anyhow::Result<()> {
        self.disk.relieve();
        self.shim.heal()?;
        let now = now_ms();
        let mut state = self.lock();
        let under_way = std::mem::take(&mut state.under_way);
        state.happened.extend(under_way.into_iter().map(|(fault, from_ms)| Happened {
            fault,
            from_ms,
            to_ms: now,
        }));
        Ok(())
    }

    pub(crate) fn note_begin(&self, fault: Fault) {
        self.lock().under_way.push((fault, now_ms()));
    }

    pub(crate) fn note_end(&self, fault: Fault) {
        let mut state = self.lock();
        if let Some(place) = state.under_way.iter().position(|(other, _)| *other == fault) {
            let (fault, from_ms) = state.under_way.remove(place);
            state.happened.push(Happened { fault, from_ms, to_ms: now_ms() });
        }
    }

    /// Whether it lasts now.
    pub(crate) fn is(&self, fault: Fault) -> bool {
        self.lock().under_way.iter().any(|(other, _)| *other == fault)
    }

    pub(crate) fn happened(&self) -> Vec<Happened> {
        self.lock().happened.clone()
    }

    pub(crate) const fn disk_can_be_filled(&self) -> bool {
        self.disk.can_be_filled()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
