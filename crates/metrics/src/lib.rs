//! What Tandem tells Prometheus: how a metric is described, and where it is shown.
//!
//! A part of the service that counts something describes it in a table of [`Metric`]s beside the counters, and
//! registers both together; `docs/METRICS.md` is made from the same tables. What can be read off the state of things
//! is not counted but asked for at each scrape ([`Figures`]), so that nothing stays behind of a bot that is gone.
//!
//! There is no global registry: each service has its own, and a test sees only what it did.
//!
//! **Bounded.** Labels are closed lists, except for bots and lanes, whose number a collector has to bound.

mod figures;
mod metric;
mod registry;

pub use figures::{Figures, Measured, Source, Spread};
pub use metric::{Kind, Label, Metric};
pub use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram};
pub use registry::{CONTENT_TYPE, Registry};
