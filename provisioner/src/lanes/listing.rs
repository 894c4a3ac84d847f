//! Lanes as operators see them, and their two knobs.

use std::sync::Arc;

use entity::platform::lane::State;
use entity::platform::{lane, node};
use sea_orm::{ColumnTrait as _, ConnectionTrait, EntityTrait as _, QueryFilter as _};
use time::OffsetDateTime;
use uuid::Uuid;

use super::adding::{Pressure, pressure};
use super::placing::held;
use super::{LIMITS, Lane, LaneError};
use crate::query::{all, run};
use crate::role::RoleName;
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{Product, Provisioner};

/// A lane as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneEntry {
    /// Never changes.
    pub id: Uuid,
    /// The role that servers log in as.
    pub login: String,
    /// What operators call its node.
    pub node: String,
    /// Connections that one server process opens, at most.
    pub width: i32,
    /// Tenants that fit.
    pub capacity: i32,
    /// Tenants that are there; archived ones take no room and are not counted.
    pub tenants: i64,
    /// Whether it takes tenants.
    pub state: State,
    /// Whether tenants are put there by name only.
    pub is_dedicated: bool,
    /// When it was added.
    pub created_at: OffsetDateTime,
}

/// New values for a lane; what isn't said stays.
#[derive(Clone, Debug)]
pub struct SetLane {
    /// The lane, by its login or its id.
    pub lane: String,
    /// Connections of one server process.
    pub width: Option<u16>,
    /// Tenants that fit.
    pub capacity: Option<u16>,
}

/// A lane and its node.
pub(crate) struct Found {
    pub(crate) id: Uuid,
    pub(crate) login: String,
    pub(crate) node: node::Model,
}

impl<P: Product> Provisioner<P> {
    /// All lanes, node by node, oldest first.
    ///
    /// # Errors
    ///
    /// [`LaneError::Db`].
    pub async fn lanes(&self) -> Result<Vec<LaneEntry>, LaneError> {
        entries(&self.inner.db, None).await
    }

    /// Changes a lane's width or capacity. Servers follow within a second.
    ///
    /// # Errors
    ///
    /// [`LaneError::NotFound`], [`LaneError::BelowHeld`], [`LaneError::Reach`],
    /// [`LaneError::Db`].
    pub async fn set_lane(&self, set: SetLane) -> Result<(LaneEntry, Option<Pressure>), LaneError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let found = find(&inner.db, &set.lane).await?;
            let site = inner.reach(found.node).await?;
            let lane = Lane {
                id: found.id,
                login: RoleName::parse_lane(&found.login)?,
            };
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = async {
                act_as_owner(&tx).await?;
                let ground = inner.ground(&tx, &site);
                // First, for its lock: whoever is being put there is counted then.
                run(
                    &tx,
                    "UPDATE platform.lane
                     SET width = coalesce($2, width), capacity = coalesce($3, capacity)
                     WHERE id = $1",
                    [
                        lane.id.into(),
                        set.width.map(i32::from).into(),
                        set.capacity.map(i32::from).into(),
                    ],
                )
                .await?;
                if let Some(capacity) = set.capacity {
                    let held = held(ground, &lane).await?.len();
                    if held > usize::from(capacity) {
                        return Err(LaneError::BelowHeld {
                            lane: found.login,
                            held,
                            capacity,
                        });
                    }
                }
                let entry = entries(&tx, Some(lane.id))
                    .await?
                    .pop()
                    .ok_or(LaneError::NotFound(set.lane))?;
                Ok((entry, pressure(ground).await?))
            };
            let outcome = outcome.await;
            finish(tx, outcome).await
        })
        .await
    }
}

/// A lane by its login or its id.
pub(crate) async fn find(db: &impl ConnectionTrait, name: &str) -> Result<Found, LaneError> {
    let by = match Uuid::try_parse(name) {
        Ok(id) => lane::Column::Id.eq(id),
        Err(_) => lane::Column::LoginRole.eq(name),
    };
    match lane::Entity::find()
        .find_also_related(node::Entity)
        .filter(by)
        .one(db)
        .await?
    {
        Some((lane, Some(node))) => Ok(Found {
            id: lane.id,
            login: lane.login_role,
            node,
        }),
        _ => Err(LaneError::NotFound(name.to_owned())),
    }
}

async fn entries(
    db: &impl ConnectionTrait,
    only: Option<Uuid>,
) -> Result<Vec<LaneEntry>, LaneError> {
    let rows = all(
        db,
        "SELECT l.id, l.login_role, n.name AS node, l.width, l.capacity, l.state, l.dedicated,
             l.created_at, room.held
         FROM platform.lane l
         JOIN platform.node n ON n.id = l.node_id
         CROSS JOIN LATERAL (
             SELECT count(*) AS held FROM platform.tenant t
             WHERE t.lane_id = l.id AND t.status NOT IN ('archived', 'gone')) room
         WHERE $1::uuid IS NULL OR l.id = $1
         ORDER BY n.created_at, n.id, l.created_at, l.id",
        [only.into()],
    )
    .await?;
    rows.iter()
        .map(|row| {
            Ok(LaneEntry {
                id: row.try_get("", "id")?,
                login: row.try_get("", "login_role")?,
                node: row.try_get("", "node")?,
                width: row.try_get("", "width")?,
                capacity: row.try_get("", "capacity")?,
                tenants: row.try_get("", "held")?,
                state: row.try_get("", "state")?,
                is_dedicated: row.try_get("", "dedicated")?,
                created_at: row.try_get("", "created_at")?,
            })
        })
        .collect()
}
