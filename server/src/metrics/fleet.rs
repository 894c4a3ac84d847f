//! How the directory and the lanes are doing, asked of them at every scrape.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use crate::db::{Directory, LaneStats, TenantStatus};

/// Asks the directory.
pub(super) struct FleetCollector(pub(super) Arc<Directory>);

impl Collector for FleetCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let directory = &self.0;
        encode_age(&mut encoder, directory.age())?;
        encode_census(&mut encoder, &directory.census())?;
        encode_lanes(&mut encoder, &directory.lane_stats())
    }
}

impl fmt::Debug for FleetCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FleetCollector")
    }
}

fn encode_age(encoder: &mut DescriptorEncoder<'_>, age: Option<Duration>) -> fmt::Result {
    let Some(age) = age else {
        return Ok(());
    };
    let help = "Time since the directory last looked at the database with success";
    let unit = Some(&Unit::Seconds);
    let gauge = encoder.encode_descriptor("directory_age", help, unit, MetricType::Gauge)?;
    ConstGauge::new(age.as_secs_f64()).encode(gauge)
}

fn encode_census(
    encoder: &mut DescriptorEncoder<'_>,
    census: &[((String, TenantStatus), u64)],
) -> fmt::Result {
    let help = "Tenants by schema version and status";
    let mut family = encoder.encode_descriptor("tenants", help, None, MetricType::Gauge)?;
    for ((version, status), count) in census {
        let labels = [
            ("schema_version", version.as_str()),
            ("status", status_word(*status)),
        ];
        ConstGauge::new(*count).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

fn status_word(status: TenantStatus) -> &'static str {
    match status {
        TenantStatus::Spare => "spare",
        TenantStatus::Provisioning => "provisioning",
        TenantStatus::Active => "active",
        TenantStatus::Suspended => "suspended",
        TenantStatus::PastGrace => "past_grace",
        TenantStatus::Closing => "closing",
        TenantStatus::Archived => "archived",
        TenantStatus::Gone => "gone",
    }
}

type Field<T> = (&'static str, &'static str, fn(&LaneStats) -> T);

const GAUGES: [Field<u64>; 5] = [
    (
        "lane_connections_max",
        "Connections a lane may have",
        |lane| lane.width.into(),
    ),
    ("lane_connections_open", "Connections a lane has", |lane| {
        lane.open.into()
    }),
    (
        "lane_connections_in_use",
        "Connections of a lane at work",
        |lane| lane.in_use.into(),
    ),
    (
        "lane_waiting",
        "Requests that wait for a connection of a lane",
        |lane| lane.waiting.into(),
    ),
    (
        "lane_statements_cached",
        "Statements that lie prepared on a lane's connections",
        |lane| lane.statements_cached,
    ),
];

const COUNTERS: [Field<u64>; 5] = [
    (
        "lane_timed_out",
        "Requests that waited for a connection of a lane in vain",
        |lane| lane.timed_out,
    ),
    (
        "lane_recycled",
        "Connections replaced because they had served enough tenants",
        |lane| lane.recycled,
    ),
    (
        "lane_statement_hits",
        "Statements that were prepared already",
        |lane| lane.statement_hits,
    ),
    (
        "lane_statement_misses",
        "Statements that had to be prepared",
        |lane| lane.statement_misses,
    ),
    (
        "tenant_refused",
        "Requests turned away because their tenant was at its cap, by lane",
        |lane| lane.refused_by_cap,
    ),
];

fn encode_lanes(encoder: &mut DescriptorEncoder<'_>, lanes: &[LaneStats]) -> fmt::Result {
    for (name, help, value) in GAUGES {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for lane in lanes {
            ConstGauge::new(value(lane)).encode(family.encode_family(&labels(lane))?)?;
        }
    }
    for (name, help, value) in COUNTERS {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for lane in lanes {
            ConstCounter::new(value(lane)).encode(family.encode_family(&labels(lane))?)?;
        }
    }
    let help = "How long requests waited for a connection of a lane";
    let unit = Some(&Unit::Seconds);
    let mut family = encoder.encode_descriptor("lane_wait", help, unit, MetricType::Histogram)?;
    for lane in lanes {
        family
            .encode_family(&labels(lane))?
            .encode_histogram::<NoLabelSet>(
                lane.waited_seconds,
                lane.acquired,
                &apart(&lane.wait_buckets, lane.acquired),
                None,
            )?;
    }
    Ok(())
}

fn labels(lane: &LaneStats) -> [(&'static str, &str); 2] {
    [("lane", lane.lane.as_str()), ("node", lane.node.as_str())]
}

/// The encoder adds classes up, so it wants each on its own; and the last one without a bound.
fn apart(cumulative: &[(f64, u64)], all: u64) -> Vec<(f64, u64)> {
    let mut below = 0;
    let bounded = cumulative.iter().filter(|(bound, _)| bound.is_finite());
    let mut classes: Vec<_> = bounded
        .map(|(bound, count)| {
            let class = (*bound, count.saturating_sub(below));
            below = below.max(*count);
            class
        })
        .collect();
    classes.push((f64::MAX, all.saturating_sub(below)));
    classes
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;

    struct Given(Vec<LaneStats>);

    impl fmt::Debug for Given {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Given")
        }
    }

    impl Collector for Given {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
            encode_age(&mut encoder, Some(Duration::from_millis(1_500)))?;
            let kind = ("m0002_catalogue".to_owned(), TenantStatus::PastGrace);
            encode_census(&mut encoder, &[(kind, 7)])?;
            encode_lanes(&mut encoder, &self.0)
        }
    }

    #[test]
    fn a_lane_is_told_with_its_waits_as_a_histogram() {
        let lane = LaneStats {
            lane: "lane_1".to_owned(),
            node: "main".to_owned(),
            width: 8,
            open: 5,
            in_use: 3,
            waiting: 2,
            acquired: 10,
            waited_seconds: 0.75,
            wait_buckets: vec![(0.001, 6), (0.1, 9)],
            timed_out: 1,
            refused_by_cap: 4,
            recycled: 2,
            statement_hits: 90,
            statement_misses: 10,
            statements_cached: 33,
        };
        let mut registry = Registry::with_prefix("tubex");
        registry.register_collector(Box::new(Given(vec![lane])));

        let mut text = String::new();
        encode(&mut text, &registry).unwrap();

        for line in [
            "tubex_directory_age_seconds 1.5",
            "tubex_tenants{schema_version=\"m0002_catalogue\",status=\"past_grace\"} 7",
            "tubex_lane_connections_in_use{lane=\"lane_1\",node=\"main\"} 3",
            "tubex_lane_statement_hits_total{lane=\"lane_1\",node=\"main\"} 90",
            "tubex_tenant_refused_total{lane=\"lane_1\",node=\"main\"} 4",
            "tubex_lane_wait_seconds_sum{lane=\"lane_1\",node=\"main\"} 0.75",
            "tubex_lane_wait_seconds_count{lane=\"lane_1\",node=\"main\"} 10",
            "tubex_lane_wait_seconds_bucket{le=\"0.001\",lane=\"lane_1\",node=\"main\"} 6",
            "tubex_lane_wait_seconds_bucket{le=\"0.1\",lane=\"lane_1\",node=\"main\"} 9",
            "tubex_lane_wait_seconds_bucket{le=\"+Inf\",lane=\"lane_1\",node=\"main\"} 10",
        ] {
            assert!(text.lines().any(|told| told == line), "{line}\n{text}");
        }
    }
}
