//! Metrics in the text form of `OpenMetrics`, which Prometheus reads.
//!
//! Figures are counted where the event is, as plain numbers; whoever is asked for metrics gathers
//! them into [`Families`] and writes these out. So nothing is counted twice, no global holds
//! anything, and what is shown is what is. A label has few values, and is never a project's path:
//! that is for those who gather.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;

/// What the text is, for the header of an answer.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What stands before each name.
const PREFIX: &str = "xrefd";

/// The labels of a sample, in the order in which they are written.
pub type Labels = Vec<(&'static str, String)>;

/// A distribution: how many values lie at or below each bound.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Distribution {
    /// Upper bounds, rising, each with the number of values between it and the one before; the
    /// last bound is [`f64::INFINITY`], for all the rest.
    pub buckets: Vec<(f64, u64)>,
    /// The sum of all values.
    pub sum: f64,
}

/// The value of a sample.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Counter(f64),
    Gauge(f64),
    Distribution(Distribution),
}

#[derive(Debug, Clone)]
struct Family {
    help: &'static str,
    samples: BTreeMap<Labels, Value>,
}

/// Families of metrics with their samples, gathered for one answer.
#[derive(Debug, Clone, Default)]
pub struct Families {
    families: BTreeMap<&'static str, Family>,
}

impl Families {
    /// Adds to a figure that only grows; `_total` is put behind its name.
    #[expect(clippy::cast_precision_loss, reason = "2^53 requests take longer than any process")]
    pub fn count(&mut self, name: &'static str, help: &'static str, labels: Labels, value: u64) {
        self.add(name, help, labels, value as f64);
    }

    /// Adds to a figure that only grows, as of seconds; `_total` is put behind its name.
    pub fn add(&mut self, name: &'static str, help: &'static str, labels: Labels, value: f64) {
        let sample = self.samples(name, help).entry(labels).or_insert(Value::Counter(0.0));
        if let Value::Counter(sum) = sample {
            *sum += value;
        }
    }

    /// Sets a figure that goes up and down.
    pub fn set(&mut self, name: &'static str, help: &'static str, labels: Labels, value: f64) {
        self.samples(name, help).insert(labels, Value::Gauge(value));
    }

    /// Sets a distribution.
    pub fn distribute(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels,
        value: Distribution,
    ) {
        self.samples(name, help).insert(labels, Value::Distribution(value));
    }

    fn samples(&mut self, name: &'static str, help: &'static str) -> &mut BTreeMap<Labels, Value> {
        let family = Family { help, samples: BTreeMap::new() };
        &mut self.families.entry(name).or_insert(family).samples
    }

    /// Writes all of them out.
    ///
    /// # Errors
    ///
    /// Never in practice: a text in memory takes what is written.
    pub fn write(self) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register_collector(Box::new(self));
        let mut written = String::new();
        text::encode(&mut written, &registry)?;
        Ok(written)
    }
}

impl Family {
    /// The type of the first sample is that of all: a name is written to by one method.
    fn metric_type(&self) -> MetricType {
        match self.samples.values().next() {
            Some(Value::Counter(_)) => MetricType::Counter,
            Some(Value::Gauge(_)) => MetricType::Gauge,
            Some(Value::Distribution(_)) => MetricType::Histogram,
            None => MetricType::Unknown,
        }
    }
}

/// No sample of ours has an example beside it.
const NO_EXEMPLAR: Option<&Exemplar<Labels, f64>> = None;

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for (name, family) in &self.families {
            let kind = family.metric_type();
            let mut metric = encoder.encode_descriptor(name, family.help, None, kind)?;
            for (labels, value) in &family.samples {
                let labels: Vec<(Cow<'_, str>, &str)> =
                    labels.iter().map(|(key, value)| (Cow::from(*key), value.as_str())).collect();
                let mut sample = metric.encode_family(&labels)?;
                match value {
                    Value::Counter(value) => sample.encode_counter(value, NO_EXEMPLAR)?,
                    Value::Gauge(value) => sample.encode_gauge(value)?,
                    Value::Distribution(Distribution { buckets, sum }) => {
                        let count = buckets.iter().map(|(_, number)| number).sum();
                        sample.encode_histogram::<Labels>(*sum, count, buckets, None)?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str) -> Labels {
        vec![("source", source.to_owned())]
    }

    #[test]
    fn families_are_written_as_open_metrics() {
        let mut families = Families::default();
        families.count("requests", "Requests sent.", of("main"), 3);
        families.count("requests", "Requests sent.", of("main"), 4);
        families.set("days_left", "Days.", of("a \"b\"\n\\"), -1.5);
        let buckets = vec![(0.1, 2), (1.0, 1), (f64::INFINITY, 1)];
        families.distribute("seconds", "Time.", of("main"), Distribution { buckets, sum: 12.25 });
        let expected = "\
# HELP xrefd_days_left Days.
# TYPE xrefd_days_left gauge
xrefd_days_left{source=\"a \\\"b\\\"\\n\\\\\"} -1.5
# HELP xrefd_requests Requests sent.
# TYPE xrefd_requests counter
xrefd_requests_total{source=\"main\"} 7.0
# HELP xrefd_seconds Time.
# TYPE xrefd_seconds histogram
xrefd_seconds_sum{source=\"main\"} 12.25
xrefd_seconds_count{source=\"main\"} 4
xrefd_seconds_bucket{le=\"0.1\",source=\"main\"} 2
xrefd_seconds_bucket{le=\"1.0\",source=\"main\"} 3
xrefd_seconds_bucket{le=\"+Inf\",source=\"main\"} 4
# EOF
";
        assert_eq!(families.write().expect("it can be written"), expected);
    }

    #[test]
    fn nothing_is_a_valid_answer_too() {
        assert_eq!(Families::default().write().expect("it can be written"), "# EOF\n");
    }
}
