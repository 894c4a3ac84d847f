//! Birth of a tenant: role, schema, migrations, first rows and directory entry. On the platform's
//! own node that is one transaction: whatever happens on the way, there is either nothing or a
//! complete tenant. On another node the intent is written first, see `elsewhere`. Where a spare
//! waits, all but the first rows is there already, see `claim`.

mod birth;
mod claim;
pub(crate) mod elsewhere;
mod error;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use entity::platform::plan;
use entity::platform::tenant::{self, Status};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _,
};
use serde_json::json;
use uuid::Uuid;

pub(crate) use self::birth::{build, head, hide_history, make_schema};
pub(crate) use self::elsewhere::{Cut, clear, home, wait_for_the_dead};
pub use self::error::CreateError;
use crate::history::{now, record};
use crate::lanes::{self, AddedLane, Lane, LaneError, Placed, Wish};
use crate::nodes::Site;
use crate::query::one;
use crate::transaction::{Limits, act_as_owner, begin, finish, to_the_end};
use crate::{
    Birth, Inner, Label, Owner, Product, Provisioner, SchemaName, Slug, TenantEntry, TenantName,
    db_error, directory, plans,
};

/// Creators of one lane wait for each other, each for as long as a creation takes.
const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(30),
    statement_timeout: Duration::from_secs(120),
    silence: None,
};

/// A tenant to be made.
#[derive(Clone, Debug)]
pub struct NewTenant {
    /// What people type.
    pub slug: Slug,
    /// What people read.
    pub name: TenantName,
    /// The first person, if there is one yet.
    pub owner: Option<Owner>,
    /// Names of the product's optional sets of rows.
    pub seeds: Vec<String>,
    /// The product's own words; handed through.
    pub settings: BTreeMap<String, String>,
    /// Who asks: an operator's address, or the program and its account. Goes into the history.
    pub actor: String,
}

/// Where a new tenant goes and what it may use. The default is the emptiest lane of the platform's
/// own node, and no plan.
#[derive(Clone, Debug, Default)]
pub struct Placement {
    /// Its plan. One with a lane of its own for each tenant makes that lane too.
    pub plan: Option<Label>,
    /// The node it will live on.
    pub node: Option<Label>,
    /// The lane it will be on, by login or id; on that lane's node.
    pub lane: Option<String>,
}

/// A tenant that was made.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its entry in the directory.
    pub tenant: TenantEntry,
    /// Set when a lane was added for it.
    pub added: Option<AddedLane>,
    /// Whether a spare was used, which had been prepared before.
    pub from_spare: bool,
    /// How long it took, from the first statement to the commit.
    pub took: Duration,
}

/// What a creation has come to when its first transaction ends.
enum Begun {
    /// All is done.
    Complete(Made),
    /// The directory says that a tenant is being made on another node.
    Announced(elsewhere::Announced),
}

/// A tenant, and what it took to make it.
struct Made {
    tenant: TenantEntry,
    added: Option<AddedLane>,
    from_spare: bool,
}

impl<P: Product> Provisioner<P> {
    /// Makes a tenant, active and at head, on the emptiest lane of the platform's own node.
    ///
    /// A caller who stops waiting does not stop the work; asking again then says
    /// [`CreateError::SlugTaken`].
    ///
    /// # Errors
    ///
    /// [`CreateError`]; nothing is left behind.
    pub async fn create(&self, new: NewTenant) -> Result<Created, CreateError> {
        self.create_at(new, Placement::default()).await
    }

    /// Makes a tenant where it is asked for; from a spare, if there is one that fits.
    ///
    /// On another node a creation that is cut leaves an entry that says so, and servers answer
    /// that the tenant is on its way. Creating it again takes over: whatever was made of it is
    /// dropped, nobody having used it, and made anew as it is asked for now.
    ///
    /// # Errors
    ///
    /// [`CreateError`]; nothing is left behind, except by [`CreateError::Unfinished`].
    pub async fn create_at(&self, new: NewTenant, at: Placement) -> Result<Created, CreateError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let begun = Instant::now();
            let head = head(inner.product.migrator()).ok_or(CreateError::NoMigrations)?;
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = start(&tx, &inner, &new, &at, &head).await;
            let made = match finish(tx, outcome).await? {
                Begun::Complete(made) => made,
                Begun::Announced(announced) => {
                    elsewhere::complete(&inner, announced, &new, &head).await?
                }
            };
            let (took, tenant) = (begun.elapsed(), made.tenant);
            tracing::info!(
                tenant.id = %tenant.id,
                tenant.schema = tenant.schema_name,
                tenant.from_spare = made.from_spare,
                lane.login = tenant.lane,
                node.name = tenant.node,
                duration_ms = took.as_millis() as u64,
                "created a tenant"
            );
            Ok(Created {
                tenant,
                added: made.added,
                from_spare: made.from_spare,
                took,
            })
        })
        .await
    }
}

async fn start<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    new: &NewTenant,
    at: &Placement,
    head: &str,
) -> Result<Begun, CreateError> {
    let half_made = reserve(tx, &new.slug).await?;
    let plan = match &at.plan {
        Some(name) => Some(
            plans::find(tx, name)
                .await?
                .ok_or_else(|| CreateError::NoPlan(name.to_string()))?,
        ),
        None => None,
    };
    if let Some(row) = half_made {
        let announced = elsewhere::take_over(tx, &row, at, plan, &new.slug).await?;
        return Ok(Begun::Announced(announced));
    }
    let (site, wish) = destination(tx, inner, at, plan.as_ref()).await?;
    act_as_owner(tx).await?;
    if let Some(spare) = claim::claim(tx, &site, wish, new, plan.as_ref(), head).await? {
        if !site.is_own() {
            return Ok(Begun::Announced(elsewhere::from_spare(spare, plan)));
        }
        let tenant = claim::fill(tx, inner, spare, new, plan.as_ref(), head).await?;
        return Ok(Begun::Complete(Made {
            tenant,
            added: None,
            from_spare: true,
        }));
    }
    if !site.is_own() {
        let announced = elsewhere::announce(inner.ground(tx, &site), wish, new, plan, head).await?;
        return Ok(Begun::Announced(announced));
    }
    let schema = SchemaName::generate()?;
    let birth = new.birth(Uuid::now_v7());
    birth::raise(tx, &inner.product, &birth, &schema).await?;
    // Last, because a lane is held until the commit: creators then wait for each other for the
    // few milliseconds that are left, not for the whole birth.
    let placed = lanes::place(inner.ground(tx, &site), wish).await?;
    lanes::admit(tx, &schema, &placed.lane.login).await?;
    let row = entry_of(
        &birth,
        &schema,
        &placed,
        plan.as_ref(),
        Status::Active,
        head,
    );
    let (id, at) = (row.id, row.created_at);
    enlist(tx, row, &birth.slug).await?;
    record(
        tx,
        id,
        "created",
        &new.actor,
        detail(&birth, head, plan.as_ref(), Origin::New),
        at,
    )
    .await?;
    let tenant = directory::entry(tx, id).await?.ok_or_else(vanished)?;
    Ok(Begun::Complete(Made {
        tenant,
        added: placed.added,
        from_spare: false,
    }))
}

impl NewTenant {
    /// What its product is told.
    pub(crate) fn birth(&self, tenant_id: Uuid) -> Birth {
        Birth {
            tenant_id,
            slug: self.slug.clone(),
            name: self.name.clone(),
            owner: self.owner.clone(),
            seeds: self.seeds.clone(),
            settings: self.settings.clone(),
        }
    }
}

/// The node, and which of its lanes.
pub(crate) async fn destination<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    at: &Placement,
    plan: Option<&plan::Model>,
) -> Result<(Site, Wish), CreateError> {
    let Some(lane) = &at.lane else {
        let wish = match plan {
            Some(plan) if plan.dedicated_lane => Wish::Dedicated,
            _ => Wish::Emptiest,
        };
        return Ok((inner.site(tx, at.node.as_ref()).await?, wish));
    };
    let found = lanes::find(tx, lane).await?;
    if let Some(wanted) = &at.node
        && found.node.name != wanted.as_str()
    {
        return Err(CreateError::Lane(LaneError::Elsewhere {
            lane: found.login,
            is_on: found.node.name,
            wanted: wanted.to_string(),
        }));
    }
    Ok((inner.reach(found.node).await?, Wish::Named(found.id)))
}

/// Makes two creators of one slug queue up, so that the second learns that it is taken before it
/// has built a schema for nothing. The unique constraint still has the last word. Answers with
/// the entry of a creation that was announced and not finished.
pub(crate) async fn reserve(
    tx: &DatabaseTransaction,
    slug: &Slug,
) -> Result<Option<tenant::Model>, CreateError> {
    one(
        tx,
        "SELECT pg_advisory_xact_lock(hashtextextended('tubex slug ' || $1, 0))",
        [slug.as_str().into()],
    )
    .await?;
    let found = tenant::Entity::find()
        .filter(tenant::Column::Slug.eq(slug.as_str()))
        .one(tx)
        .await?;
    match found {
        None => Ok(None),
        Some(row) if row.status == Status::Provisioning => Ok(Some(row)),
        Some(_) => Err(CreateError::SlugTaken(slug.clone())),
    }
}

pub(crate) fn entry_of(
    birth: &Birth,
    schema: &SchemaName,
    placed: &Placed,
    plan: Option<&plan::Model>,
    status: Status,
    head: &str,
) -> tenant::Model {
    let now = now();
    let Lane { id: lane_id, .. } = placed.lane;
    tenant::Model {
        id: birth.tenant_id,
        slug: birth.slug.as_str().to_owned(),
        name: birth.name.as_str().to_owned(),
        schema_name: schema.as_str().to_owned(),
        lane_id,
        plan_id: plan.map(|plan| plan.id),
        status,
        schema_version: head.to_owned(),
        tags: vec![],
        legal_hold: None,
        created_at: now,
        updated_at: now,
    }
}

/// Writes the directory entry.
pub(crate) async fn enlist(
    tx: &DatabaseTransaction,
    row: tenant::Model,
    slug: &Slug,
) -> Result<(), CreateError> {
    tenant::Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(tx)
        .await
        .map_err(|error| taken_or_failed(error, slug))?;
    Ok(())
}

/// The unique constraint has the last word about a slug.
fn taken_or_failed(error: DbErr, slug: &Slug) -> CreateError {
    match db_error::constraint(&error) {
        Some("tenant_slug_key") => CreateError::SlugTaken(slug.clone()),
        _ => error.into(),
    }
}

/// What a tenant was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// Nothing.
    New,
    /// A schema that had been prepared.
    Spare,
}

/// The first line of a tenant's life.
fn detail(
    birth: &Birth,
    head: &str,
    plan: Option<&plan::Model>,
    origin: Origin,
) -> serde_json::Value {
    json!({
        "spare": origin == Origin::Spare,
        "schema_version": head,
        "seeds": birth.seeds,
        "has_owner": birth.owner.is_some(),
        "plan": plan.map(|plan| &plan.name),
    })
}

pub(crate) fn vanished() -> CreateError {
    DbErr::RecordNotFound("the tenant that was just written".to_owned()).into()
}
