//! Brings tenants that are behind to head, one transaction each. One that fails stays as it was
//! and stops nobody else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use entity::platform::tenant::{self, Status};
use entity::platform::tenant_event;
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DatabaseTransaction, DbErr,
    EntityTrait as _, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use sea_orm_migration::MigratorTraitSelf as _;
use serde_json::json;
use uuid::Uuid;

use crate::create::{head, hide_history, now};
use crate::schema_name::SchemaNameError;
use crate::transaction::{Limits, act_as_owner, begin, bound_waits, enter, finish, to_the_end};
use crate::{Inner, Product, Provisioner, SchemaName, db_error};

/// For the directory's own row: another run that is at this tenant is waited for, not run into.
const AT_THE_DIRECTORY: Limits = Limits {
    lock_timeout: Duration::from_secs(60),
    statement_timeout: Duration::from_secs(60),
};

/// How to go about it.
#[derive(Clone, Debug)]
pub struct MigrateOptions {
    /// How long a statement may wait for a lock that a tenant's requests hold. Short, because
    /// those that come after queue up behind it.
    pub lock_timeout: Duration,
    /// How long one statement may run.
    pub statement_timeout: Duration,
    /// Who asks; goes into each tenant's history.
    pub actor: String,
}

impl MigrateOptions {
    /// Half a second for locks, ten minutes for a statement.
    pub fn new(actor: impl Into<String>) -> Self {
        Self {
            lock_timeout: Duration::from_millis(500),
            statement_timeout: Duration::from_secs(600),
            actor: actor.into(),
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            lock_timeout: self.lock_timeout,
            statement_timeout: self.statement_timeout,
        }
    }
}

/// A tenant that was brought to head.
#[derive(Clone, Debug)]
pub struct Migrated {
    /// The tenant.
    pub id: Uuid,
    /// What people type.
    pub slug: String,
    /// Where it stood.
    pub from: String,
    /// How long it took.
    pub took: Duration,
}

/// A tenant that stayed where it was.
#[derive(Debug)]
pub struct Failed {
    /// The tenant.
    pub id: Uuid,
    /// What people type.
    pub slug: String,
    /// Where it stands.
    pub from: String,
    /// What went wrong.
    pub error: MigrateError,
}

/// A tenant that a newer build has been at.
#[derive(Clone, Debug)]
pub struct Ahead {
    /// The tenant.
    pub id: Uuid,
    /// What people type.
    pub slug: String,
    /// Where it stands; this build does not know that migration.
    pub version: String,
}

/// What became of everybody.
#[derive(Debug)]
pub struct MigrateSummary {
    /// The newest migration of this build.
    pub head: String,
    /// How many stood at head already.
    pub at_head: u64,
    /// Those that were brought to head.
    pub migrated: Vec<Migrated>,
    /// Those that stayed where they were.
    pub failed: Vec<Failed>,
    /// Those that a newer build has been at; left alone.
    pub ahead: Vec<Ahead>,
}

/// Why a tenant, or the whole run, did not get anywhere.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The product has no migrations.
    #[error("the product has no migrations")]
    NoMigrations,
    /// The directory holds a schema name that we would not have made.
    #[error("the directory holds an impossible schema")]
    Schema(#[from] SchemaNameError),
    /// The platform was never migrated.
    #[error("this database holds no platform yet")]
    NoPlatform(#[source] DbErr),
    /// A lock was not to be had in time; doing it again at a quieter moment is the cure.
    #[error("a lock was not to be had in time")]
    Busy(#[source] DbErr),
    /// A migration or another statement failed.
    #[error("the database failed")]
    Db(#[source] DbErr),
}

impl From<DbErr> for MigrateError {
    fn from(error: DbErr) -> Self {
        match db_error::sqlstate(&error).as_deref() {
            Some(db_error::LOCK_NOT_AVAILABLE) => Self::Busy(error),
            _ => Self::Db(error),
        }
    }
}

impl MigrateError {
    /// The SQLSTATE, when the database itself refused.
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::NoPlatform(cause) | Self::Busy(cause) | Self::Db(cause) => {
                db_error::sqlstate(cause)
            }
            Self::NoMigrations | Self::Schema(_) => None,
        }
    }
}

impl<P: Product> Provisioner<P> {
    /// Brings all tenants that are behind to head, in the order of their slugs.
    ///
    /// Who is behind is read from the directory, so a fleet at head costs two queries. Several
    /// runs at once do no harm: each tenant is looked at again under its lock.
    ///
    /// # Errors
    ///
    /// [`MigrateError`] when nothing could be begun. What happens to a single tenant is in the
    /// summary.
    pub async fn migrate(&self, options: &MigrateOptions) -> Result<MigrateSummary, MigrateError> {
        let migrator = self.inner.product.migrator();
        let head = head(migrator).ok_or(MigrateError::NoMigrations)?;
        let known: Vec<_> = migrator
            .migrations()
            .iter()
            .map(|step| step.name().to_owned())
            .collect();
        let at_head = tenant::Entity::find()
            .filter(tenant::Column::SchemaVersion.eq(head.as_str()))
            .filter(tenant::Column::Status.ne(Status::Archived))
            .count(&self.inner.db)
            .await
            .map_err(no_platform)?;
        let mut summary = MigrateSummary {
            head,
            at_head,
            migrated: vec![],
            failed: vec![],
            ahead: vec![],
        };
        for row in self.behind(&summary.head).await? {
            if !known.contains(&row.schema_version) {
                let ahead = Ahead {
                    id: row.id,
                    slug: row.slug,
                    version: row.schema_version,
                };
                tracing::warn!(
                    tenant.id = %ahead.id,
                    tenant.version = ahead.version,
                    "a tenant is ahead of this build and is left alone"
                );
                summary.ahead.push(ahead);
                continue;
            }
            match self.migrate_one(row.id, options).await {
                Ok(Some(took)) => summary.migrated.push(Migrated {
                    id: row.id,
                    slug: row.slug,
                    from: row.schema_version,
                    took,
                }),
                Ok(None) => summary.at_head += 1,
                Err(error) => {
                    tracing::error!(
                        tenant.id = %row.id,
                        tenant.version = row.schema_version,
                        sqlstate = error.sqlstate(),
                        error = %source_text(&error),
                        "a tenant could not be migrated"
                    );
                    summary.failed.push(Failed {
                        id: row.id,
                        slug: row.slug,
                        from: row.schema_version,
                        error,
                    });
                }
            }
        }
        Ok(summary)
    }

    /// Everybody with a schema who does not stand at head.
    async fn behind(&self, head: &str) -> Result<Vec<tenant::Model>, MigrateError> {
        Ok(tenant::Entity::find()
            .filter(tenant::Column::SchemaVersion.ne(head))
            .filter(tenant::Column::Status.ne(Status::Archived))
            .order_by_asc(tenant::Column::Slug)
            .all(&self.inner.db)
            .await?)
    }

    /// Nothing if somebody else was faster.
    async fn migrate_one(
        &self,
        id: Uuid,
        options: &MigrateOptions,
    ) -> Result<Option<Duration>, MigrateError> {
        let inner = Arc::clone(&self.inner);
        let options = options.clone();
        to_the_end(async move {
            let begun = Instant::now();
            let tx = begin(&inner.db, AT_THE_DIRECTORY).await?;
            let outcome = migrate_in(&tx, &inner, id, &options, begun).await;
            let is_moved = finish(tx, outcome).await?;
            Ok(is_moved.then(|| begun.elapsed()))
        })
        .await
    }
}

async fn migrate_in<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    id: Uuid,
    options: &MigrateOptions,
    begun: Instant,
) -> Result<bool, MigrateError> {
    let migrator = inner.product.migrator();
    let head = head(migrator).ok_or(MigrateError::NoMigrations)?;
    // The row is the tenant's lock: whoever moves it on in its life waits for us, and the server,
    // which only reads it, does not.
    let row = tenant::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    let Some(row) = row else { return Ok(false) };
    if row.schema_version == head || row.status == Status::Archived {
        return Ok(false);
    }
    let schema = SchemaName::parse(&row.schema_name)?;
    bound_waits(tx, options.limits()).await?;
    act_as_owner(tx).await?;
    enter(tx, &schema).await?;
    migrator.up(tx, None).await?;
    hide_history(tx, migrator, &schema).await?;
    let detail = json!({
        "from": row.schema_version,
        "to": head,
        "duration_ms": begun.elapsed().as_millis() as u64,
    });
    record(tx, row, head, &options.actor, detail).await?;
    Ok(true)
}

/// The tenant's new version and the line in its history, in the transaction that earned them.
async fn record(
    tx: &DatabaseTransaction,
    row: tenant::Model,
    head: String,
    actor: &str,
    detail: serde_json::Value,
) -> Result<(), DbErr> {
    let now = now();
    let event = tenant_event::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(row.id),
        kind: Set("migrated".to_owned()),
        actor: Set(actor.to_owned()),
        detail: Set(detail),
        at: Set(now),
    };
    let mut moved = row.into_active_model();
    moved.schema_version = Set(head);
    moved.updated_at = Set(now);
    moved.update(tx).await?;
    tenant_event::Entity::insert(event)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

fn no_platform(error: DbErr) -> MigrateError {
    if db_error::is_missing_platform(&error) {
        MigrateError::NoPlatform(error)
    } else {
        error.into()
    }
}

/// The cause in the database's own words, for the log.
fn source_text(error: &MigrateError) -> String {
    match error {
        MigrateError::NoPlatform(cause) | MigrateError::Busy(cause) | MigrateError::Db(cause) => {
            db_error::describe(cause)
        }
        MigrateError::NoMigrations | MigrateError::Schema(_) => error.to_string(),
    }
}
