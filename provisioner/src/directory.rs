//! Reading the directory: one tenant, or a page of them.

use entity::platform::tenant::Status;
use entity::platform::{lane, node, plan, tenant, tenant_vitals};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockType, SimpleExpr};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait as _,
    FromQueryResult, JoinType, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    RelationTrait as _, Select,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Label, Product, Provisioner, Slug, db_error};

/// A tenant as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
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
    /// What operators call the node it lives on.
    pub node: String,
    /// The login role of its lane.
    pub lane: String,
    /// The name of its plan, if it has one.
    pub plan: Option<String>,
    /// The newest migration that was applied.
    pub schema_version: String,
    /// Words of operators, to choose tenants by.
    pub tags: Vec<String>,
    /// Why nothing of it may be destroyed.
    pub legal_hold: Option<String>,
    /// Tables and indexes in bytes, when somebody looked last.
    pub size_bytes: Option<i64>,
    /// The last request that a server told of.
    pub last_active_at: Option<OffsetDateTime>,
    /// When it was created.
    pub created_at: OffsetDateTime,
}

/// Which tenants to list.
#[derive(Clone, Debug)]
pub struct ListTenants {
    /// Only those that stand here. Without this, spares and those that are gone are left out.
    pub status: Option<Status>,
    /// Only those that carry this word.
    pub tag: Option<Label>,
    /// Only those on this plan.
    pub plan: Option<Label>,
    /// Only those on the lane with this login.
    pub lane: Option<String>,
    /// Only those on this node.
    pub node: Option<Label>,
    /// Only those whose newest migration is this.
    pub version: Option<String>,
    /// Only those whose slug sorts after this: the `next` of the page before.
    pub after: Option<String>,
    /// How many at most; 1 to [`ListTenants::MAX_LIMIT`], anything else is drawn in.
    pub limit: u64,
}

impl ListTenants {
    /// The longest page.
    pub const MAX_LIMIT: u64 = 1_000;

    fn condition(&self) -> Condition {
        let status = match self.status {
            Some(status) => tenant::Column::Status.eq(status),
            None => tenant::Column::Status.is_not_in(NOBODYS),
        };
        let tagged = |tag: &Label| Expr::cust_with_values("$1 = ANY(tenant.tags)", [tag.as_str()]);
        let version = self.version.as_deref();
        Condition::all()
            .add(status)
            .add_option(self.tag.as_ref().map(tagged))
            .add_option(
                self.plan
                    .as_ref()
                    .map(|plan| plan::Column::Name.eq(plan.as_str())),
            )
            .add_option(
                self.lane
                    .as_ref()
                    .map(|lane| lane::Column::LoginRole.eq(lane.as_str())),
            )
            .add_option(
                self.node
                    .as_ref()
                    .map(|node| node::Column::Name.eq(node.as_str())),
            )
            .add_option(version.map(|version| tenant::Column::SchemaVersion.eq(version)))
            .add_option(
                self.after
                    .as_ref()
                    .map(|slug| tenant::Column::Slug.gt(slug.as_str())),
            )
    }
}

/// Not somebody yet, or nobody any more.
const NOBODYS: [Status; 2] = [Status::Spare, Status::Gone];

impl Default for ListTenants {
    fn default() -> Self {
        Self {
            status: None,
            tag: None,
            plan: None,
            lane: None,
            node: None,
            version: None,
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
        let condition = which.condition();
        let mut tenants = entries()
            .filter(condition)
            .order_by_asc(tenant::Column::Slug)
            .limit(limit + 1)
            .into_model::<TenantEntry>()
            .all(&self.inner.db)
            .await?;
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
        let by = named(slug_or_id).ok_or_else(not_found)?;
        let row = entries().filter(by).into_model::<TenantEntry>();
        row.one(&self.inner.db).await?.ok_or_else(not_found)
    }
}

/// One tenant's row, by slug or id.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    slug_or_id: &str,
) -> Result<Option<tenant::Model>, DbErr> {
    match named(slug_or_id) {
        Some(by) => tenant::Entity::find().filter(by).one(db).await,
        None => Ok(None),
    }
}

/// One tenant's row, by slug or id, held until the transaction ends: whoever else moves the tenant
/// on in its life waits, and servers, which only read it, do not.
pub(crate) async fn hold(
    tx: &DatabaseTransaction,
    slug_or_id: &str,
) -> Result<Option<tenant::Model>, DbErr> {
    let Some(by) = named(slug_or_id) else {
        return Ok(None);
    };
    tenant::Entity::find()
        .filter(by)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await
}

/// One tenant as operators see it.
pub(crate) async fn entry(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<TenantEntry>, DbErr> {
    let row = entries().filter(tenant::Column::Id.eq(id));
    row.into_model::<TenantEntry>().one(db).await
}

/// Tenants with the names of what they are tied to.
fn entries() -> Select<tenant::Entity> {
    tenant::Entity::find()
        .join(JoinType::InnerJoin, tenant::Relation::Lane.def())
        .join(JoinType::InnerJoin, lane::Relation::Node.def())
        .join(JoinType::LeftJoin, tenant::Relation::Plan.def())
        .join(
            JoinType::LeftJoin,
            tenant_vitals::Relation::Tenant.def().rev(),
        )
        .column(tenant_vitals::Column::SizeBytes)
        .column(tenant_vitals::Column::LastActiveAt)
        .column_as(lane::Column::LoginRole, "lane")
        .column_as(node::Column::Name, "node")
        .column_as(plan::Column::Name, "plan")
}

/// Nothing where no tenant could be called that. A spare is nobody yet, and can't be named.
fn named(slug_or_id: &str) -> Option<SimpleExpr> {
    match read_id(slug_or_id) {
        Some(id) => Some(
            tenant::Column::Id
                .eq(id)
                .and(tenant::Column::Status.ne(Status::Spare)),
        ),
        None => {
            let slug = Slug::parse(slug_or_id).ok()?;
            Some(tenant::Column::Slug.eq(slug.as_str()))
        }
    }
}

/// Only with hyphens: 32 hex digits without them are a possible slug.
fn read_id(text: &str) -> Option<Uuid> {
    (text.len() == 36)
        .then(|| Uuid::try_parse(text).ok())
        .flatten()
}
