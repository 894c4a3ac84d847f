//! The whole fleet at a glance, in one query.

use sea_orm::DbErr;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::query::one;
use crate::{DirectoryError, Product, Provisioner};

/// The fleet at a glance. Of all nodes: the directory knows them all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetStatus {
    /// The newest migration of this build.
    pub head: Option<String>,
    /// How many stand at which version, oldest first.
    pub versions: Vec<VersionCount>,
    /// How many tenants have which status.
    pub statuses: Vec<StatusCount>,
    /// Tenants whose last turn in a run failed and who still stand where they stood.
    pub failed: i64,
    /// The one of them that has waited longest.
    pub oldest_failure: Option<OldestFailure>,
    /// Tenants that a run has moved and found to be different than they should.
    pub quarantined: i64,
    /// Tenants whose structure was not that of their version when it was last looked at.
    pub drifted: i64,
    /// Spares at head, and how many there should be.
    pub spares: SpareCount,
    /// The run that is not over.
    pub run: Option<RunInProgress>,
    /// Server processes that were heard of in the last minute.
    pub servers: i64,
}

/// How many stand at a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionCount {
    /// The newest migration that they have.
    pub version: String,
    /// Tenants.
    pub tenants: i64,
    /// Spares.
    pub spares: i64,
}

/// How many have a status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCount {
    /// Where they stand in their lives.
    pub status: String,
    /// How many.
    pub tenants: i64,
}

/// Who has waited longest for somebody to look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldestFailure {
    /// What people type.
    pub slug: String,
    /// The run that it failed in.
    pub run: Uuid,
    /// When.
    #[serde(with = "time::serde::rfc3339::option")]
    pub at: Option<OffsetDateTime>,
    /// What went wrong.
    pub error: Option<Value>,
}

/// Spares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpareCount {
    /// At head, waiting.
    pub ready: i64,
    /// As many as there should be.
    pub goal: i64,
}

/// The run that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInProgress {
    /// Its id.
    pub id: Uuid,
    /// Where it leads.
    pub target_version: String,
    /// Where it stands.
    pub state: String,
    /// Tenants whose turn is over.
    pub over: i64,
    /// All its tenants.
    pub all: i64,
}

const STATUS: &str = "
    SELECT jsonb_build_object(
        'head', $1::text,
        'versions', (
            SELECT coalesce(jsonb_agg(to_jsonb(v) ORDER BY v.version), '[]') FROM (
                SELECT schema_version AS version,
                    count(*) FILTER (WHERE status <> 'spare') AS tenants,
                    count(*) FILTER (WHERE status = 'spare') AS spares
                FROM platform.tenant WHERE status NOT IN ('provisioning', 'archived', 'gone')
                GROUP BY schema_version) v),
        'statuses', (
            SELECT coalesce(jsonb_agg(to_jsonb(s) ORDER BY s.status), '[]') FROM (
                SELECT status, count(*) AS tenants FROM platform.tenant
                WHERE status <> 'spare' GROUP BY status) s),
        'failed', (SELECT count(DISTINCT f.tenant_id) FROM failure f),
        'oldest_failure', (
            SELECT to_jsonb(o) FROM (
                SELECT f.slug, f.run_id AS run, f.finished_at AS at, f.error
                FROM failure f ORDER BY f.finished_at LIMIT 1) o),
        'quarantined', (
            SELECT count(DISTINCT m.tenant_id) FROM platform.migration_run_tenant m
            JOIN platform.tenant_vitals v ON v.tenant_id = m.tenant_id AND v.drift IS NOT NULL
            WHERE m.state = 'quarantined'),
        'drifted', (SELECT count(*) FROM platform.tenant_vitals WHERE drift IS NOT NULL),
        'spares', jsonb_build_object(
            'ready', (SELECT count(*) FROM platform.tenant
                      WHERE status = 'spare' AND schema_version = $1),
            'goal', (SELECT coalesce(sum(keep), 0) FROM platform.spare_goal)),
        'run', (
            SELECT to_jsonb(u) FROM (
                SELECT r.id, r.target_version, r.state,
                    count(*) FILTER (WHERE m.state NOT IN ('pending', 'running')) AS over,
                    count(*) AS all
                FROM platform.migration_run r
                JOIN platform.migration_run_tenant m ON m.run_id = r.id
                WHERE r.state NOT IN ('cancelled', 'done') GROUP BY r.id) u),
        'servers', (SELECT count(*) FROM platform.server_process
                    WHERE seen_at > now() - interval '1 minute')
    ) AS status";

const FAILURE: &str = "
    WITH failure AS (
        SELECT m.tenant_id, m.run_id, m.finished_at, m.error, t.slug
        FROM platform.migration_run_tenant m
        JOIN platform.tenant t ON t.id = m.tenant_id AND t.schema_version <> m.target_version
        WHERE m.state = 'failed' AND t.status NOT IN ('archived', 'gone')
    )";

impl<P: Product> Provisioner<P> {
    /// The fleet at a glance, in one query.
    ///
    /// # Errors
    ///
    /// [`DirectoryError::NoPlatform`], [`DirectoryError::Db`].
    pub async fn status(&self) -> Result<FleetStatus, DirectoryError> {
        let head = self.versions().pop();
        let sql = format!("{FAILURE}{STATUS}");
        let row = one(&self.inner.db, &sql, [head.into()]).await?;
        let row = row.ok_or_else(|| unreadable("no row"))?;
        let status: Value = row.try_get("", "status")?;
        Ok(serde_json::from_value(status).map_err(|error| unreadable(&error.to_string()))?)
    }
}

fn unreadable(why: &str) -> DbErr {
    DbErr::Custom(format!("the status cannot be read: {why}"))
}
