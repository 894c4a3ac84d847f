//! Brings tenants that are behind to head, one transaction each (on another node than the
//! platform's, two). One that fails stays as it was and stops nobody else.

mod one;

use std::collections::HashMap;
use std::time::Duration;

use entity::platform::tenant::{self, Status};
use entity::platform::{lane, node};
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _,
};
use sea_orm_migration::MigratorTraitSelf as _;
use uuid::Uuid;

use self::one::migrate_one;
use crate::create::head;
use crate::nodes::{ReachError, Site};
use crate::schema_name::SchemaNameError;
use crate::transaction::Limits;
use crate::{Product, Provisioner, db_error};

/// An archived tenant has no schema any more, and one that is being made may have none yet; when
/// it is complete it stands at the head of whoever made it.
const WITHOUT_SCHEMA: [Status; 2] = [Status::Archived, Status::Provisioning];

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
    /// The tenant's node could not be worked on.
    #[error("the tenant's node is out of reach")]
    Reach(#[from] ReachError),
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
            Self::NoMigrations | Self::Schema(_) | Self::Reach(_) => None,
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
            .filter(tenant::Column::Status.is_not_in(WITHOUT_SCHEMA))
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
        let behind = self.behind(&summary.head).await?;
        let sites = self.sites(&behind).await?;
        for row in behind {
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
            let outcome = match sites.get(&row.lane_id) {
                Some(Ok(site)) => migrate_one(&self.inner, site, row.id, options).await,
                Some(Err(error)) => Err(error.clone().into()),
                // It was moved to a lane that is newer than this run's look at the lanes.
                None => Err(DbErr::RecordNotFound("the tenant's lane".to_owned()).into()),
            };
            match outcome {
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
            .filter(tenant::Column::Status.is_not_in(WITHOUT_SCHEMA))
            .order_by_asc(tenant::Column::Slug)
            .all(&self.inner.db)
            .await?)
    }

    /// For each lane the way to its node. A node is tried once: one that is out of reach costs
    /// its time-out once, not for each of its tenants.
    async fn sites(
        &self,
        behind: &[tenant::Model],
    ) -> Result<HashMap<Uuid, Result<Site, ReachError>>, MigrateError> {
        let mut by_node = HashMap::new();
        let mut by_lane = HashMap::new();
        if behind.is_empty() {
            return Ok(by_lane);
        }
        let lanes = lane::Entity::find()
            .find_also_related(node::Entity)
            .all(&self.inner.db)
            .await?;
        for (lane, node) in lanes {
            let Some(node) = node else { continue };
            if !behind.iter().any(|tenant| tenant.lane_id == lane.id) {
                continue;
            }
            let site = match by_node.get(&node.id) {
                Some(site) => Result::clone(site),
                None => {
                    let id = node.id;
                    let site = self.inner.reach(node).await;
                    by_node.insert(id, site.clone());
                    site
                }
            };
            by_lane.insert(lane.id, site);
        }
        Ok(by_lane)
    }
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
        MigrateError::Reach(cause) => cause.to_string(),
        MigrateError::NoMigrations | MigrateError::Schema(_) => error.to_string(),
    }
}
