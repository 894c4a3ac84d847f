//! One lane: what its login may do, and whether the walls hold when it tries more.

use provisioner::describe_db_error;
use sea_orm::{DbErr, FromQueryResult};

use super::fleet::{Fleet, Lane, Roles};
use super::report::{Finding, Proof};
use super::topic::Topic;
use super::walls::{self, Cast};
use super::{memberships, session};
use crate::config::Database;
use crate::db::probe::{Doors, Probe};

/// Looks at a lane through connections of its own. An error means that it could not be looked at.
pub(super) async fn examine(
    doors: &Doors,
    server: &Probe,
    fleet: &Fleet,
    lane: &Lane,
    roles: Roles,
    config: &Database,
) -> Result<Vec<Finding>, DbErr> {
    let node = fleet.node_of(lane);
    let address = node.map(|node| node.address.clone()).unwrap_or_default();
    let probe = doors.lane(lane.login.as_str(), &address).await?;
    let mut findings: Vec<_> = examine_login(&probe, lane).await?.into_iter().collect();
    let (found, held) = memberships::examine(&probe, server, lane, &roles).await?;
    findings.extend(found);
    let cast = Cast::choose(fleet, lane, &held);
    findings.extend(walls::examine(&probe, lane, &cast, config).await?);
    if let Some(actor) = &cast.actor {
        // A pooler treats all lanes of a node alike, so one lane looks from a second connection.
        let second = if speaks_for_node(fleet, lane) {
            Some(doors.lane(lane.login.as_str(), &address).await?)
        } else {
            None
        };
        findings.extend(session::examine(&probe, second.as_ref(), lane, actor, config).await?);
        if let Some(second) = second {
            second.close().await;
        }
    }
    probe.close().await;
    Ok(findings)
}

fn speaks_for_node(fleet: &Fleet, lane: &Lane) -> bool {
    let on_node = |other: &&Lane| other.node_id == lane.node_id;
    let has_tenants = |other: &&Lane| fleet.tenants.iter().any(|t| t.lane_id == other.id);
    let first = fleet.lanes.iter().filter(on_node).find(has_tenants);
    first.is_some_and(|first| first.id == lane.id)
}

/// A lane that could not be looked at proves nothing. One on a node elsewhere does not keep the
/// dealers of all other nodes waiting.
pub(super) fn unreached(fleet: &Fleet, lane: &Lane, error: &DbErr) -> Finding {
    let node = fleet.node_of(lane);
    let name = node.map_or("an unknown node", |node| node.name.as_str());
    let detail = format!(
        "{} on {name} could not be examined: {}",
        lane.login,
        describe_db_error(error)
    );
    let remedy = "see that its node answers; `tubex platform migrate` makes a missing login and \
                  sets its password and its right to connect";
    let is_elsewhere = node.is_some_and(|node| !node.is_platform());
    let proof = if is_elsewhere {
        Proof::Partial
    } else {
        Proof::Lacking
    };
    Finding::failed(Topic::Lanes, detail, remedy).leaving(proof)
}

#[derive(FromQueryResult)]
struct Login {
    /// What it may do and should not, separated by commas.
    excess: Option<String>,
}

async fn examine_login(probe: &Probe, lane: &Lane) -> Result<Option<Finding>, DbErr> {
    let sql = "SELECT concat_ws(', ', \
             CASE WHEN rolsuper THEN 'is a superuser' END, \
             CASE WHEN rolcreaterole THEN 'may create roles' END, \
             CASE WHEN rolcreatedb THEN 'may create databases' END, \
             CASE WHEN rolreplication THEN 'may replicate' END, \
             CASE WHEN rolbypassrls THEN 'passes by row security' END, \
             CASE WHEN rolinherit THEN 'inherits the rights of its dealers without taking their \
                 role' END) AS excess \
         FROM pg_catalog.pg_roles WHERE rolname = session_user";
    let login: Login = probe.row(sql).await?;
    let excess = login.excess.filter(|excess| !excess.is_empty());
    Ok(excess.map(|excess| {
        let detail = format!("{} {excess}", lane.login);
        let remedy = format!(
            "as a superuser: ALTER ROLE {} NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION \
             NOBYPASSRLS NOINHERIT",
            lane.login
        );
        Finding::failed(Topic::LaneLogins, detail, remedy)
    }))
}
