//! Birth from a spare: all that is left to do is to write the first rows and to say whose it is.

use entity::platform::plan;
use entity::platform::tenant::Status;
use sea_orm::{ActiveEnum as _, DatabaseTransaction};
use uuid::Uuid;

use super::{CreateError, NewTenant, Origin, detail, taken_or_failed, vanished};
use crate::history::{now, record};
use crate::lanes::{LaneError, Wish};
use crate::nodes::Site;
use crate::query::one;
use crate::transaction::enter;
use crate::{Inner, Product, SchemaName, TenantEntry, directory};

/// A spare that nobody else will get: its entry bears the new tenant's slug and name.
pub(super) struct Claimed {
    pub(super) id: Uuid,
    schema: SchemaName,
}

/// Takes the oldest spare that nobody else is at. One whose lane takes nobody any more, or was set
/// apart since, is left.
const CLAIM: &str = "
    WITH picked AS MATERIALIZED (
        SELECT t.id FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
        WHERE t.status = 'spare' AND t.schema_version = $1
            AND l.node_id = $2 AND l.state = 'open'
            AND CASE WHEN $3::uuid IS NULL THEN NOT l.dedicated ELSE l.id = $3 END
        ORDER BY t.id LIMIT 1 FOR UPDATE OF t SKIP LOCKED)
    UPDATE platform.tenant t
    SET slug = $4, name = $5, plan_id = $6, status = $7, created_at = $8, updated_at = $8
    FROM picked WHERE t.id = picked.id
    RETURNING t.id, t.schema_name";

/// Makes a spare that fits the new tenant's, if there is one. On another node than the platform's
/// the entry says that the tenant is being made.
pub(super) async fn claim(
    tx: &DatabaseTransaction,
    site: &Site,
    wish: Wish,
    new: &NewTenant,
    plan: Option<&plan::Model>,
    head: &str,
) -> Result<Option<Claimed>, CreateError> {
    let lane = match wish {
        Wish::Emptiest => None,
        Wish::Named(id) => Some(id),
        Wish::Dedicated | Wish::EmptiestBut(_) | Wish::ExistingBut(_) => return Ok(None),
    };
    // A spare stands among others.
    if plan.is_some_and(|plan| plan.dedicated_lane) {
        return Ok(None);
    }
    let status = if site.is_own() {
        Status::Active
    } else {
        Status::Provisioning
    };
    let row = one(
        tx,
        CLAIM,
        [
            head.into(),
            site.id().into(),
            lane.into(),
            new.slug.as_str().into(),
            new.name.as_str().into(),
            plan.map(|plan| plan.id).into(),
            status.to_value().into(),
            now().into(),
        ],
    )
    .await
    .map_err(|error| taken_or_failed(error, &new.slug))?;
    let Some(row) = row else { return Ok(None) };
    let schema: String = row.try_get("", "schema_name")?;
    Ok(Some(Claimed {
        id: row.try_get("", "id")?,
        schema: SchemaName::parse(&schema).map_err(LaneError::from)?,
    }))
}

/// Writes the first rows, in the transaction that claimed the spare: if they can't be written it
/// is a spare again.
pub(super) async fn fill<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    spare: Claimed,
    new: &NewTenant,
    plan: Option<&plan::Model>,
    head: &str,
) -> Result<TenantEntry, CreateError> {
    let birth = new.birth(spare.id);
    enter(tx, &spare.schema).await?;
    let seeded = inner.product.seed(tx, &birth).await;
    seeded.map_err(CreateError::Seed)?;
    let detail = detail(&birth, head, plan, Origin::Spare);
    record(tx, spare.id, "created", &new.actor, detail, now()).await?;
    directory::entry(tx, spare.id).await?.ok_or_else(vanished)
}
