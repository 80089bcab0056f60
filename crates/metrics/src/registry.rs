//! The metrics of one service.

use std::{fmt, sync::Arc};

use prometheus_client::{encoding::prometheus_text, registry};

use crate::{
    Metric,
    figures::{Bridge, Source},
};

/// What an answer of [`Registry::render`] is.
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// Where metrics are registered and read from.
#[derive(Debug, Default)]
pub struct Registry(registry::Registry);

impl Registry {
    /// Shows a counter, gauge or histogram from now on. It is a handle: what is counted on its clones is shown.
    pub fn register(&mut self, metric: &Metric, value: impl registry::Metric) {
        self.0.register(metric.name, metric.help, value);
    }

    /// Asks this source for its figures whenever they are looked at.
    pub fn register_source(&mut self, source: Arc<dyn Source>) {
        self.0.register_collector(Box::new(Bridge(source)));
    }

    /// Everything in Prometheus' text format ([`CONTENT_TYPE`]).
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}
