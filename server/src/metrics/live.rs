//! Those who follow events at this process.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::live::Tally;

/// Asks the tally of streams.
#[derive(Debug)]
pub(super) struct StreamCollector(pub(super) Arc<Tally>);

impl Collector for StreamCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Streams of events that are open, by kind";
        let mut family =
            encoder.encode_descriptor("live_streams", help, None, MetricType::Gauge)?;
        for (medium, count) in self.0.open() {
            let labels = [("kind", medium.as_str())];
            ConstGauge::new(count).encode(family.encode_family(&labels)?)?;
        }
        let help = "Streams of events that are over, by kind and why they ended";
        let name = "live_streams_ended";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (medium, reason, count) in self.0.ended() {
            let labels = [("kind", medium.as_str()), ("reason", reason)];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
