//! Taking tenants from a run. Whoever takes one holds it by a lease, which is renewed for as long
//! as they live; one whose lease has ended is anybody's. All times are the database's, so that no
//! clock of ours has a say.

use sea_orm::{ConnectionTrait, QueryResult};
use uuid::Uuid;

use super::RunError;
use super::path::Traffic;
use crate::SchemaName;
use crate::query::{all, run};

/// How long a lease lasts, in seconds.
pub(super) const LEASE_SECONDS: i32 = 30;

/// A tenant that we hold.
#[derive(Clone, Debug)]
pub(super) struct Claimed {
    pub(super) id: Uuid,
    pub(super) slug: String,
    pub(super) schema: SchemaName,
    pub(super) node_id: Uuid,
    pub(super) traffic: Traffic,
    /// Where the directory says it stands.
    pub(super) version: String,
    /// Where it should go.
    pub(super) target: String,
    pub(super) attempts: i32,
}

const CLAIM: &str = "
    WITH next AS (
        SELECT m.tenant_id
        FROM platform.migration_run_tenant m
        WHERE m.run_id = $1
            AND m.wave <= (SELECT r.wave FROM platform.migration_run r
                           WHERE r.id = $1 AND r.state = 'running')
            AND (m.state = 'pending' AND coalesce(m.not_before <= now(), true)
                OR m.state = 'running' AND m.lease_until < now())
        ORDER BY m.wave, m.position
        LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED
    ), taken AS (
        UPDATE platform.migration_run_tenant m
        SET state = 'running', lease = $2, lease_until = now() + make_interval(secs => $3),
            attempts = m.attempts + 1, started_at = coalesce(m.started_at, now())
        FROM next WHERE m.run_id = $1 AND m.tenant_id = next.tenant_id
        RETURNING m.tenant_id, m.target_version, m.attempts, m.position
    )
    SELECT t.id, t.slug, t.schema_name, t.schema_version, t.status = 'spare' AS is_spare,
        l.node_id, taken.target_version, taken.attempts
    FROM taken
    JOIN platform.tenant t ON t.id = taken.tenant_id
    JOIN platform.lane l ON l.id = t.lane_id
    ORDER BY taken.position";

/// Takes up to `most` tenants whose turn it is.
pub(super) async fn claim(
    db: &impl ConnectionTrait,
    run: Uuid,
    lease: Uuid,
    most: usize,
) -> Result<Vec<Claimed>, RunError> {
    let values = [
        run.into(),
        lease.into(),
        LEASE_SECONDS.into(),
        (most as i64).into(),
    ];
    let rows = all(db, CLAIM, values).await?;
    rows.iter().map(read).collect()
}

fn read(row: &QueryResult) -> Result<Claimed, RunError> {
    Ok(Claimed {
        id: row.try_get("", "id")?,
        slug: row.try_get("", "slug")?,
        schema: SchemaName::parse(&row.try_get::<String>("", "schema_name")?)?,
        node_id: row.try_get("", "node_id")?,
        traffic: if row.try_get("", "is_spare")? {
            Traffic::None
        } else {
            Traffic::Live
        },
        version: row.try_get("", "schema_version")?,
        target: row.try_get("", "target_version")?,
        attempts: row.try_get("", "attempts")?,
    })
}

/// Makes a lease last again. What has been taken by somebody else stays theirs.
pub(super) async fn renew(
    db: &impl ConnectionTrait,
    run_id: Uuid,
    lease: Uuid,
) -> Result<(), RunError> {
    run(
        db,
        "UPDATE platform.migration_run_tenant
         SET lease_until = now() + make_interval(secs => $3)
         WHERE run_id = $1 AND lease = $2",
        [run_id.into(), lease.into(), LEASE_SECONDS.into()],
    )
    .await?;
    Ok(())
}

/// Gives back what is still held, untried.
pub(super) async fn give_back(
    db: &impl ConnectionTrait,
    run_id: Uuid,
    lease: Uuid,
) -> Result<(), RunError> {
    run(
        db,
        "UPDATE platform.migration_run_tenant
         SET state = 'pending', lease = NULL, lease_until = NULL, attempts = attempts - 1
         WHERE run_id = $1 AND lease = $2",
        [run_id.into(), lease.into()],
    )
    .await?;
    Ok(())
}
