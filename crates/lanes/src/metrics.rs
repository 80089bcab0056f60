//! What is counted of deliveries.

use std::sync::OnceLock;

use tandem_metrics::{Counter, Family, Label, Metric, Registry};
use tandem_model::Verdict;

use crate::Lanes;

/// What is counted here.
pub const METRICS: &[Metric] = &[DELIVERIES];

const DELIVERIES: Metric = Metric::counter(
    "tandem_deliveries",
    "Events that push lanes handed to their destinations, by what came of it; an app's polling is not among them",
    &[Label { name: "verdict", values: "done, wait, retry, reject, unknown, stop" }],
);

/// Counters of verdicts.
#[derive(Debug, Default)]
pub(crate) struct DeliveryMetrics {
    verdicts: Family<[(&'static str, &'static str); 1], Counter>,
    /// The one of the verdict that nearly all of them have: found once, counted without a lock.
    done: OnceLock<Counter>,
}

impl DeliveryMetrics {
    pub(crate) fn count(&self, verdict: &Verdict) {
        match verdict {
            Verdict::Done => self.done.get_or_init(|| self.counter(verdict)).inc(),
            _ => self.counter(verdict).inc(),
        };
    }

    fn counter(&self, verdict: &Verdict) -> Counter {
        self.verdicts.get_or_create(&[("verdict", verdict.as_str())]).clone()
    }
}

impl Lanes {
    /// Shows what is counted of deliveries.
    pub fn register_metrics(&self, registry: &mut Registry) {
        registry.register(&DELIVERIES, self.shared.env.metrics.verdicts.clone());
    }
}
