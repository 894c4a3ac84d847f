//! Which lane a tenant is put on.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};
use uuid::Uuid;

use super::adding::{AddedLane, Shape, add};
use super::membership::members;
use super::{Ground, LIMITS, Lane, LaneError, lock};
use crate::query::{column, one};
use crate::role::RoleName;

/// Where a tenant should go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To the emptiest open, shared lane; to a new one when all are full.
    Emptiest,
    /// The same, but not to this one.
    EmptiestBut(Uuid),
    /// To the emptiest open, shared lane but this one; nowhere when all are full.
    ExistingBut(Uuid),
    /// To a new lane of its own.
    Dedicated,
    /// To this lane.
    Named(Uuid),
}

/// A lane whose row we hold, with room for one more.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) lane: Lane,
    /// Set when the lane is new.
    pub(crate) added: Option<AddedLane>,
}

impl From<Lane> for Placed {
    fn from(lane: Lane) -> Self {
        Self { lane, added: None }
    }
}

/// The state, the node and the room of one lane, under its lock.
const LOCK: &str = "
    SELECT l.login_role, l.state, l.capacity, l.node_id, n.name AS node
    FROM platform.lane l JOIN platform.node n ON n.id = l.node_id
    WHERE l.id = $1 FOR NO KEY UPDATE OF l";

/// Lanes that seem to have room, emptiest first. An archived tenant has no role any more, so it
/// takes none.
const EMPTIEST: &str = "
    SELECT l.id
    FROM platform.lane l
    CROSS JOIN LATERAL (
        SELECT count(*) AS held FROM platform.tenant t
        WHERE t.lane_id = l.id AND t.status NOT IN ('archived', 'gone')) room
    WHERE l.node_id = $1 AND l.id IS DISTINCT FROM $2 AND l.state = 'open' AND NOT l.dedicated
        AND room.held < l.capacity
    ORDER BY room.held, l.created_at, l.id";

/// Chooses a lane and holds its row until the transaction ends, so that two can't both take the
/// last place.
pub(crate) async fn place(on: Ground<'_>, wish: Wish) -> Result<Placed, LaneError> {
    let but = match wish {
        Wish::Named(id) => return take_named(on, id).await.map(Placed::from),
        Wish::Dedicated => {
            lock(on.tx).await?;
            return add(on, Shape::Dedicated).await;
        }
        Wish::Emptiest => None,
        Wish::EmptiestBut(id) | Wish::ExistingBut(id) => Some(id),
    };
    if let Some(lane) = take_emptiest(on, but).await? {
        return Ok(lane.into());
    }
    if matches!(wish, Wish::ExistingBut(_)) {
        return Err(LaneError::NoOtherLane(on.site.node.name.clone()));
    }
    // Only one adds a lane; the others wait here and then find its room.
    lock(on.tx).await?;
    if let Some(lane) = take_emptiest(on, but).await? {
        return Ok(lane.into());
    }
    let placed = add(on, Shape::Shared(on.options)).await?;
    tracing::info!(lane.login = %placed.lane.login, "all lanes were full, so one was added");
    Ok(placed)
}

/// Some open, shared lane of the node but this one, for a tenant that takes no room.
pub(super) async fn anywhere_but(on: Ground<'_>, lane: Uuid) -> Result<Option<Placed>, LaneError> {
    let row = one(
        on.tx,
        "SELECT id, login_role FROM platform.lane
         WHERE node_id = $1 AND id <> $2 AND state = 'open' AND NOT dedicated
         ORDER BY created_at, id LIMIT 1",
        [on.site.id().into(), lane.into()],
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    let login = RoleName::parse_lane(&row.try_get::<String>("", "login_role")?)?;
    let id = row.try_get("", "id")?;
    Ok(Some(Lane { id, login }.into()))
}

async fn take_emptiest(on: Ground<'_>, but: Option<Uuid>) -> Result<Option<Lane>, LaneError> {
    let candidates: Vec<Uuid> = column(on.tx, EMPTIEST, [on.site.id().into(), but.into()]).await?;
    for id in candidates {
        on.tx.execute_unprepared("SAVEPOINT lane").await?;
        match take(on, id).await? {
            Taken::Room(lane) => return Ok(Some(lane)),
            // Let go of before the next is waited for: two who hold what the other wants would
            // wait for ever.
            Taken::Full(_) | Taken::Retiring(_) | Taken::Nothing => {
                on.tx
                    .execute_unprepared("ROLLBACK TO SAVEPOINT lane")
                    .await?;
            }
        }
    }
    Ok(None)
}

async fn take_named(on: Ground<'_>, id: Uuid) -> Result<Lane, LaneError> {
    match take(on, id).await? {
        Taken::Room(lane) => Ok(lane),
        Taken::Full(login) => Err(LaneError::Full(login)),
        Taken::Retiring(login) => Err(LaneError::Retiring(login)),
        Taken::Nothing => Err(LaneError::NotFound(id.to_string())),
    }
}

enum Taken {
    Room(Lane),
    Full(RoleName),
    Retiring(RoleName),
    Nothing,
}

/// Holds a lane's row and looks for room.
async fn take(on: Ground<'_>, id: Uuid) -> Result<Taken, LaneError> {
    let Some(row) = one(on.tx, LOCK, [id.into()]).await? else {
        return Ok(Taken::Nothing);
    };
    let login = RoleName::parse_lane(&row.try_get::<String>("", "login_role")?)?;
    if row.try_get::<Uuid>("", "node_id")? != on.site.id() {
        return Err(LaneError::Elsewhere {
            lane: login.to_string(),
            is_on: row.try_get("", "node")?,
            wanted: on.site.node.name.clone(),
        });
    }
    if row.try_get::<String>("", "state")? != "open" {
        return Ok(Taken::Retiring(login));
    }
    let capacity: i32 = row.try_get("", "capacity")?;
    let lane = Lane { id, login };
    // Counted again, in statements of their own: the lock may have waited for others, and a
    // statement sees only what was committed before it began.
    if (held(on, &lane).await?.len() as i64) < i64::from(capacity) {
        Ok(Taken::Room(lane))
    } else {
        Ok(Taken::Full(lane.login))
    }
}

/// The schemas of everybody who takes room on a lane: those who are listed there, and those who
/// really are members of its login, which can be others for a moment where a node has
/// transactions of its own.
pub(super) async fn held(on: Ground<'_>, lane: &Lane) -> Result<BTreeSet<String>, LaneError> {
    let mut held = listed(on.tx, lane.id).await?;
    let node = on.site.begin(on.tx, LIMITS).await?;
    let found = members(&node, &lane.login).await;
    held.extend(node.finish(found).await?);
    Ok(held)
}

async fn listed(tx: &DatabaseTransaction, lane: Uuid) -> Result<BTreeSet<String>, DbErr> {
    let schemas: Vec<String> = column(
        tx,
        "SELECT schema_name FROM platform.tenant
         WHERE lane_id = $1 AND status NOT IN ('archived', 'gone')",
        [lane.into()],
    )
    .await?;
    Ok(schemas.into_iter().collect())
}
