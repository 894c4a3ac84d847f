//! Birth of a tenant: role, schema, migrations, first rows and directory entry in one
//! transaction. Whatever happens on the way, there is either nothing or a complete tenant.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use entity::platform::tenant::{self, Status};
use entity::platform::tenant_event;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _,
    DatabaseTransaction, DbBackend, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, SelectExt as _, Statement,
};
use sea_orm_migration::MigratorTraitSelf as _;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::lanes::{self, Lane, LaneError};
use crate::transaction::{Limits, act_as_owner, begin, enter, finish, to_the_end};
use crate::{
    Birth, Inner, Owner, Product, Provisioner, SchemaName, SeedError, Slug, TenantEntry,
    TenantName, db_error,
};

/// Creators of one lane wait for each other, each for as long as a creation takes.
const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(30),
    statement_timeout: Duration::from_secs(120),
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

/// A tenant that was made.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its entry in the directory.
    pub tenant: TenantEntry,
    /// How long it took, from the first statement to the commit.
    pub took: Duration,
}

/// Why no tenant was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Somebody is called that already.
    #[error("the slug {0} is taken")]
    SlugTaken(Slug),
    /// The product could not fill the new schema.
    #[error("the new tenant could not be filled")]
    Seed(#[source] SeedError),
    /// The product's migrations don't run on an empty schema.
    #[error("the migrations failed on the new schema")]
    Migration(#[source] DbErr),
    /// The product has no migrations, so its tenants would have no version.
    #[error("the product has no migrations")]
    NoMigrations,
    /// No lane could be had.
    #[error("the new tenant could not be placed on a lane")]
    Lane(#[source] LaneError),
    /// The platform was never migrated.
    #[error("this database holds no platform yet")]
    NoPlatform(#[source] DbErr),
    /// The role that we are may not make roles or schemas.
    #[error("this role may not create tenants")]
    Denied(#[source] DbErr),
    /// The operating system has no randomness to give.
    #[error("the operating system gave no randomness")]
    Random(#[from] getrandom::Error),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[source] DbErr),
}

impl From<DbErr> for CreateError {
    fn from(error: DbErr) -> Self {
        if db_error::is_missing_platform(&error) {
            Self::NoPlatform(error)
        } else if db_error::sqlstate(&error).as_deref() == Some(db_error::INSUFFICIENT_PRIVILEGE) {
            Self::Denied(error)
        } else {
            Self::Db(error)
        }
    }
}

impl From<LaneError> for CreateError {
    fn from(error: LaneError) -> Self {
        match error {
            LaneError::Db(cause) => cause.into(),
            other => Self::Lane(other),
        }
    }
}

impl<P: Product> Provisioner<P> {
    /// Makes a tenant, active and at head.
    ///
    /// A caller who stops waiting does not stop the work; asking again then says
    /// [`CreateError::SlugTaken`].
    ///
    /// # Errors
    ///
    /// [`CreateError`]; nothing is left behind.
    pub async fn create(&self, new: NewTenant) -> Result<Created, CreateError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let begun = Instant::now();
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = create_in(&tx, &inner, new).await;
            let tenant = finish(tx, outcome).await?;
            let took = begun.elapsed();
            tracing::info!(
                tenant.id = %tenant.id,
                tenant.schema = tenant.schema_name,
                lane.login = tenant.lane,
                duration_ms = took.as_millis() as u64,
                "created a tenant"
            );
            Ok(Created { tenant, took })
        })
        .await
    }
}

async fn create_in<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    new: NewTenant,
) -> Result<TenantEntry, CreateError> {
    let NewTenant {
        slug,
        name,
        owner,
        seeds,
        settings,
        actor,
    } = new;
    let migrator = inner.product.migrator();
    let head = head(migrator).ok_or(CreateError::NoMigrations)?;
    reserve(tx, &slug).await?;
    let schema = SchemaName::generate()?;
    act_as_owner(tx).await?;
    make_schema(tx, &schema).await?;
    migrator
        .up(tx, None)
        .await
        .map_err(CreateError::Migration)?;
    hide_history(tx, migrator, &schema).await?;

    let id = Uuid::now_v7();
    let birth = Birth {
        tenant_id: id,
        slug,
        name,
        owner,
        seeds,
        settings,
    };
    inner
        .product
        .seed(tx, &birth)
        .await
        .map_err(CreateError::Seed)?;
    // Last, because a lane is held until the commit: creators then wait for each other for the
    // few milliseconds that are left, not for the whole birth.
    let lane = lanes::place(tx, &inner.secret, inner.lanes).await?;
    admit(tx, &schema, &lane).await?;
    let now = now();
    let row = tenant::Model {
        id,
        slug: birth.slug.as_str().to_owned(),
        name: birth.name.as_str().to_owned(),
        schema_name: schema.as_str().to_owned(),
        lane_id: lane.id,
        plan_id: None,
        status: Status::Active,
        schema_version: head,
        created_at: now,
        updated_at: now,
    };
    let row = enlist(tx, row, actor, &birth).await?;
    Ok(TenantEntry {
        id,
        slug: row.slug,
        name: row.name,
        status: row.status,
        schema_name: row.schema_name,
        lane: lane.login.as_str().to_owned(),
        schema_version: row.schema_version,
        created_at: row.created_at,
    })
}

/// Now, in whole microseconds: what Postgres can keep, so that what we answer is what we stored.
#[expect(
    clippy::disallowed_methods,
    reason = "history is written with the real clock only"
)]
pub(crate) fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_microsecond(now.microsecond())
        .expect("a moment's own microsecond is in range")
}

/// The newest migration of a product.
pub(crate) fn head(migrator: &impl sea_orm_migration::MigratorTraitSelf) -> Option<String> {
    migrator
        .migrations()
        .last()
        .map(|step| step.name().to_owned())
}

/// Makes two creators of one slug queue up, so that the second learns that it is taken before it
/// has built a schema for nothing. The unique constraint still has the last word.
async fn reserve(tx: &DatabaseTransaction, slug: &Slug) -> Result<(), CreateError> {
    tx.query_one_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT pg_advisory_xact_lock(hashtextextended('tubex slug ' || $1, 0))",
        [slug.as_str().into()],
    ))
    .await?;
    let is_taken = tenant::Entity::find()
        .filter(tenant::Column::Slug.eq(slug.as_str()))
        .exists(tx)
        .await?;
    if is_taken {
        Err(CreateError::SlugTaken(slug.clone()))
    } else {
        Ok(())
    }
}

/// Makes role and schema in one message, and points the transaction at the schema.
///
/// The schema belongs to us, the role may only read and write its tables: a tenant's code can't
/// change its own structure.
async fn make_schema(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<(), CreateError> {
    tx.execute_unprepared(&format!(
        "CREATE ROLE {schema} NOLOGIN NOINHERIT;
         CREATE SCHEMA {schema};
         GRANT USAGE ON SCHEMA {schema} TO {schema};
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema}
             GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {schema};
         ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {schema}"
    ))
    .await?;
    enter(tx, schema).await?;
    Ok(())
}

/// Lets a lane's login become the tenant's role.
///
/// Since Postgres 16 a membership says for itself that it gives nothing without `SET ROLE`;
/// before, the lane's NOINHERIT is all there is.
async fn admit(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
    lane: &Lane,
) -> Result<(), CreateError> {
    let login = &lane.login;
    tx.execute_unprepared(&format!(
        "DO $body$ BEGIN
            IF current_setting('server_version_num')::integer >= 160000 THEN
                EXECUTE 'GRANT {schema} TO {login} WITH INHERIT FALSE, SET TRUE';
            ELSE
                GRANT {schema} TO {login};
            END IF;
        END $body$"
    ))
    .await?;
    Ok(())
}

/// The tenant's code has no business with the history of its schema.
pub(crate) async fn hide_history(
    tx: &DatabaseTransaction,
    migrator: &impl sea_orm_migration::MigratorTraitSelf,
    schema: &SchemaName,
) -> Result<(), DbErr> {
    let table = migrator
        .migration_table_name()
        .to_string()
        .replace('"', "\"\"");
    tx.execute_unprepared(&format!(
        "REVOKE ALL ON TABLE {schema}.\"{table}\" FROM {schema}"
    ))
    .await?;
    Ok(())
}

/// Writes the directory entry and the first line of the tenant's life.
async fn enlist(
    tx: &DatabaseTransaction,
    row: tenant::Model,
    actor: String,
    birth: &Birth,
) -> Result<tenant::Model, CreateError> {
    let detail = serde_json::json!({
        "schema_version": row.schema_version,
        "seeds": birth.seeds,
        "has_owner": birth.owner.is_some(),
    });
    let event = tenant_event::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(row.id),
        kind: Set("created".to_owned()),
        actor: Set(actor),
        detail: Set(detail),
        at: Set(row.created_at),
    };
    let entry = row.clone().into_active_model().reset_all();
    tenant::Entity::insert(entry)
        .exec_without_returning(tx)
        .await
        .map_err(|error| match db_error::constraint(&error) {
            Some("tenant_slug_key") => CreateError::SlugTaken(birth.slug.clone()),
            _ => error.into(),
        })?;
    tenant_event::Entity::insert(event)
        .exec_without_returning(tx)
        .await?;
    Ok(row)
}
