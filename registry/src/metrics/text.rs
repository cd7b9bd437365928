//! The text that Prometheus reads, in its format 0.0.4, which everything that reads metrics
//! can read. The library writes OpenMetrics 1.0, which says a little more.

use std::collections::HashSet;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::{Registry, Unit};

/// What the name of each metric begins with.
pub const PREFIX: &str = "p2pchat_registry";
/// The type of the text, for HTTP.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

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
    pub fn gauge(
        &mut self,
        name: &str,
        help: &str,
        value: impl EncodeGaugeValue + Copy,
    ) -> fmt::Result {
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

    /// What this is, in labels: a gauge that is 1.
    ///
    /// # Errors
    /// See [`Writer::counter`].
    pub fn info(&mut self, name: &str, help: &str, labels: [(&str, &str); 1]) -> fmt::Result {
        let mut metric = (self.0).encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_family(&labels)?.encode_gauge(&1u64)
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
    text::encode_registry(&mut text, &registry).expect("a String takes everything");
    older(&text)
}

/// OpenMetrics as the older format: there the name of a counter is with its `_total` also
/// where its help and its type are told, and units are not told.
fn older(text: &str) -> String {
    let counters = text.lines().filter_map(told);
    let counters = counters.filter(|&(what, _, rest)| (what, rest) == ("TYPE", "counter"));
    let counters: HashSet<&str> = counters.map(|(_, name, _)| name).collect();
    let mut older = String::with_capacity(text.len());
    for line in text.lines() {
        match told(line) {
            Some(("UNIT", ..)) => continue,
            Some((what, name, rest)) if counters.contains(name) => {
                older.push_str(&format!("# {what} {name}_total {rest}"));
            }
            _ => older.push_str(line),
        }
        older.push('\n');
    }
    older
}

/// What a line tells, of which metric, and how.
fn told(line: &str) -> Option<(&str, &str, &str)> {
    let mut words = line.strip_prefix("# ")?.splitn(3, ' ');
    Some((words.next()?, words.next()?, words.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Sample;

    impl Source for Sample {
        fn write(&self, to: &mut Writer<'_>) -> fmt::Result {
            to.info("build_info", "The version", [("version", "1")])?;
            to.counter("hellos", "Hellos that counted", 3)?;
            to.counters("drops", "Drops", [([("reason", "a\"b")], 1)])?;
            to.seconds("start_time", "When", 2.5)
        }
    }

    #[test]
    fn all_of_it_is_in_the_format_that_everybody_reads() {
        let expected = "\
# HELP p2pchat_registry_build_info The version
# TYPE p2pchat_registry_build_info gauge
p2pchat_registry_build_info{version=\"1\"} 1
# HELP p2pchat_registry_hellos_total Hellos that counted
# TYPE p2pchat_registry_hellos_total counter
p2pchat_registry_hellos_total 3
# HELP p2pchat_registry_drops_total Drops
# TYPE p2pchat_registry_drops_total counter
p2pchat_registry_drops_total{reason=\"a\\\"b\"} 1
# HELP p2pchat_registry_start_time_seconds When
# TYPE p2pchat_registry_start_time_seconds gauge
p2pchat_registry_start_time_seconds 2.5
";
        assert_eq!(exposition(Sample), expected);
    }
}
