//! What the store counts while it runs.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{CommitSpread, LaneReads, Stats, tail::Change};

/// Counts since the store was opened. Each is right; two of them read together can be a commit apart.
#[derive(Debug, Default)]
pub(super) struct Counters {
    commits: AtomicU64,
    writes: AtomicU64,
    events: AtomicU64,
    commit_nanos: AtomicU64,
    commit_times: [AtomicU64; CommitSpread::TIMES.len() + 1],
    commit_writes: [AtomicU64; CommitSpread::WRITES.len() + 1],
    lane_reads: AtomicU64,
    lane_reads_in_memory: AtomicU64,
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

impl Counters {
    /// A commit that succeeded.
    pub(super) fn add_commit(&self, changes: &[Change], took: Duration) {
        let appended = changes.iter().filter(|change| matches!(change, Change::Appended(_))).count();
        add(&self.commits, 1);
        add(&self.events, appended as u64);
        add(&self.commit_nanos, u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        add(&self.commit_times[CommitSpread::range_of_time(took)], 1);
    }

    /// The writes of a commit that succeeded.
    pub(super) fn add_writes(&self, count: usize) {
        add(&self.writes, count as u64);
        add(&self.commit_writes[CommitSpread::range_of_writes(count as u64)], 1);
    }

    pub(super) fn add_lane_read(&self, in_memory: bool) {
        add(&self.lane_reads, 1);
        add(&self.lane_reads_in_memory, u64::from(in_memory));
    }

    /// Fills in what is counted here.
    pub(super) fn stats(&self, rest: &Stats) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            commits: get(&self.commits),
            writes: get(&self.writes),
            events: get(&self.events),
            commit_time: Duration::from_nanos(get(&self.commit_nanos)),
            commit_spread: CommitSpread {
                times: self.commit_times.each_ref().map(get),
                writes: self.commit_writes.each_ref().map(get),
            },
            lane_reads: LaneReads { all: get(&self.lane_reads), in_memory: get(&self.lane_reads_in_memory) },
            ..*rest
        }
    }
}
