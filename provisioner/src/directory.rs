//! Reading the directory: one tenant, or a page of them.

use entity::platform::tenant::Status;
use entity::platform::{lane, tenant};
use sea_orm::{
    ColumnTrait as _, Condition, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Product, Provisioner, Slug, db_error};

/// A tenant as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantEntry {
    /// Never changes.
    pub id: Uuid,
    /// What people type.
    pub slug: String,
    /// What people read.
    pub name: String,
    /// Where it stands in its life.
    pub status: Status,
    /// Its schema, and the role of the same name.
    pub schema_name: String,
    /// The login role of its lane.
    pub lane: String,
    /// The newest migration that was applied.
    pub schema_version: String,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

/// Which tenants to list.
#[derive(Clone, Debug)]
pub struct ListTenants {
    /// Only those that stand here.
    pub status: Option<Status>,
    /// Only those whose slug sorts after this: the `next` of the page before.
    pub after: Option<String>,
    /// How many at most; 1 to [`ListTenants::MAX_LIMIT`], anything else is drawn in.
    pub limit: u64,
}

impl ListTenants {
    /// The longest page.
    pub const MAX_LIMIT: u64 = 1_000;
}

impl Default for ListTenants {
    fn default() -> Self {
        Self {
            status: None,
            after: None,
            limit: 100,
        }
    }
}

/// A page of tenants, sorted by slug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantPage {
    /// The tenants.
    pub tenants: Vec<TenantEntry>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

/// Why the directory could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Nobody is called that.
    #[error("there is no tenant {0:?}")]
    NotFound(String),
    /// The platform was never migrated.
    #[error("this database holds no platform yet")]
    NoPlatform(#[source] DbErr),
    /// A statement failed.
    #[error("the database failed")]
    Db(#[source] DbErr),
}

impl From<DbErr> for DirectoryError {
    fn from(error: DbErr) -> Self {
        if db_error::is_missing_platform(&error) {
            Self::NoPlatform(error)
        } else {
            Self::Db(error)
        }
    }
}

impl<P: Product> Provisioner<P> {
    /// One page of the directory, by slug.
    ///
    /// # Errors
    ///
    /// [`DirectoryError::NoPlatform`], [`DirectoryError::Db`].
    pub async fn list(&self, which: &ListTenants) -> Result<TenantPage, DirectoryError> {
        let limit = which.limit.clamp(1, ListTenants::MAX_LIMIT);
        let condition = Condition::all()
            .add_option(which.status.map(|status| tenant::Column::Status.eq(status)))
            .add_option(
                which
                    .after
                    .as_ref()
                    .map(|slug| tenant::Column::Slug.gt(slug.as_str())),
            );
        let rows = tenant::Entity::find()
            .find_also_related(lane::Entity)
            .filter(condition)
            .order_by_asc(tenant::Column::Slug)
            .limit(limit + 1)
            .all(&self.inner.db)
            .await?;
        let mut tenants: Vec<_> = rows.into_iter().map(entry).collect();
        let has_more = tenants.len() as u64 > limit;
        if has_more {
            tenants.pop();
        }
        let next = tenants
            .last()
            .filter(|_| has_more)
            .map(|last| last.slug.clone());
        Ok(TenantPage { tenants, next })
    }

    /// One tenant, by its slug or by its id in the usual form with hyphens.
    ///
    /// # Errors
    ///
    /// [`DirectoryError`].
    pub async fn show(&self, slug_or_id: &str) -> Result<TenantEntry, DirectoryError> {
        let not_found = || DirectoryError::NotFound(slug_or_id.to_owned());
        let by = match read_id(slug_or_id) {
            Some(id) => tenant::Column::Id.eq(id),
            None => {
                let slug = Slug::parse(slug_or_id).map_err(|_| not_found())?;
                tenant::Column::Slug.eq(slug.as_str())
            }
        };
        tenant::Entity::find()
            .find_also_related(lane::Entity)
            .filter(by)
            .one(&self.inner.db)
            .await?
            .map(entry)
            .ok_or_else(not_found)
    }
}

/// Only with hyphens: 32 hex digits without them are a possible slug.
fn read_id(text: &str) -> Option<Uuid> {
    (text.len() == 36)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}

fn entry((tenant, lane): (tenant::Model, Option<lane::Model>)) -> TenantEntry {
    TenantEntry {
        id: tenant.id,
        slug: tenant.slug,
        name: tenant.name,
        status: tenant.status,
        schema_name: tenant.schema_name,
        // A foreign key holds, so there is a lane.
        lane: lane.map(|lane| lane.login_role).unwrap_or_default(),
        schema_version: tenant.schema_version,
        created_at: tenant.created_at,
    }
}
