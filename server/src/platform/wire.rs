//! Tenants, lanes, nodes and plans on the wire, as `tubex --json` shows them.

use provisioner::events::TenantEvent;
use provisioner::lanes::LaneEntry;
use provisioner::life::ExportEntry;
use provisioner::nodes::NodeEntry;
use provisioner::plans::Plan;
use provisioner::{DomainEntry, TenantEntry};
use sea_orm::ActiveEnum;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TenantOut {
    id: Uuid,
    /// First label of its host name.
    #[schema(example = "acme")]
    slug: String,
    name: String,
    /// Where it stands in its life.
    #[schema(example = "active")]
    status: String,
    schema_name: String,
    /// The node it lives on.
    #[schema(example = "main")]
    node: String,
    /// The login of its lane.
    lane: String,
    /// Null when the server's configuration decides alone.
    #[schema(required)]
    plan: Option<String>,
    /// The newest migration that was applied.
    schema_version: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    /// Words of operators, to choose tenants by.
    tags: Vec<String>,
    /// Why nothing of it may be destroyed.
    #[schema(required)]
    legal_hold: Option<String>,
    /// Tables and indexes in bytes, when somebody looked last.
    #[schema(required)]
    size_bytes: Option<i64>,
    /// The last request that a server told of.
    #[schema(required)]
    #[serde(with = "time::serde::rfc3339::option")]
    last_active_at: Option<OffsetDateTime>,
}

/// An export of a tenant that is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExportOut {
    id: Uuid,
    /// Where it lies, on the machine that made it.
    location: String,
    bytes: i64,
    /// The manifest's own checksum, which stands for all files.
    sha256: String,
    /// Until when it has to be kept.
    #[schema(required)]
    #[serde(with = "time::serde::rfc3339::option")]
    keep_until: Option<OffsetDateTime>,
    actor: String,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[schema(required)]
    #[serde(with = "time::serde::rfc3339::option")]
    destroyed_at: Option<OffsetDateTime>,
}

/// A line of a tenant's history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EventOut {
    id: Uuid,
    /// What happened.
    #[schema(example = "suspended")]
    kind: String,
    /// Who did it: `operator/<id>`, or a program with its account.
    actor: String,
    /// What belongs to this kind.
    #[schema(value_type = Object)]
    detail: Value,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// A tenant's claim on a domain.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DomainOut {
    domain: String,
    /// The tenant's slug.
    tenant: String,
    record: RecordOut,
    /// Since when servers answer there; null while it isn't proven.
    #[schema(required)]
    #[serde(with = "time::serde::rfc3339::option")]
    verified_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// The record in DNS that proves a domain.
#[derive(Debug, Serialize, ToSchema)]
struct RecordOut {
    name: String,
    /// Always `TXT`.
    #[serde(rename = "type")]
    #[schema(example = "TXT")]
    kind: &'static str,
    value: String,
}

/// A lane: a login with a few connections.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LaneOut {
    id: Uuid,
    login: String,
    node: String,
    /// Connections that one server opens.
    width: i32,
    /// Tenants that fit.
    capacity: i32,
    /// Tenants that are there.
    tenants: i64,
    /// `open` or `retiring`.
    #[schema(example = "open")]
    state: String,
    /// Whether it is one tenant's own.
    dedicated: bool,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

/// A node: a database that tenants live in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct NodeOut {
    id: Uuid,
    name: String,
    /// Null for the platform's own.
    #[schema(required)]
    host: Option<String>,
    /// Null for the platform's own.
    #[schema(required)]
    port: Option<i32>,
    /// Null for the platform's own.
    #[schema(required)]
    database: Option<String>,
    /// How many lanes lead there.
    lanes: i64,
    /// Connections of all of them, for each server.
    width: i64,
    tenants: i64,
}

/// A plan: what a tenant may use. Null leaves a limit to the server's configuration.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PlanOut {
    name: String,
    /// Transactions of one tenant at once, in one server process.
    #[schema(required)]
    concurrency: Option<i32>,
    #[schema(required)]
    statement_timeout_ms: Option<i32>,
    #[schema(required)]
    idle_in_transaction_timeout_ms: Option<i32>,
    /// Requests of one tenant's people and machines a minute, all together.
    #[schema(required)]
    requests_per_minute: Option<i32>,
    /// Whether a new tenant gets a lane of its own.
    dedicated_lane: bool,
}

/// All of something; there is no next page.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListOut<T> {
    data: Vec<T>,
}

impl<T> ListOut<T> {
    /// Shapes all rows.
    pub(super) fn of<U: Into<T>>(rows: impl IntoIterator<Item = U>) -> Self {
        Self {
            data: rows.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<TenantEntry> for TenantOut {
    fn from(tenant: TenantEntry) -> Self {
        Self {
            id: tenant.id,
            slug: tenant.slug,
            name: tenant.name,
            status: tenant.status.to_value(),
            schema_name: tenant.schema_name,
            node: tenant.node,
            lane: tenant.lane,
            plan: tenant.plan,
            schema_version: tenant.schema_version,
            created_at: tenant.created_at,
            tags: tenant.tags,
            legal_hold: tenant.legal_hold,
            size_bytes: tenant.size_bytes,
            last_active_at: tenant.last_active_at,
        }
    }
}

impl TenantOut {
    /// Where the tenant is found.
    pub(super) fn address(&self) -> String {
        format!("/platform/v1/tenants/{}", self.id)
    }
}

impl From<ExportEntry> for ExportOut {
    fn from(export: ExportEntry) -> Self {
        Self {
            id: export.id,
            location: export.location,
            bytes: export.bytes,
            sha256: export.sha256,
            keep_until: export.keep_until,
            actor: export.actor,
            created_at: export.created_at,
            destroyed_at: export.destroyed_at,
        }
    }
}

impl From<TenantEvent> for EventOut {
    fn from(event: TenantEvent) -> Self {
        Self {
            id: event.id,
            kind: event.kind,
            actor: event.actor,
            detail: event.detail,
            at: event.at,
        }
    }
}

impl From<DomainEntry> for DomainOut {
    fn from(claim: DomainEntry) -> Self {
        Self {
            domain: claim.domain,
            tenant: claim.tenant,
            record: RecordOut {
                name: claim.record_name,
                kind: "TXT",
                value: claim.record_value,
            },
            verified_at: claim.verified_at,
            created_at: claim.created_at,
        }
    }
}

impl From<LaneEntry> for LaneOut {
    fn from(lane: LaneEntry) -> Self {
        Self {
            id: lane.id,
            login: lane.login,
            node: lane.node,
            width: lane.width,
            capacity: lane.capacity,
            tenants: lane.tenants,
            state: lane.state.to_value(),
            dedicated: lane.is_dedicated,
            created_at: lane.created_at,
        }
    }
}

impl From<NodeEntry> for NodeOut {
    fn from(node: NodeEntry) -> Self {
        Self {
            id: node.id,
            name: node.name,
            host: node.host,
            port: node.port,
            database: node.database,
            lanes: node.lanes,
            width: node.width,
            tenants: node.tenants,
        }
    }
}

impl From<Plan> for PlanOut {
    fn from(plan: Plan) -> Self {
        Self {
            name: plan.name,
            concurrency: plan.concurrency,
            statement_timeout_ms: plan.statement_timeout_ms,
            idle_in_transaction_timeout_ms: plan.idle_in_transaction_timeout_ms,
            requests_per_minute: plan.requests_per_minute,
            dedicated_lane: plan.dedicated_lane,
        }
    }
}
