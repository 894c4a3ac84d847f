//! The directory's queries: all tenants, some of them, all lanes.

use std::sync::Arc;

use provisioner::SchemaName;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use uuid::Uuid;

use super::index::{Address, Tenant, TenantStatus};
use crate::db::gate::{Gate, Limits};
use crate::db::lanes::LaneRow;
use crate::db::transaction::PlatformTx;

/// A tenant's row with its verified domains.
#[derive(Debug, FromQueryResult)]
pub(super) struct TenantRow {
    pub id: Uuid,
    pub slug: String,
    pub name: String,
    pub schema_name: String,
    pub lane_id: Uuid,
    pub status: TenantStatus,
    pub schema_version: String,
    pub domains: Vec<String>,
    pub revision: i64,
    pub concurrency: Option<i32>,
    pub statement_timeout_ms: Option<i32>,
    pub idle_in_transaction_timeout_ms: Option<i32>,
    pub requests_per_minute: Option<i32>,
}

impl TenantRow {
    /// A row whose schema name isn't one of ours is left out, and said: the name goes into
    /// statements as it is.
    pub(super) fn into_tenant(self, configured: Limits) -> Option<Tenant> {
        let schema = match SchemaName::parse(&self.schema_name) {
            Ok(schema) => schema,
            Err(error) => {
                tracing::error!(tenant.id = %self.id, error = %error, "a tenant is left out");
                return None;
            }
        };
        let limits = self.limits(configured);
        Some(Tenant {
            id: self.id,
            slug: self.slug,
            name: self.name,
            schema,
            lane_id: self.lane_id,
            status: self.status,
            schema_version: self.schema_version,
            domains: self.domains,
            revision: self.revision,
            limits,
            requests_per_minute: self.requests_per_minute.and_then(|it| it.try_into().ok()),
            gate: Arc::new(Gate::new(limits.concurrency)),
        })
    }

    /// The plan's limits, and the configured ones where it has none.
    fn limits(&self, configured: Limits) -> Limits {
        let or =
            |own: Option<i32>, other: u64| own.and_then(|own| own.try_into().ok()).unwrap_or(other);
        let concurrency = self.concurrency.and_then(|own| own.try_into().ok());
        Limits {
            concurrency: concurrency.unwrap_or(configured.concurrency),
            statement_timeout_ms: or(self.statement_timeout_ms, configured.statement_timeout_ms),
            idle_in_transaction_timeout_ms: or(
                self.idle_in_transaction_timeout_ms,
                configured.idle_in_transaction_timeout_ms,
            ),
        }
    }
}

/// Spares are nobody's, whether they are complete, being made or on their way out: their slug,
/// which nobody can have, says so. One that becomes somebody's is a change like any other.
const TENANTS: &str = "SELECT t.id, t.slug, t.name, t.schema_name, t.lane_id, t.status, \
     t.schema_version, t.revision, p.concurrency, p.statement_timeout_ms, \
     p.idle_in_transaction_timeout_ms, p.requests_per_minute, ARRAY(SELECT d.domain FROM platform.tenant_domain d \
     WHERE d.tenant_id = t.id AND d.verified_at IS NOT NULL) AS domains \
     FROM platform.tenant t LEFT JOIN platform.plan p ON p.id = t.plan_id \
     WHERE NOT (t.status IN ('spare', 'provisioning') \
     AND t.slug = 'spare-' || substr(t.schema_name, 3))";

pub(super) async fn all(tx: &PlatformTx) -> Result<Vec<TenantRow>, DbErr> {
    select(tx, "", []).await
}

pub(super) async fn by_ids(tx: &PlatformTx, ids: &[Uuid]) -> Result<Vec<TenantRow>, DbErr> {
    select(tx, " AND t.id = ANY($1)", [ids.to_vec().into()]).await
}

pub(super) async fn by_address(
    tx: &PlatformTx,
    address: &Address,
) -> Result<Vec<TenantRow>, DbErr> {
    match address {
        Address::Id(id) => by_ids(tx, &[*id]).await,
        Address::Slug(slug) => select(tx, " AND t.slug = $1", [slug.as_str().into()]).await,
        Address::Domain(domain) => {
            let by_domain = " AND t.id IN (SELECT d.tenant_id FROM platform.tenant_domain d \
                 WHERE d.domain = $1 AND d.verified_at IS NOT NULL)";
            select(tx, by_domain, [domain.as_str().into()]).await
        }
    }
}

pub(super) async fn lanes(tx: &PlatformTx) -> Result<Vec<LaneRow>, DbErr> {
    let sql = "SELECT l.id, l.login_role, l.width, l.capacity, n.name AS node, n.host, n.port, \
         n.database \
         FROM platform.lane l JOIN platform.node n ON n.id = l.node_id";
    LaneRow::find_by_statement(Statement::from_string(DbBackend::Postgres, sql))
        .all(tx)
        .await
}

/// What has become visible since a look that saw `since`.
#[derive(Debug, FromQueryResult)]
pub(super) struct Changes {
    /// The oldest transaction that is still under way; to be remembered for the next look.
    pub seen: String,
    /// A node, a lane or a plan changed, or a tenant is gone.
    pub everything: bool,
    /// These tenants changed.
    pub tenants: Vec<Uuid>,
}

pub(super) async fn changes(tx: &PlatformTx, since: &str) -> Result<Changes, DbErr> {
    let sql = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS seen, \
         EXISTS (SELECT FROM platform.directory_mark WHERE changed_xid >= $1::text::xid8) \
             AS everything, \
         ARRAY(SELECT id FROM platform.tenant WHERE changed_xid >= $1::text::xid8) AS tenants";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [since.into()]);
    let row = Changes::find_by_statement(statement).one(tx).await?;
    row.ok_or_else(|| DbErr::RecordNotFound("the directory's changes".to_owned()))
}

/// The oldest transaction that is still under way.
pub(super) async fn seen(tx: &PlatformTx) -> Result<String, DbErr> {
    let sql = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS seen";
    let row = tx
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("the current snapshot".to_owned()))?;
    row.try_get("", "seen")
}

async fn select<const N: usize>(
    tx: &PlatformTx,
    filter: &str,
    values: [Value; N],
) -> Result<Vec<TenantRow>, DbErr> {
    let sql = format!("{TENANTS}{filter}");
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    TenantRow::find_by_statement(statement).all(tx).await
}
