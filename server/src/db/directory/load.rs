//! The directory's queries: all tenants, some of them, all lanes.

use provisioner::SchemaName;
use sea_orm::{DbBackend, DbErr, FromQueryResult, Statement, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::index::{Address, Tenant, TenantStatus};
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
    pub updated_at: OffsetDateTime,
}

impl TenantRow {
    /// A row whose schema name isn't one of ours is left out, and said: the name goes into
    /// statements as it is.
    pub(super) fn into_tenant(self) -> Option<Tenant> {
        let schema = match SchemaName::parse(&self.schema_name) {
            Ok(schema) => schema,
            Err(error) => {
                tracing::error!(tenant.id = %self.id, error = %error, "a tenant is left out");
                return None;
            }
        };
        Some(Tenant {
            id: self.id,
            slug: self.slug,
            name: self.name,
            schema,
            lane_id: self.lane_id,
            status: self.status,
            schema_version: self.schema_version,
            domains: self.domains,
            updated_at: self.updated_at,
        })
    }
}

const TENANTS: &str = "SELECT t.id, t.slug, t.name, t.schema_name, t.lane_id, t.status, \
     t.schema_version, t.updated_at, ARRAY(SELECT d.domain FROM platform.tenant_domain d \
     WHERE d.tenant_id = t.id AND d.verified_at IS NOT NULL) AS domains \
     FROM platform.tenant t";

pub(super) async fn all(tx: &PlatformTx) -> Result<Vec<TenantRow>, DbErr> {
    select(tx, "", []).await
}

pub(super) async fn by_ids(tx: &PlatformTx, ids: &[Uuid]) -> Result<Vec<TenantRow>, DbErr> {
    select(tx, " WHERE t.id = ANY($1)", [ids.to_vec().into()]).await
}

pub(super) async fn by_address(
    tx: &PlatformTx,
    address: &Address,
) -> Result<Vec<TenantRow>, DbErr> {
    match address {
        Address::Id(id) => by_ids(tx, &[*id]).await,
        Address::Slug(slug) => select(tx, " WHERE t.slug = $1", [slug.as_str().into()]).await,
        Address::Domain(domain) => {
            let by_domain = " WHERE t.id IN (SELECT d.tenant_id FROM platform.tenant_domain d \
                 WHERE d.domain = $1 AND d.verified_at IS NOT NULL)";
            select(tx, by_domain, [domain.as_str().into()]).await
        }
    }
}

pub(super) async fn lanes(tx: &PlatformTx) -> Result<Vec<LaneRow>, DbErr> {
    let sql = "SELECT l.id, l.login_role, l.width, n.host, n.port, n.database \
         FROM platform.lane l JOIN platform.node n ON n.id = l.node_id";
    LaneRow::find_by_statement(Statement::from_string(DbBackend::Postgres, sql))
        .all(tx)
        .await
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
