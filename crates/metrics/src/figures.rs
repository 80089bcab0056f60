//! Figures that are asked for when somebody looks, rather than counted as things happen.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};

use crate::{Kind, Metric};

/// One series of a metric, and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// The values of the metric's labels, in its order.
    pub labels: Vec<String>,
    /// Its value.
    pub value: f64,
}

/// How values were spread over ranges.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// All values together.
    pub sum: f64,
    /// For each range its upper bound, which belongs to it, and how many values fell into it. What is beyond all bounds
    /// has infinity as its bound, and comes last.
    pub ranges: Vec<(f64, u64)>,
}

/// All series of some metrics at one moment.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    series: Vec<(&'static Metric, Vec<Measured>)>,
    spreads: Vec<(&'static Metric, Spread)>,
}

impl Figures {
    /// The only series of a metric without labels.
    pub fn add(&mut self, metric: &'static Metric, value: f64) {
        self.series.push((metric, vec![Measured { labels: Vec::new(), value }]));
    }

    /// All series of a metric. Each has as many labels as the metric.
    pub fn add_all(&mut self, metric: &'static Metric, series: Vec<Measured>) {
        self.series.push((metric, series));
    }

    /// A histogram without labels.
    pub fn add_spread(&mut self, metric: &'static Metric, spread: Spread) {
        self.spreads.push((metric, spread));
    }
}

/// Who is asked for figures. Answers at once: what takes time is got ready before ([`Source::figures`] is called in
/// the middle of an answer).
pub trait Source: fmt::Debug + Send + Sync + 'static {
    /// The figures of this moment.
    fn figures(&self) -> Figures;
}

/// A source as the library wants it.
#[derive(Debug)]
pub(crate) struct Bridge(pub(crate) Arc<dyn Source>);

impl Collector for Bridge {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Figures { series, spreads } = self.0.figures();
        for (metric, Spread { sum, ranges }) in spreads {
            let mut shown =
                encoder.encode_descriptor(metric.name, metric.help, None, MetricType::Histogram)?;
            let count = ranges.iter().map(|(_, count)| count).sum();
            shown.encode_histogram::<NoLabelSet>(sum, count, &ranges, None)?;
        }
        for (metric, series) in series {
            let kind = match metric.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                // Has come as a spread.
                Kind::Histogram => continue,
            };
            let mut shown = encoder.encode_descriptor(metric.name, metric.help, None, kind)?;
            for Measured { labels, value } in &series {
                let names = metric.labels.iter().map(|label| label.name);
                let set: Vec<(&str, &str)> = names.zip(labels.iter().map(String::as_str)).collect();
                let one = |encoder: MetricEncoder<'_>| match metric.kind {
                    Kind::Counter => ConstCounter::new(*value).encode(encoder),
                    Kind::Gauge | Kind::Histogram => ConstGauge::new(*value).encode(encoder),
                };
                if set.is_empty() {
                    one(shown)?;
                    break;
                }
                one(shown.encode_family(&set)?)?;
            }
        }
        Ok(())
    }
}
