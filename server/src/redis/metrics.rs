//! What metrics tell of Redis.

use std::fmt;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::{Redis, State};

/// Where the breaker stands and what became of the questions; nothing where there is no Redis.
#[derive(Debug)]
pub(crate) struct RedisCollector(pub(crate) Redis);

impl Collector for RedisCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (Some(now), Some(counts)) = (self.0.state(), self.0.counts()) else {
            return Ok(());
        };
        let help = "Whether Redis is asked: 1 for where the breaker stands";
        let mut states =
            encoder.encode_descriptor("redis_breaker", help, None, MetricType::Gauge)?;
        for state in State::ALL {
            let labels = [("state", state.word())];
            let family = states.encode_family(&labels)?;
            ConstGauge::new(i64::from(state == now)).encode(family)?;
        }
        let help = "Questions to Redis by what became of them";
        let mut questions =
            encoder.encode_descriptor("redis_questions", help, None, MetricType::Counter)?;
        for (outcome, count) in [
            ("answered", &counts.answered),
            ("failed", &counts.failed),
            ("spared", &counts.spared),
        ] {
            let labels = [("outcome", outcome)];
            let family = questions.encode_family(&labels)?;
            ConstCounter::new(count.load(Ordering::Relaxed)).encode(family)?;
        }
        Ok(())
    }
}
