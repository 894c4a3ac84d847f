//! What this process has done of background work, and what it last saw waiting.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::jobs::{KindStats, Stats, Times};

/// Asks the worker's books.
#[derive(Debug)]
pub(super) struct JobCollector(pub(super) Arc<Stats>);

impl Collector for JobCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let kinds = self.0.kinds();
        encode_attempts(&mut encoder, &kinds)?;
        let help = "How long attempts took";
        encode_times(&mut encoder, "job_run", help, &kinds, |kind| &kind.busy)?;
        let help = "How long jobs were ready before they were begun";
        encode_times(&mut encoder, "job_wait", help, &kinds, |kind| &kind.waited)?;
        self.encode_depths(&mut encoder)
    }
}

impl JobCollector {
    fn encode_depths(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let nodes = self.0.depths();
        let depths = || {
            let all = nodes.iter();
            all.flat_map(|(node, depths)| depths.iter().map(move |depth| (node.as_str(), depth)))
        };
        let help = "Jobs of a node by queue and state";
        let mut family = encoder.encode_descriptor("jobs", help, None, MetricType::Gauge)?;
        for (node, depth) in depths() {
            let labels = [
                ("node", node),
                ("queue", depth.queue.as_str()),
                ("state", depth.state.as_str()),
            ];
            ConstGauge::new(depth.jobs).encode(family.encode_family(&labels)?)?;
        }
        let help = "How long the first job of a queue has been ready, or under way";
        let (name, unit) = ("jobs_oldest", Some(&Unit::Seconds));
        let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        let due = depths().filter(|(_, depth)| matches!(&*depth.state, "ready" | "running"));
        for (node, depth) in due {
            let labels = [
                ("node", node),
                ("queue", depth.queue.as_str()),
                ("state", depth.state.as_str()),
            ];
            ConstGauge::new(depth.oldest.as_secs_f64()).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

fn encode_attempts(
    encoder: &mut DescriptorEncoder<'_>,
    kinds: &[(&'static str, KindStats)],
) -> fmt::Result {
    let help = "Attempts at jobs by kind and how they ended";
    let mut family = encoder.encode_descriptor("job_attempts", help, None, MetricType::Counter)?;
    for (kind, stats) in kinds {
        for (ended, count) in &stats.ended {
            let labels = [("kind", *kind), ("outcome", ended.as_str())];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn encode_times(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    kinds: &[(&'static str, KindStats)],
    times: impl Fn(&KindStats) -> &Times,
) -> fmt::Result {
    let unit = Some(&Unit::Seconds);
    let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
    for (kind, stats) in kinds {
        let times = times(stats);
        let bound = |bound: Option<Duration>| bound.map_or(f64::MAX, |bound| bound.as_secs_f64());
        let classes: Vec<_> = times
            .classes()
            .map(|(most, count)| (bound(most), count))
            .collect();
        family
            .encode_family(&[("kind", *kind)])?
            .encode_histogram::<NoLabelSet>(times.sum.as_secs_f64(), times.count, &classes, None)?;
    }
    Ok(())
}
