//! The walls, tried: statements that must be refused by the database. One dealer of a lane tries
//! them for all; that the same was granted to all is read from the catalogue, node by node.

use std::collections::HashSet;

use ::entity::platform::tenant::Status;
use provisioner::SchemaName;
use sea_orm::{ConnectionTrait, DbErr};

use super::fleet::{Fleet, Lane};
use super::report::Finding;
use super::topic::Topic;
use crate::config::Database;
use crate::db::probe::{Probe, sqlstate, tenant_start};

const REFUSED: &str = "42501";

/// Who plays whom in the attempts.
pub(super) struct Cast<'a> {
    /// One of the lane's tenants.
    pub(super) actor: Option<&'a SchemaName>,
    /// Somebody else on the same node, of the same lane if possible.
    neighbour: Option<&'a SchemaName>,
    /// Somebody of another lane on the same node.
    stranger: Option<&'a SchemaName>,
}

impl<'a> Cast<'a> {
    /// The actor's role must be one that the lane can take, else nothing can be tried.
    pub(super) fn choose(fleet: &'a Fleet, lane: &Lane, held: &HashSet<String>) -> Self {
        let here: HashSet<_> = fleet
            .lanes
            .iter()
            .filter(|other| other.node_id == lane.node_id)
            .map(|other| other.id)
            .collect();
        let there = |status| {
            matches!(
                status,
                Status::Active | Status::Suspended | Status::PastGrace
            )
        };
        let all = || {
            let whole = fleet.tenants.iter().filter(move |t| there(t.status));
            whole.filter(|tenant| here.contains(&tenant.lane_id))
        };
        let own = || all().filter(|tenant| tenant.lane_id == lane.id);
        let actor = own()
            .find(|tenant| held.contains(tenant.schema.as_str()))
            .map(|tenant| &tenant.schema);
        let stranger = all()
            .find(|tenant| tenant.lane_id != lane.id)
            .map(|tenant| &tenant.schema);
        Self {
            actor,
            neighbour: own()
                .map(|tenant| &tenant.schema)
                .find(|schema| Some(*schema) != actor)
                .or(stranger),
            stranger,
        }
    }
}

/// Tries what must be refused, each in a transaction that is rolled back.
pub(super) async fn examine(
    probe: &Probe,
    lane: &Lane,
    cast: &Cast<'_>,
    config: &Database,
) -> Result<Vec<Finding>, DbErr> {
    let login = &lane.login;
    let remedy = "take back what was granted by hand: only a dealer's own role may use its schema, \
                  and only its lane may take that role";
    let mut findings = Vec::new();
    let mut breach = |detail: String| {
        findings.push(Finding::failed(Topic::LaneWalls, detail, remedy));
    };
    let Some(actor) = cast.actor else {
        return Ok(findings);
    };
    let start = tenant_start(actor, config.statement_timeout_ms);
    let actor = actor.as_str();
    if !is_refused(probe, "BEGIN", &read(actor)).await? {
        breach(format!("{login} reads {actor} without taking a role"));
    }
    if let Some(neighbour) = cast.neighbour.map(SchemaName::as_str)
        && !is_refused(probe, &start, &read(neighbour)).await?
    {
        breach(format!("as {actor}, {login} reads {neighbour}"));
    }
    if let Some(stranger) = cast.stranger {
        let role = stranger.as_str();
        if !is_refused(probe, "BEGIN", &format!("SET LOCAL ROLE {role}")).await? {
            breach(format!("{login} takes role {role} of another lane"));
        }
    }
    Ok(findings)
}

/// Every dealer has members, whatever version its schema is at.
fn read(schema: &str) -> String {
    format!("SELECT FROM {schema}.member LIMIT 0")
}

/// Whether the database refuses `attempt` for want of a right. Any other error is no answer: the
/// attempt did not get as far as the wall.
async fn is_refused(probe: &Probe, start: &str, attempt: &str) -> Result<bool, DbErr> {
    let tried = async {
        probe.execute_unprepared(start).await?;
        Ok::<_, DbErr>(probe.execute_unprepared(attempt).await)
    };
    let tried = tried.await;
    probe.execute_unprepared("ROLLBACK").await?;
    match tried? {
        Ok(_) => Ok(false),
        Err(error) if sqlstate(&error).as_deref() == Some(REFUSED) => Ok(true),
        Err(error) => Err(error),
    }
}
