//! Proves that the walls between dealers stand, and that the machine is wide enough for the fleet.
//!
//! `server doctor` runs it for people; every server runs it when it starts, and serves no dealer
//! before the checks of isolation and of connections have passed once. It works on connections of
//! its own, changes nothing, and leaves nothing behind.

mod admission;
mod fleet;
mod lane;
mod limits;
mod memberships;
mod node;
mod platform;
mod report;
mod session;
mod topic;
mod walls;

pub use admission::{Admission, Refused, admit};
pub use platform::NEWEST;
pub use report::{Check, Outcome, Report};

use std::collections::HashMap;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use provisioner::describe_db_error;
use sea_orm::DbErr;

use self::fleet::{Fleet, Lane};
use self::report::Finding;
use self::topic::Topic;
use crate::config::Database;
use crate::db::probe::{Doors, Probe};
use crate::db::{Failure, failure_of};
use crate::kernel::Clock;

/// Lanes that are examined at once: each takes a connection or two of what is there for dealers.
const LANES_AT_ONCE: usize = 8;
/// A whole examination takes a second at most; a database that falls silent takes for ever.
const LONGEST: Duration = Duration::from_secs(60);

/// The examination could not take place.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// No connection to the platform, or none any more.
    #[error("the platform's database can't be reached: {0}")]
    Database(String),
    /// It was there and fell silent.
    #[error("the platform's database did not answer within {} seconds", LONGEST.as_secs())]
    Silent,
}

/// Looks at everything once.
///
/// # Errors
///
/// [`Unreachable`] when the platform's database isn't there.
pub async fn examine(config: &Database, clock: &Clock) -> Result<Report, Unreachable> {
    tokio::time::timeout(LONGEST, look(config, clock))
        .await
        .map_err(|_| Unreachable::Silent)?
        .map_err(|error| Unreachable::Database(describe_db_error(&error)))
}

async fn look(config: &Database, clock: &Clock) -> Result<Report, DbErr> {
    let doors = Doors::new(config)?;
    let server = doors.server().await?;
    let looked = look_from(&doors, &server, config, clock).await;
    server.close().await;
    looked
}

async fn look_from(
    doors: &Doors,
    server: &Probe,
    config: &Database,
    clock: &Clock,
) -> Result<Report, DbErr> {
    let mut findings = Vec::new();
    let fleet = match platform::fleet(server, config).await {
        Ok(fleet) => fleet,
        Err(error) if failure_of(&error) == Failure::Unavailable => return Err(error),
        Err(error) => {
            findings.push(platform::unreadable(&error));
            return Ok(Report::of(findings));
        }
    };
    findings.push(Finding::fine(Topic::Platform, "it answers"));
    let (around, lanes) = tokio::join!(
        platform::examine(doors, server, &fleet, clock),
        examine_lanes(doors, server, &fleet, config),
    );
    findings.extend(around?);
    findings.extend(lanes?);
    Ok(Report::of(findings))
}

/// The lanes side by side, then each node through one of its lanes.
async fn examine_lanes(
    doors: &Doors,
    server: &Probe,
    fleet: &Fleet,
    config: &Database,
) -> Result<Vec<Finding>, DbErr> {
    let roles = fleet.roles();
    let examined: Vec<_> = stream::iter(&fleet.lanes)
        .map(|lane| {
            let roles = roles.get(&lane.id).cloned().unwrap_or_default();
            async move {
                let examined = lane::examine(doors, server, fleet, lane, roles, config).await;
                (lane, examined)
            }
        })
        .buffer_unordered(LANES_AT_ONCE)
        .collect()
        .await;
    let mut findings = Vec::new();
    if roles.values().all(|roles| roles.must.is_empty()) {
        for topic in [Topic::LaneWalls, Topic::Sessions] {
            findings.push(Finding::fine(
                topic,
                "there is no dealer yet to try it with",
            ));
        }
    }
    let mut ways: HashMap<_, &Lane> = HashMap::new();
    for (lane, outcome) in examined {
        match outcome {
            Ok(found) => {
                findings.extend(found);
                ways.entry(lane.node_id).or_insert(lane);
            }
            Err(error) => findings.push(lane::unreached(fleet, lane, &error)),
        }
    }
    let mut facts = Vec::new();
    for node in &fleet.nodes {
        // The server itself has a login on the platform's node only.
        let looked = if node.is_platform() {
            node::examine(server, node, config).await
        } else if let Some(lane) = ways.get(&node.id) {
            through(doors, lane, node, config).await
        } else {
            continue;
        };
        match looked {
            Ok((found, fact)) => {
                findings.extend(found);
                facts.push((node, fact));
            }
            Err(error) if node.is_platform() => return Err(error),
            Err(error) => findings.push(node::unreached(node, &error)),
        }
    }
    findings.extend(limits::examine(doors, fleet, &facts, config));
    Ok(findings)
}

async fn through(
    doors: &Doors,
    lane: &Lane,
    node: &fleet::Node,
    config: &Database,
) -> Result<(Vec<Finding>, node::Facts), DbErr> {
    let probe = doors.lane(lane.login.as_str(), &node.address).await?;
    let examined = node::examine(&probe, node, config).await;
    probe.close().await;
    examined
}
