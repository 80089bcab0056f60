//! What Prometheus' own libraries tell of every process, by their names.

use std::time::{SystemTime, UNIX_EPOCH};

use tandem_metrics::{Figures, Metric, Source};

/// The figures of the process.
pub(super) const METRICS: &[Metric] = &[MEMORY, FILES, THREADS, CPU, START, TASKS];

const MEMORY: Metric = Metric::gauge("process_resident_memory_bytes", "Resident memory in bytes", &[]);
const FILES: Metric = Metric::gauge("process_open_fds", "Open files and connections", &[]);
const THREADS: Metric = Metric::gauge("process_threads", "Threads of the system", &[]);
const CPU: Metric = Metric::counter(
    "process_cpu_seconds",
    "Time on processors, for us and for the system on our behalf, in seconds",
    &[],
);
const START: Metric =
    Metric::gauge("process_start_time_seconds", "When the process was started, in seconds since 1970", &[]);
const TASKS: Metric = Metric::gauge("tandem_tasks", "Tasks of the runtime that have not ended", &[]);

/// Read from the system when they are asked for. Where a figure cannot be had, it is left out.
#[derive(Debug)]
pub(super) struct ProcessFigures;

impl Source for ProcessFigures {
    fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        let mut add = |metric, value: Option<f64>| {
            if let Some(value) = value {
                figures.add(metric, value);
            }
        };
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let of_status = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        };
        add(&MEMORY, of_status("VmRSS:").map(|kilobytes| kilobytes * 1024.0));
        add(&THREADS, of_status("Threads:"));
        #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 files")]
        add(&FILES, std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64));
        let times = Times::read();
        add(&CPU, times.as_ref().map(|times| times.cpu));
        add(&START, times.as_ref().and_then(Times::started));
        let runtime = tokio::runtime::Handle::try_current().ok();
        #[expect(clippy::cast_precision_loss, reason = "nor 2^53 tasks")]
        add(&TASKS, runtime.map(|runtime| runtime.metrics().num_alive_tasks() as f64));
        figures
    }
}

/// From `/proc/self/stat`, in seconds.
struct Times {
    cpu: f64,
    /// Since the system was started.
    started: f64,
}

impl Times {
    /// The kernel's unit of these times is fixed for programs, whatever it uses itself.
    const TICKS_PER_SECOND: f64 = 100.0;

    fn read() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        // The name before it, in brackets, can hold anything.
        let (_, fields) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        Some(Self {
            cpu: (ticks(11)? + ticks(12)?) / Self::TICKS_PER_SECOND,
            started: ticks(19)? / Self::TICKS_PER_SECOND,
        })
    }

    fn started(&self) -> Option<f64> {
        let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
        let up: f64 = uptime.split(' ').next()?.parse().ok()?;
        #[expect(clippy::disallowed_methods, reason = "the system's own clock is what is asked for")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
        Some((now - up + self.started).round())
    }
}
