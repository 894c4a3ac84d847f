//! Moving a tenant to another lane of its node.
//!
//! On the platform's own node that is one transaction; a lane of its own that the tenant left is
//! marked in it and dropped after it. On another one it is three, in an order
//! that keeps the tenant served wherever it is cut: the new lane may become its role, the
//! directory says so, the old lane may no longer. What a cut leaves over is found by doing it
//! again, or by `mend`.

use std::sync::Arc;

use entity::platform::node;
use entity::platform::tenant::{self, Status};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, DatabaseTransaction, EntityTrait as _,
    IntoActiveModel as _, QuerySelect as _,
};
use serde_json::json;
use uuid::Uuid;

use super::adding::AddedLane;
use super::membership::{admit, expel, lanes_of, mend_one};
use super::placing::{Wish, anywhere_but, place};
use super::retiring::{drop_if_empty, mark_if_empty};
use super::{LIMITS, LaneError, listing};
use crate::history::{now, record};
use crate::nodes::Site;
use crate::query::one;
use crate::role::RoleName;
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{Inner, Product, Provisioner, SchemaName, directory};

/// Where a tenant should go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MoveTo {
    /// To the emptiest other open, shared lane of its node.
    Emptiest,
    /// To this lane, by its login or its id.
    Lane(String),
    /// To a new lane of its own.
    Dedicated,
}

/// A tenant that was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The tenant.
    pub id: Uuid,
    /// What people type.
    pub slug: String,
    /// The login of the lane it left.
    pub from: String,
    /// The login of the lane it is on now. The same where there was nothing to do.
    pub to: String,
    /// Set when the lane is new.
    pub added: Option<AddedLane>,
    /// The login of the lane it left, if that was its own and is gone now.
    pub dropped: Option<String>,
}

/// What the library itself asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goal {
    To(Wish),
    /// To the emptiest other lane, unless it has left already.
    AwayFrom(Uuid),
}

impl<P: Product> Provisioner<P> {
    /// Moves a tenant to another lane of its node. Moving it to where it is mends its memberships
    /// and is no move.
    ///
    /// Requests that are under way on the old lane go on; the next one there is refused by the
    /// database, and the server looks the tenant up again.
    ///
    /// # Errors
    ///
    /// [`LaneError`]; the tenant is then where it was.
    pub async fn move_to_lane(
        &self,
        tenant: &str,
        to: MoveTo,
        actor: &str,
    ) -> Result<Moved, LaneError> {
        let inner = Arc::clone(&self.inner);
        let (tenant, actor) = (tenant.to_owned(), actor.to_owned());
        to_the_end(async move {
            let missing = || LaneError::NoTenant(tenant.clone());
            let row = directory::find(&inner.db, &tenant)
                .await?
                .ok_or_else(missing)?;
            let goal = match to {
                MoveTo::Emptiest => Goal::To(Wish::ExistingBut(row.lane_id)),
                MoveTo::Dedicated => Goal::To(Wish::Dedicated),
                MoveTo::Lane(name) => {
                    Goal::To(Wish::Named(listing::find(&inner.db, &name).await?.id))
                }
            };
            move_one(&inner, row.id, goal, &actor)
                .await?
                .ok_or_else(missing)
        })
        .await
    }
}

/// Nothing when the tenant is gone, or was moved away by somebody else.
pub(super) async fn move_one<P: Product>(
    inner: &Inner<P>,
    id: Uuid,
    goal: Goal,
    actor: &str,
) -> Result<Option<Moved>, LaneError> {
    // A tenant stays on its node, so this can be found out without a lock.
    let Some(node) = node_of(inner, id).await? else {
        return Ok(None);
    };
    let site = inner.reach(node).await?;
    let tx = begin(&inner.db, LIMITS).await?;
    let outcome = move_in(&tx, inner, &site, id, goal, actor).await;
    let Some((mut moved, left)) = finish(tx, outcome).await? else {
        return Ok(None);
    };
    if !site.is_own() {
        let tx = begin(&inner.db, LIMITS).await?;
        let outcome = mend_one(&tx, &site, id).await;
        finish(tx, outcome).await?;
    }
    if let Some(left) = left {
        moved.dropped = drop_if_empty(inner, &site, left)
            .await?
            .map(|gone| gone.login);
    }
    tracing::info!(
        tenant.id = %moved.id,
        lane.from = moved.from,
        lane.to = moved.to,
        "moved a tenant to another lane"
    );
    Ok(Some(moved))
}

/// The move, and the lane of its own that was left, if nobody else is there.
async fn move_in<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    site: &Site,
    id: Uuid,
    goal: Goal,
    actor: &str,
) -> Result<Option<(Moved, Option<Uuid>)>, LaneError> {
    act_as_owner(tx).await?;
    // The row is the tenant's lock: whoever migrates it is waited for, and servers only read it.
    let row = tenant::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (old, is_dedicated) = old_lane(tx, row.lane_id).await?;
    let wish = match goal {
        Goal::AwayFrom(lane) if row.lane_id != lane => return Ok(None),
        Goal::AwayFrom(lane) => Wish::EmptiestBut(lane),
        Goal::To(wish) => wish,
    };
    let schema = SchemaName::parse(&row.schema_name)?;
    if wish == Wish::Named(row.lane_id) {
        mend_one(tx, site, id).await?;
        let stayed = Moved {
            id,
            slug: row.slug,
            from: old.to_string(),
            to: old.to_string(),
            added: None,
            dropped: None,
        };
        return Ok(Some((stayed, None)));
    }
    let ground = inner.ground(tx, site);
    let anywhere = match wish {
        // It has no role any more; only its entry has to point to some lane.
        Wish::EmptiestBut(lane) if has_no_role(row.status) => anywhere_but(ground, lane).await?,
        _ => None,
    };
    let placed = match anywhere {
        Some(placed) => placed,
        None => place(ground, wish).await?,
    };
    let lanes = lanes_of(tx, site.id()).await?;
    let node = site.begin(tx, LIMITS).await?;
    let admitted = async {
        if !has_no_role(row.status) {
            admit(&node, &schema, &placed.lane.login).await?;
        }
        if site.is_own() {
            expel(&node, &schema, &lanes, &placed.lane.login).await?;
        }
        Ok::<_, LaneError>(())
    };
    let admitted = admitted.await;
    node.finish(admitted).await?;

    let moved = Moved {
        id,
        slug: row.slug.clone(),
        from: old.to_string(),
        to: placed.lane.login.to_string(),
        added: placed.added,
        dropped: None,
    };
    let left = row.lane_id;
    let now = now();
    let mut changed = row.into_active_model();
    changed.lane_id = Set(placed.lane.id);
    changed.updated_at = Set(now);
    changed.update(tx).await?;
    let detail = json!({ "from": moved.from, "to": moved.to });
    record(tx, id, "lane_moved", actor, detail, now).await?;
    let is_over = is_dedicated && mark_if_empty(tx, left).await?;
    Ok(Some((moved, is_over.then_some(left))))
}

/// What is archived or gone has nothing on its node any more.
fn has_no_role(status: Status) -> bool {
    matches!(status, Status::Archived | Status::Gone)
}

async fn node_of<P: Product>(
    inner: &Inner<P>,
    tenant: Uuid,
) -> Result<Option<node::Model>, LaneError> {
    let row = one(
        &inner.db,
        "SELECT l.node_id FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
         WHERE t.id = $1",
        [tenant.into()],
    )
    .await?;
    let Some(row) = row else { return Ok(None) };
    let id: Uuid = row.try_get("", "node_id")?;
    Ok(node::Entity::find_by_id(id).one(&inner.db).await?)
}

/// The login of a lane, and whether it is somebody's own.
async fn old_lane(tx: &DatabaseTransaction, id: Uuid) -> Result<(RoleName, bool), LaneError> {
    let row = one(
        tx,
        "SELECT login_role, dedicated FROM platform.lane WHERE id = $1",
        [id.into()],
    )
    .await?
    .ok_or_else(|| LaneError::NotFound(id.to_string()))?;
    let login = RoleName::parse_lane(&row.try_get::<String>("", "login_role")?)?;
    Ok((login, row.try_get("", "dedicated")?))
}
