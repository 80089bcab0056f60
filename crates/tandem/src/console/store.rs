//! The store's figures.

use std::time::Duration;

use tandem_journal::{CommitSpread, Health, Stats};
use tandem_metrics::{Figures, Label, Measured, Metric, Spread};

/// The figures of the store.
pub(super) const METRICS: &[Metric] =
    &[HEALTH, BYTES, FREE, DISK_FREE, WAITING, COMMIT_SECONDS, COMMIT_WRITES, APPENDED, LANE_READS];

const HEALTH: Metric = Metric::gauge(
    "tandem_store_health",
    "1 for how the store is: low_disk refuses what Telegram keeps, full refuses everything, failed needs a restart",
    &[Label { name: "state", values: "good, low_disk, full, failed" }],
);
const BYTES: Metric = Metric::gauge("tandem_store_bytes", "Bytes that the store occupies on its disk", &[]);
const FREE: Metric = Metric::gauge("tandem_store_free_bytes", "Of these, free for reuse", &[]);
const DISK_FREE: Metric =
    Metric::gauge("tandem_store_disk_free_bytes", "Bytes left on the store's disk", &[]);
const WAITING: Metric =
    Metric::gauge("tandem_store_waiting_writes", "Writes that wait for their commit", &[]);
const COMMIT_SECONDS: Metric = Metric::histogram(
    "tandem_store_commit_seconds",
    "Seconds that a commit took, from its first statement until the disk had confirmed",
    &[],
);
const COMMIT_WRITES: Metric =
    Metric::histogram("tandem_store_commit_writes", "Writes that a commit carried", &[]);
const APPENDED: Metric =
    Metric::counter("tandem_store_events", "Events that commits appended to journals", &[]);
const LANE_READS: Metric = Metric::counter(
    "tandem_store_lane_reads",
    "Reads for lanes",
    &[Label { name: "from", values: "memory, disk" }],
);

/// Adds what the store says of itself.
#[expect(clippy::cast_precision_loss, reason = "figures of 2^53 and more are none to look at closely")]
pub(super) fn add(figures: &mut Figures, health: &Health, stats: &Stats) {
    let now = match health {
        Health::Good => "good",
        Health::LowDisk => "low_disk",
        Health::Full => "full",
        Health::Failed { .. } => "failed",
    };
    let words = ["good", "low_disk", "full", "failed"];
    let one = |label: &str, value| Measured { labels: vec![label.to_owned()], value };
    let shown = words.map(|state| one(state, if state == now { 1.0 } else { 0.0 }));
    figures.add_all(&HEALTH, shown.into());
    figures.add(&BYTES, stats.bytes as f64);
    figures.add(&FREE, stats.free_bytes as f64);
    if let Some(bytes) = stats.disk_free_bytes {
        figures.add(&DISK_FREE, bytes as f64);
    }
    figures.add(&WAITING, stats.waiting as f64);
    let spread = stats.commit_spread;
    let seconds = CommitSpread::TIMES.iter().map(Duration::as_secs_f64);
    let ranges = seconds.chain([f64::INFINITY]).zip(spread.times).collect();
    figures.add_spread(&COMMIT_SECONDS, Spread { sum: stats.commit_time.as_secs_f64(), ranges });
    let writes = CommitSpread::WRITES.iter().map(|bound| *bound as f64);
    let ranges = writes.chain([f64::INFINITY]).zip(spread.writes).collect();
    figures.add_spread(&COMMIT_WRITES, Spread { sum: stats.writes as f64, ranges });
    figures.add(&APPENDED, stats.events as f64);
    let reads = stats.lane_reads;
    let from_disk = reads.all.saturating_sub(reads.in_memory);
    figures.add_all(&LANE_READS, vec![one("memory", reads.in_memory as f64), one("disk", from_disk as f64)]);
}
