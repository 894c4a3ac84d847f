//! Whether connections, locks and memory of each cluster are enough for the fleet.

use std::collections::BTreeMap;

use super::fleet::{Fleet, Node};
use super::node::Facts;
use super::report::Finding;
use super::topic::Topic;
use crate::config::Database;
use crate::db::probe::Doors;

/// Kept free for people and their tools, where the platform is.
const OPERATORS: i64 = 5;
/// Postgres' own default; a dealer's purge takes hundreds at once.
const LOCKS_PER_TRANSACTION: i64 = 64;
const LOCKS: i64 = 4_000;
/// What a prepared statement keeps in its backend, kB.
const STATEMENT_KB: u64 = 40;

/// One Postgres cluster, which may hold several nodes' databases.
struct Cluster {
    names: Vec<String>,
    facts: Facts,
    /// Connections of all lanes that lead here, of one process.
    lanes: i64,
    has_platform: bool,
}

pub(super) fn examine(
    doors: &Doors,
    fleet: &Fleet,
    facts: &[(&Node, Facts)],
    config: &Database,
) -> Vec<Finding> {
    let mut clusters: BTreeMap<(String, u16), Cluster> = BTreeMap::new();
    for (node, facts) in facts {
        let cluster = clusters
            .entry(doors.cluster_of(&node.address))
            .or_insert_with(|| Cluster {
                names: Vec::new(),
                facts: facts.clone(),
                lanes: 0,
                has_platform: false,
            });
        cluster.names.push(node.name.clone());
        let lanes = fleet.lanes.iter().filter(|lane| lane.node_id == node.id);
        cluster.lanes += lanes.map(|lane| i64::from(lane.width)).sum::<i64>();
        if node.is_platform() {
            cluster.has_platform = true;
            // Only here was it the server's own login that looked.
            cluster.facts.login_limit = facts.login_limit;
        }
    }
    let mut findings = Vec::new();
    for cluster in clusters.values() {
        findings.push(examine_connections(cluster, config));
        findings.extend(examine_login(cluster, config));
        findings.extend(examine_locks(cluster));
    }
    findings.push(statements(fleet, config));
    findings
}

fn examine_connections(cluster: &Cluster, config: &Database) -> Finding {
    let processes = i64::from(config.processes);
    let own = i64::from(config.platform_connections);
    let nodes = i64::try_from(cluster.names.len()).unwrap_or(1);
    let jobs = i64::from(config.jobs_connections) * nodes;
    let (each, operators) = if cluster.has_platform {
        (cluster.lanes + jobs + own, OPERATORS)
    } else {
        (cluster.lanes + jobs, 0)
    };
    let needed = processes * each + operators;
    let there = cluster.facts.max_connections - cluster.facts.reserved;
    let parts = if cluster.has_platform {
        format!(
            "{processes} x ({} of lanes + {jobs} for jobs + {own} of the platform) + {operators} for \
             operators",
            cluster.lanes
        )
    } else {
        format!(
            "{processes} x ({} of lanes + {jobs} for jobs)",
            cluster.lanes
        )
    };
    let detail = format!(
        "{}: {needed} of {there} connections ({parts}; max_connections {} - {} reserved)",
        cluster.names.join(", "),
        cluster.facts.max_connections,
        cluster.facts.reserved
    );
    if needed <= there {
        return Finding::fine(Topic::Connections, detail);
    }
    let remedy = format!(
        "raise max_connections to {}, or narrow lanes with `tubex lane set LANE --width`, or run \
         fewer processes and say so in database.processes",
        needed + cluster.facts.reserved
    );
    if config.direct_url.is_some() {
        // A pooler in front queues what doesn't fit; its own limits are for its operator.
        return Finding::warning(Topic::Connections, detail, remedy);
    }
    Finding::failed(Topic::Connections, detail, remedy)
}

fn examine_login(cluster: &Cluster, config: &Database) -> Option<Finding> {
    let limit = i64::from(cluster.facts.login_limit);
    let needed = i64::from(config.processes) * i64::from(config.platform_connections);
    if !cluster.has_platform || limit < 0 || needed <= limit {
        return None;
    }
    let detail = format!(
        "the server's login may have {limit} connections and {} x {} need {needed}",
        config.processes, config.platform_connections
    );
    let remedy =
        format!("run `tubex platform migrate --server-connections {needed}`, or fewer processes");
    Some(Finding::failed(Topic::Connections, detail, remedy))
}

fn examine_locks(cluster: &Cluster) -> Option<Finding> {
    let each = cluster.facts.locks_per_transaction;
    let all = each * cluster.facts.max_connections;
    if each >= LOCKS_PER_TRANSACTION && all >= LOCKS {
        return None;
    }
    let detail = format!(
        "{}: max_locks_per_transaction {each} x max_connections {} = {all} locks",
        cluster.names.join(", "),
        cluster.facts.max_connections
    );
    let remedy = format!(
        "raise max_locks_per_transaction to {} or more: removing a dealer takes hundreds of locks",
        LOCKS_PER_TRANSACTION.max(LOCKS / cluster.facts.max_connections.max(1) + 1)
    );
    Some(Finding::warning(Topic::Locks, detail, remedy))
}

fn statements(fleet: &Fleet, config: &Database) -> Finding {
    let lanes: u64 = fleet.lanes.iter().map(|lane| u64::from(lane.width)).sum();
    let connections = u64::from(config.processes) * lanes;
    let each = u64::try_from(config.statement_cache).unwrap_or(u64::MAX);
    let mib = each.saturating_mul(STATEMENT_KB * connections) / 1024;
    let detail = format!(
        "at most {each} on each of {connections} connections, about {mib} MiB of the databases' \
         memory"
    );
    Finding::fine(Topic::Statements, detail)
}
