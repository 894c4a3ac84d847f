//! What metrics tell of caches.

use std::fmt;
use std::sync::PoisonError;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use super::Caches;

/// Answers of each cache by where they came from: what came from the database was a miss on both
/// levels, what came from Redis a miss in this process.
#[derive(Debug)]
pub(crate) struct CacheCollector(pub(crate) Caches);

impl Collector for CacheCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Answers of caches by where they came from";
        let mut answers =
            encoder.encode_descriptor("cache_answers", help, None, MetricType::Counter)?;
        let all = self.0.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for counts in all.iter() {
            for (source, count) in counts.by_source() {
                let labels = [("cache", counts.what), ("source", source)];
                let family = answers.encode_family(&labels)?;
                ConstCounter::new(count).encode(family)?;
            }
        }
        Ok(())
    }
}
