//! What goes to Telegram and comes back, counted.

use tandem_metrics::{Counter, Family, Label, Metric, Registry};

use super::Upstream;

/// What is counted of the way to Telegram.
pub const METRICS: &[Metric] = &[BYTES];

const BYTES: Metric = Metric::counter(
    "tandem_telegram_bytes",
    "Bytes of bodies to Telegram and back, of apps' calls and files as of our own calls",
    &[Label { name: "direction", values: "sent, received" }],
);

/// Counters of bytes. Clones are the same counters.
#[derive(Debug, Clone)]
pub(super) struct Traffic {
    bytes: Family<[(&'static str, &'static str); 1], Counter>,
    pub(super) sent: Counter,
    pub(super) received: Counter,
}

impl Traffic {
    pub(super) fn new() -> Self {
        let bytes = Family::<_, Counter>::default();
        let sent = bytes.get_or_create(&[("direction", "sent")]).clone();
        let received = bytes.get_or_create(&[("direction", "received")]).clone();
        Self { bytes, sent, received }
    }
}

impl Upstream {
    /// Shows what is counted here.
    pub fn register_metrics(&self, registry: &mut Registry) {
        registry.register(&BYTES, self.0.traffic.bytes.clone());
    }
}
