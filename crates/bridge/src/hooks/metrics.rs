//! What is counted of vendors' hooks.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use tandem_metrics::{Counter, Family, Label, Metric, Registry};
use tandem_vendor::Arrived;

use super::take::Taken;
use crate::Bridge;

/// What is counted here.
pub const METRICS: &[Metric] = &[HOOKS, MISSED, ARRIVED];

const HOOKS: Metric = Metric::counter(
    "tandem_hooks",
    "Requests to the addresses of vendors' hooks, by how they ended",
    &[Label {
        name: "end",
        values: "taken, echo (what we told came back), repeated, for_nobody (reported back), disabled, ignored; \
                 refused and not kept: nobodys (no such \
                 address), unproven, stale, not_text, unreadable, truncated, too_large, too_slow; not_kept (the database \
                 did not take it)",
    }],
);
const MISSED: Metric = Metric::counter(
    "tandem_missed_hooks",
    "What managers had done and no hook had told, as found in the vendor's history after an outage",
    &[Label { name: "end", values: "taken, known (it had come), too_old (older than 24 hours), for_nobody" }],
);

const ARRIVED: Metric = Metric::counter(
    "tandem_told_arrived",
    "How far messages have come that a vendor sends on, as its hooks say",
    &[Label { name: "how", values: "sent, failed, delivered, read" }],
);

/// Different words of vendors that are told apart in the log.
const WORDS: usize = 100;

/// How a hook ended; the later ones are worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum HookEnd {
    Ignored,
    Echo,
    Repeated,
    Taken,
    ForNobody,
    Disabled,
    Nobodys,
    Unproven,
    Stale,
    NotText,
    Unreadable,
    Truncated,
    TooLarge,
    TooSlow,
    NotKept,
}

impl HookEnd {
    /// How a hook ends of which this became.
    pub(super) const fn of(taken: Taken) -> Self {
        match taken {
            Taken::New => Self::Taken,
            Taken::Repeated => Self::Repeated,
            Taken::ForNobody => Self::ForNobody,
            Taken::Stale => Self::Stale,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Echo => "echo",
            Self::Repeated => "repeated",
            Self::Taken => "taken",
            Self::ForNobody => "for_nobody",
            Self::Disabled => "disabled",
            Self::Nobodys => "nobodys",
            Self::Unproven => "unproven",
            Self::Stale => "stale",
            Self::NotText => "not_text",
            Self::Unreadable => "unreadable",
            Self::Truncated => "truncated",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::NotKept => "not_kept",
        }
    }
}

/// How something that was looked for afterwards ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MissedEnd {
    Taken,
    Known,
    TooOld,
    ForNobody,
}

impl MissedEnd {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Known => "known",
            Self::TooOld => "too_old",
            Self::ForNobody => "for_nobody",
        }
    }
}

type One = [(&'static str, &'static str); 1];

/// Counters of hooks.
#[derive(Debug, Default)]
pub(crate) struct HookMetrics {
    hooks: Family<One, Counter>,
    missed: Family<One, Counter>,
    arrived: Family<One, Counter>,
    words: Mutex<BTreeMap<String, u64>>,
}

impl HookMetrics {
    pub(super) fn count(&self, end: HookEnd) {
        self.hooks.get_or_create(&[("end", end.as_str())]).inc();
    }

    pub(super) fn count_missed(&self, end: MissedEnd) {
        self.missed.get_or_create(&[("end", end.as_str())]).inc();
    }

    pub(super) fn count_arrived(&self, how: Arrived) {
        self.arrived.get_or_create(&[("how", how.as_str())]).inc();
    }

    /// How often this word has come.
    pub(super) fn ignore(&self, word: &str) -> u64 {
        let mut words = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if words.len() >= WORDS && !words.contains_key(word) {
            words.clear();
        }
        let times = words.entry(word.to_owned()).or_default();
        *times += 1;
        *times
    }
}

impl Bridge {
    /// Shows what is counted of hooks.
    pub fn register_metrics(&self, registry: &mut Registry) {
        let metrics = self.hook_metrics();
        // Told from the beginning: what has no series yet would look as if nobody counted it.
        drop(metrics.hooks.get_or_create(&[("end", HookEnd::Taken.as_str())]));
        drop(metrics.missed.get_or_create(&[("end", MissedEnd::Taken.as_str())]));
        drop(metrics.arrived.get_or_create(&[("how", Arrived::Delivered.as_str())]));
        registry.register(&ARRIVED, metrics.arrived.clone());
        registry.register(&HOOKS, metrics.hooks.clone());
        registry.register(&MISSED, metrics.missed.clone());
    }
}
