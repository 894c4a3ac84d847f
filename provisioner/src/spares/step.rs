//! One step towards as many spares as a node should have.
//!
//! Each step is one transaction of the platform, under the node's lock: keepers take turns, and
//! none makes more than is lacking. On another node the step before has written what this one
//! does, so that a step that was cut off is done by whoever takes the next.

use std::time::{Duration, Instant};

use entity::platform::node;
use entity::platform::tenant::{self, Status};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, DatabaseTransaction, DbErr, EntityTrait as _,
    IntoActiveModel as _,
};
use uuid::Uuid;

use super::making::{self, enlist, entry, forget};
use super::{LIMITS, SpareError, SpareMove};
use crate::create::{Cut, build, clear, head, home};
use crate::history::now;
use crate::lanes::{self, LaneError, Wish};
use crate::nodes::Site;
use crate::query::{one, run};
use crate::role::RoleName;
use crate::transaction::{act_as_owner, begin, finish};
use crate::{CreateError, Inner, Product, SchemaName};

/// Each making is followed by a rest so many times as long: what is left for everybody else is
/// four fifths of one core, at least.
const REST: u32 = 4;

/// What is wanted of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    /// What brings the node nearer to its goal, and not before its keepers have rested.
    Goal,
    /// One more, now, whatever the goal is.
    OneMore,
}

/// What a step came to.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A spare was made or removed.
    Moved(SpareMove),
    /// The next step does what this one has written down.
    Announced,
    /// There are as many as there should be.
    Met,
    /// It is too early for the next one.
    Resting(Duration),
    /// A run over the fleet goes first.
    Migrating,
}

/// How many a node has, and should have.
struct Tally {
    keep: i64,
    held: i64,
    rest: Duration,
    is_migrating: bool,
    /// One that is being made, or on its way out.
    unfinished: Option<Uuid>,
}

const TALLY: &str = "
    SELECT coalesce(g.keep, 0)::bigint AS keep,
        coalesce(greatest(extract(epoch FROM g.not_before - clock_timestamp()) * 1000, 0), 0)
            ::bigint AS rest_ms,
        EXISTS (SELECT FROM platform.migration_run WHERE state NOT IN ('cancelled', 'done'))
            AS is_migrating,
        held.held, held.unfinished
    FROM platform.node n
    LEFT JOIN platform.spare_goal g ON g.node_id = n.id
    CROSS JOIN LATERAL (
        SELECT count(*) AS held,
            (array_agg(t.id ORDER BY t.id) FILTER (WHERE t.status = 'provisioning'))[1]
                AS unfinished
        FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
        WHERE l.node_id = n.id AND t.status IN ('spare', 'provisioning')
            AND t.slug = 'spare-' || substr(t.schema_name, 3)) held
    WHERE n.id = $1";

/// The one that is least worth: not at head, or else the newest.
const SURPLUS: &str = "
    SELECT t.id FROM platform.tenant t JOIN platform.lane l ON l.id = t.lane_id
    WHERE t.status = 'spare' AND l.node_id = $1
    ORDER BY t.schema_version = $2, t.id DESC LIMIT 1 FOR UPDATE OF t SKIP LOCKED";

/// Takes the next step.
pub(super) async fn step<P: Product>(
    inner: &Inner<P>,
    node: node::Model,
    demand: Demand,
) -> Result<Outcome, SpareError> {
    let head = head(inner.product.migrator()).ok_or(CreateError::NoMigrations)?;
    let site = inner.reach(node).await?;
    let tx = begin(&inner.db, LIMITS).await?;
    let outcome = step_in(&tx, inner, &site, demand, &head).await;
    // Taking back what could not be made is a success of the transaction.
    finish(tx, outcome).await?
}

async fn step_in<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    site: &Site,
    demand: Demand,
    head: &str,
) -> Result<Result<Outcome, SpareError>, SpareError> {
    let tally = count(tx, site).await?;
    let goal = match demand {
        Demand::Goal => tally.keep,
        Demand::OneMore => i64::MAX,
    };
    if tally.is_migrating {
        return Ok(Ok(Outcome::Migrating));
    }
    act_as_owner(tx).await?;
    if tally.held > goal {
        let next = match tally.unfinished {
            Some(id) => Some(id),
            None => surplus(tx, site, head).await?,
        };
        // Somebody is at each of them.
        let Some(id) = next else {
            return Ok(Ok(Outcome::Met));
        };
        return Ok(Ok(remove(tx, site, id).await?));
    }
    if let Some(id) = tally.unfinished {
        return complete(tx, inner, site, id, head).await;
    }
    if tally.held == goal {
        return Ok(Ok(Outcome::Met));
    }
    if demand == Demand::Goal && !tally.rest.is_zero() {
        return Ok(Ok(Outcome::Resting(tally.rest)));
    }
    Ok(Ok(make(tx, inner, site, head).await?))
}

/// Waits for its turn, and counts.
async fn count(tx: &DatabaseTransaction, site: &Site) -> Result<Tally, SpareError> {
    one(
        tx,
        "SELECT pg_advisory_xact_lock(hashtextextended('tubex spares ' || $1, 0))",
        [site.id().to_string().into()],
    )
    .await?;
    let row = one(tx, TALLY, [site.id().into()]).await?;
    let row = row.ok_or_else(|| LaneError::UnknownNode(site.node.name.clone()))?;
    Ok(Tally {
        keep: row.try_get("", "keep")?,
        held: row.try_get("", "held")?,
        rest: Duration::from_millis(row.try_get::<i64>("", "rest_ms")?.unsigned_abs()),
        is_migrating: row.try_get("", "is_migrating")?,
        unfinished: row.try_get("", "unfinished")?,
    })
}

async fn surplus(
    tx: &DatabaseTransaction,
    site: &Site,
    head: &str,
) -> Result<Option<Uuid>, SpareError> {
    let row = one(tx, SURPLUS, [site.id().into(), head.into()]).await?;
    Ok(row.map(|row| row.try_get("", "id")).transpose()?)
}

/// Makes one where the platform's transaction makes all of it; elsewhere only says that one is
/// being made.
async fn make<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    site: &Site,
    head: &str,
) -> Result<Outcome, SpareError> {
    let begun = Instant::now();
    let schema = SchemaName::generate().map_err(CreateError::from)?;
    if !site.is_own() {
        let placed = lanes::place(inner.ground(tx, site), Wish::Emptiest).await?;
        enlist(
            tx,
            entry(&schema, placed.lane.id, Status::Provisioning, head),
        )
        .await?;
        return Ok(Outcome::Announced);
    }
    build(tx, inner.product.migrator(), &schema).await?;
    // Last, because a lane is held until the commit.
    let placed = lanes::place(inner.ground(tx, site), Wish::Emptiest).await?;
    lanes::admit(tx, &schema, &placed.lane.login).await?;
    enlist(tx, entry(&schema, placed.lane.id, Status::Spare, head)).await?;
    let took = begun.elapsed();
    rest(tx, site, took).await?;
    Ok(Outcome::Moved(SpareMove::Made {
        node: site.node.name.clone(),
        schema: schema.as_str().to_owned(),
        lane: placed.lane.login.as_str().to_owned(),
        took,
    }))
}

/// Makes on the other node what was announced, whatever of it is there already.
async fn complete<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    site: &Site,
    id: Uuid,
    head: &str,
) -> Result<Result<Outcome, SpareError>, SpareError> {
    let begun = Instant::now();
    let (row, schema) = hold(tx, id).await?;
    let (lane, _) = home(tx, &row).await?;
    let login = RoleName::parse_lane(&lane.login_role).map_err(LaneError::from)?;
    clear(tx, site, &schema).await?;
    match making::raise(tx, site, &inner.product, &schema, &login).await {
        Ok(()) => {}
        Err(Cut::Undone(error)) => {
            forget(tx, id).await?;
            return Ok(Err(error.into()));
        }
        Err(Cut::Unknown(cause)) => {
            return Err(SpareError::Unfinished {
                node: site.node.name.clone(),
                cause,
            });
        }
    }
    let mut made = row.into_active_model();
    made.status = Set(Status::Spare);
    made.schema_version = Set(head.to_owned());
    made.updated_at = Set(now());
    made.update(tx).await?;
    let took = begun.elapsed();
    rest(tx, site, took).await?;
    Ok(Ok(Outcome::Moved(SpareMove::Made {
        node: site.node.name.clone(),
        schema: schema.as_str().to_owned(),
        lane: lane.login_role,
        took,
    })))
}

/// Takes one away. On another node first only its entry: from then on nobody takes it.
async fn remove(tx: &DatabaseTransaction, site: &Site, id: Uuid) -> Result<Outcome, SpareError> {
    let (row, schema) = hold(tx, id).await?;
    if !site.is_own() && row.status == Status::Spare {
        let mut leaving = row.into_active_model();
        leaving.status = Set(Status::Provisioning);
        leaving.updated_at = Set(now());
        leaving.update(tx).await?;
        return Ok(Outcome::Announced);
    }
    clear(tx, site, &schema).await?;
    forget(tx, id).await?;
    Ok(Outcome::Moved(SpareMove::Removed {
        node: site.node.name.clone(),
        schema: schema.as_str().to_owned(),
    }))
}

/// Holds a spare's entry. Nobody but us and the creators is at it, and those skip what is held or
/// have it already.
async fn hold(
    tx: &DatabaseTransaction,
    id: Uuid,
) -> Result<(tenant::Model, SchemaName), SpareError> {
    one(
        tx,
        "SELECT 1 AS yes FROM platform.tenant WHERE id = $1 FOR UPDATE",
        [id.into()],
    )
    .await?;
    let row = tenant::Entity::find_by_id(id).one(tx).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("a spare that was just seen".to_owned()))?;
    let schema = SchemaName::parse(&row.schema_name).map_err(LaneError::from)?;
    Ok((row, schema))
}

/// The next one is made after a rest, by whichever keeper. By the clock of the database, which is
/// the same for all.
async fn rest(tx: &DatabaseTransaction, site: &Site, took: Duration) -> Result<(), DbErr> {
    let rest_ms = i64::try_from((took * REST).as_millis()).unwrap_or(i64::MAX);
    run(
        tx,
        "UPDATE platform.spare_goal
         SET not_before = clock_timestamp() + $2::bigint * interval '1 millisecond'
         WHERE node_id = $1",
        [site.id().into(), rest_ms.into()],
    )
    .await?;
    Ok(())
}
