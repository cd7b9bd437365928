//! The text that Prometheus reads: OpenMetrics 1.0.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::{Registry, Unit};

/// What the name of each metric begins with.
pub const PREFIX: &str = "p2pchat_registry";
/// The type of the text, for HTTP.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Writes metrics one after the other, each with its help and its type.
#[derive(Debug)]
pub struct Writer<'a>(DescriptorEncoder<'a>);

impl Writer<'_> {
    /// A counter; `_total` is put behind its name.
    ///
    /// # Errors
    /// None while the text is a `String`; so for all of these.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut metric = (self.0).encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter(&value, None::<&Exemplar<[(&str, &str); 0], f64>>)
    }

    /// Counters of one name that differ by their labels.
    ///
    /// # Errors
    /// See [`Writer::counter`].
    pub fn counters<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = ([(&'a str, &'a str); N], u64)>,
    ) -> fmt::Result {
        let mut metric = (self.0).encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in values {
            let mut metric = metric.encode_family(&labels)?;
            metric.encode_counter(&value, None::<&Exemplar<[(&str, &str); 0], f64>>)?;
        }
        Ok(())
    }

    /// A gauge.
    ///
    /// # Errors
    /// See [`Writer::counter`].
    pub fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
        let mut metric = (self.0).encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_gauge(&value)
    }

    /// A gauge of seconds; `_seconds` is put behind its name.
    ///
    /// # Errors
    /// See [`Writer::counter`].
    pub fn seconds(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let unit = Some(&Unit::Seconds);
        let mut metric = (self.0).encode_descriptor(name, help, unit, MetricType::Gauge)?;
        metric.encode_gauge(&value)
    }

    /// Times, in seconds; `_seconds` is put behind their name.
    ///
    /// # Errors
    /// See [`Writer::counter`].
    pub fn times(&mut self, name: &str, help: &str, times: &impl EncodeMetric) -> fmt::Result {
        let unit = Some(&Unit::Seconds);
        times.encode(
            self.0
                .encode_descriptor(name, help, unit, times.metric_type())?,
        )
    }

    /// Labels that say what this is; `_info` is put behind their name.
    ///
    /// # Errors
    /// See [`Writer::counter`].
    pub fn info(&mut self, name: &str, help: &str, labels: [(&str, &str); 1]) -> fmt::Result {
        let mut metric = (self.0).encode_descriptor(name, help, None, MetricType::Info)?;
        metric.encode_info(&labels)
    }
}

/// Who writes metrics.
pub trait Source: fmt::Debug + Send + Sync + 'static {
    /// Writes all of them.
    ///
    /// # Errors
    /// See [`Writer::counter`].
    fn write(&self, to: &mut Writer<'_>) -> fmt::Result;
}

#[derive(Debug)]
struct Adapter<S>(S);

impl<S: Source> Collector for Adapter<S> {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.write(&mut Writer(encoder))
    }
}

/// The whole text.
pub fn exposition(source: impl Source) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(Adapter(source)));
    let mut text = String::new();
    text::encode(&mut text, &registry).expect("a String takes everything");
    text
}
