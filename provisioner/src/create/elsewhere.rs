//! Birth on another node, where no transaction can span tenant and directory.
//!
//! First the directory says that the tenant is being made: its slug is taken, its lane and schema
//! are chosen. Then, under a lock on that entry that ends with its holder, one transaction on the
//! node makes the tenant, and the entry becomes active. A failure takes the entry back; a kill
//! leaves it, and the next creation of that slug takes it over.
//!
//! A spare becomes such an intent by getting the slug. Until the node has committed it can become
//! a spare again; after a kill it is an intent like any other.

use entity::platform::plan;
use entity::platform::tenant::{self, Status};
use entity::platform::{lane, node};
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ConnectionTrait as _, DatabaseTransaction, DbErr,
    EntityTrait as _, IntoActiveModel as _, QuerySelect as _,
};
use uuid::Uuid;

use super::{
    CreateError, LIMITS, Made, NewTenant, Origin, Placement, birth, claim, detail, enlist,
    entry_of, vanished,
};
use crate::history::{now, record};
use crate::lanes::{self, AddedLane, Ground, Wish};
use crate::nodes::Site;
use crate::query::one;
use crate::role::RoleName;
use crate::transaction::{act_as_owner, begin, enter, finish};
use crate::{Birth, Inner, Product, SchemaName, Slug, TenantEntry, db_error, directory, spares};

/// A tenant that the directory says is being made.
pub(crate) struct Announced {
    pub(crate) id: Uuid,
    pub(crate) plan: Option<plan::Model>,
    /// Set when a lane was added for it.
    pub(crate) added: Option<AddedLane>,
    origin: Origin,
}

/// A spare whose entry says now that it is being made into a tenant.
pub(super) fn from_spare(spare: claim::Claimed, plan: Option<plan::Model>) -> Announced {
    Announced {
        id: spare.id,
        plan,
        added: None,
        origin: Origin::Spare,
    }
}

/// Chooses lane and schema, and writes the intent.
pub(crate) async fn announce(
    on: Ground<'_>,
    wish: Wish,
    new: &NewTenant,
    plan: Option<plan::Model>,
    head: &str,
) -> Result<Announced, CreateError> {
    let schema = SchemaName::generate()?;
    let birth = new.birth(Uuid::now_v7());
    let placed = lanes::place(on, wish).await?;
    let status = Status::Provisioning;
    let row = entry_of(&birth, &schema, &placed, plan.as_ref(), status, head);
    enlist(on.tx, row, &birth.slug).await?;
    Ok(Announced {
        id: birth.tenant_id,
        plan,
        added: placed.added,
        origin: Origin::New,
    })
}

/// Goes on with an intent that somebody left behind, unless it is asked for somewhere else.
pub(crate) async fn take_over(
    tx: &DatabaseTransaction,
    row: &tenant::Model,
    at: &Placement,
    plan: Option<plan::Model>,
    slug: &Slug,
) -> Result<Announced, CreateError> {
    let (lane, node) = home(tx, row).await?;
    let is_there = at
        .node
        .as_ref()
        .is_none_or(|name| name.as_str() == node.name)
        && at
            .lane
            .as_ref()
            .is_none_or(|name| *name == lane.login_role || *name == lane.id.to_string());
    if !is_there {
        return Err(CreateError::HalfMade {
            slug: slug.clone(),
            node: node.name,
            lane: lane.login_role,
        });
    }
    Ok(Announced {
        id: row.id,
        plan,
        added: None,
        origin: Origin::New,
    })
}

/// Makes what was announced, and says so.
pub(super) async fn complete<P: Product>(
    inner: &Inner<P>,
    announced: Announced,
    new: &NewTenant,
    head: &str,
) -> Result<Made, CreateError> {
    let tx = begin(&inner.db, LIMITS).await?;
    let outcome = complete_in(&tx, inner, &announced, new, head).await;
    // Taking the intent back is a success of the transaction and a failure of the creation.
    let outcome = finish(tx, outcome).await?;
    if let (Err(_), Some(added)) = (&outcome, &announced.added) {
        forsake(inner, added).await?;
    }
    let (tenant, origin) = outcome?;
    Ok(Made {
        tenant,
        added: announced.added,
        from_spare: origin == Origin::Spare,
    })
}

/// Drops the lane that was added for a tenant alone that was not made after all.
pub(crate) async fn forsake<P: Product>(
    inner: &Inner<P>,
    added: &AddedLane,
) -> Result<(), CreateError> {
    let found = lane::Entity::find_by_id(added.id)
        .find_also_related(node::Entity)
        .one(&inner.db)
        .await?;
    if let Some((lane, Some(node))) = found
        && lane.dedicated
    {
        let site = inner.reach(node).await?;
        lanes::drop_if_empty(inner, &site, lane.id).await?;
    }
    Ok(())
}

async fn complete_in<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    announced: &Announced,
    new: &NewTenant,
    head: &str,
) -> Result<Result<(TenantEntry, Origin), CreateError>, CreateError> {
    let row = hold(tx, announced.id, &new.slug).await?;
    act_as_owner(tx).await?;
    let (lane, node) = home(tx, &row).await?;
    let login = RoleName::parse_lane(&lane.login_role).map_err(lanes::LaneError::from)?;
    let site = inner.reach(node).await?;
    let schema = SchemaName::parse(&row.schema_name).map_err(lanes::LaneError::from)?;
    let birth = new.birth(row.id);
    let filled = match announced.origin {
        Origin::Spare => fill(tx, &site, &inner.product, &birth, &schema).await,
        Origin::New => Ok(Origin::New),
    };
    let (origin, made) = match filled {
        Ok(Origin::Spare) => (Origin::Spare, Ok(())),
        Err(cut) => (Origin::Spare, Err(cut)),
        Ok(Origin::New) => {
            clear(tx, &site, &schema).await?;
            let made = raise(tx, &site, &inner.product, &birth, &schema, &login).await;
            (Origin::New, made)
        }
    };
    match (made, origin) {
        (Ok(()), _) => {}
        (Err(Cut::Undone(error)), Origin::Spare) => {
            spares::give_back(tx, row, &schema).await?;
            return Ok(Err(error));
        }
        (Err(Cut::Undone(error)), Origin::New) => {
            spares::forget(tx, row.id).await?;
            return Ok(Err(error));
        }
        (Err(Cut::Unknown(cause)), _) => {
            return Err(CreateError::Unfinished {
                slug: new.slug.clone(),
                node: site.node.name.clone(),
                cause,
            });
        }
    }
    let (id, now) = (row.id, now());
    let mut born = row.into_active_model();
    // All that the last one who asked said: they get what they asked for, not what a predecessor
    // who was cut off did.
    born.created_at = Set(now);
    born.name = Set(birth.name.as_str().to_owned());
    born.plan_id = Set(announced.plan.as_ref().map(|plan| plan.id));
    born.schema_version = Set(head.to_owned());
    born.status = Set(Status::Active);
    born.updated_at = Set(now);
    born.update(tx).await?;
    let detail = detail(&birth, head, announced.plan.as_ref(), origin);
    record(tx, id, "created", &new.actor, detail, now).await?;
    let tenant = directory::entry(tx, id).await?.ok_or_else(vanished)?;
    Ok(Ok((tenant, origin)))
}

/// Holds the intent. The lock is the lease: it ends with the one who has it.
pub(crate) async fn hold(
    tx: &DatabaseTransaction,
    id: Uuid,
    slug: &Slug,
) -> Result<tenant::Model, CreateError> {
    let row = tenant::Entity::find_by_id(id)
        .lock_with_behavior(LockType::NoKeyUpdate, LockBehavior::Nowait)
        .one(tx)
        .await
        .map_err(|error| match db_error::sqlstate(&error).as_deref() {
            Some(db_error::LOCK_NOT_AVAILABLE) => CreateError::BeingCreated(slug.clone()),
            _ => error.into(),
        })?;
    match row {
        Some(row) if row.status == Status::Provisioning => Ok(row),
        // Somebody was faster: with success, or with a failure that took the intent back.
        Some(_) => Err(CreateError::SlugTaken(slug.clone())),
        None => Err(CreateError::BeingCreated(slug.clone())),
    }
}

/// The lane and the node of an entry.
pub(crate) async fn home(
    tx: &DatabaseTransaction,
    row: &tenant::Model,
) -> Result<(lane::Model, node::Model), DbErr> {
    let found = lane::Entity::find_by_id(row.lane_id)
        .find_also_related(node::Entity)
        .one(tx)
        .await?;
    match found {
        Some((lane, Some(node))) => Ok((lane, node)),
        _ => Err(DbErr::RecordNotFound("the lane of a tenant".to_owned())),
    }
}

/// Drops what an earlier creation of this tenant left on the node. It was never active, so nobody
/// has used it; and its owner's password was never shown to anybody.
pub(crate) async fn clear(
    tx: &DatabaseTransaction,
    site: &Site,
    schema: &SchemaName,
) -> Result<(), CreateError> {
    let node = site.begin(tx, LIMITS).await?;
    let outcome = async {
        wait_for_the_dead(&node, schema).await?;
        let is_left = one(
            &*node,
            "SELECT 1 AS yes WHERE to_regnamespace($1) IS NOT NULL OR to_regrole($1) IS NOT NULL",
            [schema.as_str().into()],
        );
        if is_left.await?.is_some() {
            let sql =
                format!("DROP SCHEMA IF EXISTS {schema} CASCADE; DROP ROLE IF EXISTS {schema}");
            node.execute_unprepared(&sql).await?;
        }
        Ok(())
    };
    let outcome = outcome.await;
    node.finish(outcome).await
}

/// A creator that was killed may have a transaction that has not noticed yet.
pub(crate) async fn wait_for_the_dead(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
) -> Result<(), DbErr> {
    one(
        tx,
        "SELECT pg_advisory_xact_lock(hashtextextended('tubex birth ' || $1, 0))",
        [schema.as_str().into()],
    )
    .await?;
    Ok(())
}

/// How the node's transaction failed.
pub(crate) enum Cut {
    /// Nothing of it is there.
    Undone(CreateError),
    /// The connection was lost at the commit.
    Unknown(DbErr),
}

/// Writes the first rows into a spare, after which it is none any more; says [`Origin::New`] where
/// the node holds no untouched spare: somebody took the intent over and was cut off too.
async fn fill<P: Product>(
    tx: &DatabaseTransaction,
    site: &Site,
    product: &P,
    birth: &Birth,
    schema: &SchemaName,
) -> Result<Origin, Cut> {
    // Until we have seen the spare we don't know that there is one to give back.
    let node = site.begin(tx, LIMITS).await.map_err(Cut::Unknown)?;
    let seen = async {
        wait_for_the_dead(&node, schema).await?;
        spares::is_untouched(&node, schema).await
    };
    match seen.await {
        Ok(true) => {}
        Ok(false) => {
            node.rollback().await;
            return Ok(Origin::New);
        }
        Err(cause) => {
            node.rollback().await;
            return Err(Cut::Unknown(cause));
        }
    }
    let outcome = async {
        spares::unmark(&node, schema).await?;
        enter(&node, schema).await?;
        product.seed(&node, birth).await.map_err(CreateError::Seed)
    };
    match outcome.await {
        Ok(()) => node.commit().await.map_err(Cut::Unknown)?,
        Err(error) => {
            node.rollback().await;
            return Err(Cut::Undone(error));
        }
    }
    Ok(Origin::Spare)
}

async fn raise<P: Product>(
    tx: &DatabaseTransaction,
    site: &Site,
    product: &P,
    birth: &Birth,
    schema: &SchemaName,
    login: &RoleName,
) -> Result<(), Cut> {
    let undone = |error: DbErr| Cut::Undone(error.into());
    let node = site.begin(tx, LIMITS).await.map_err(undone)?;
    let outcome = async {
        wait_for_the_dead(&node, schema).await?;
        birth::raise(&node, product, birth, schema).await?;
        lanes::admit(&node, schema, login).await?;
        Ok(())
    };
    match outcome.await {
        Ok(()) => node.commit().await.map_err(Cut::Unknown),
        Err(error) => {
            node.rollback().await;
            Err(Cut::Undone(error))
        }
    }
}
