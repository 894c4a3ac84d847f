//! The statements that tell the platform of this process. The server's login may do exactly this.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};
use uuid::Uuid;

use crate::db::{MINIMUM_SCHEMA_VERSION, PlatformDb};
use crate::doctor::NEWEST;
use crate::kernel::TenantKey;
use crate::metrics::Traffic;

const ALIVE: &str = "
    INSERT INTO platform.server_process (id, build, knows, needs) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET seen_at = now()";

/// Whoever was killed took no leave; what they told of goes with them.
const FORGET: &str = "
    DELETE FROM platform.server_process WHERE seen_at < now() - interval '1 day'";

const GONE: &str = "DELETE FROM platform.server_process WHERE id = $1";

/// One statement whatever the number of dealers, in the order of their ids, so that two servers
/// don't wait for each other crosswise. A dealer that has left the directory is passed over.
const TRAFFIC: &str = "
    WITH traffic AS (
        SELECT t.id, of.requests, of.failures, of.slow_ms
        FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])
            AS of (tenant_id, requests, failures, slow_ms)
        JOIN platform.tenant t ON t.id = of.tenant_id
        ORDER BY t.id
    ), told AS (
        INSERT INTO platform.tenant_traffic (server_id, tenant_id, requests, failures, slow_ms)
        SELECT $1, id, requests, failures, slow_ms FROM traffic
        ON CONFLICT (server_id, tenant_id) DO UPDATE SET requests = excluded.requests,
            failures = excluded.failures, slow_ms = excluded.slow_ms, ended_at = now()
    )
    INSERT INTO platform.tenant_vitals (tenant_id, last_active_at) SELECT id, now() FROM traffic
    ON CONFLICT (tenant_id) DO UPDATE SET last_active_at = now()";

/// Says that this process is there, and forgets those that haven't said so for a day.
///
/// # Errors
///
/// The database's.
pub(super) async fn alive(platform: &PlatformDb, id: Uuid) -> Result<(), DbErr> {
    let build = env!("CARGO_PKG_VERSION");
    let values = [
        id.into(),
        build.into(),
        NEWEST.into(),
        MINIMUM_SCHEMA_VERSION.into(),
    ];
    run(platform, ALIVE, values).await?;
    run(platform, FORGET, []).await
}

/// Says that this process is gone.
///
/// # Errors
///
/// The database's.
pub(super) async fn gone(platform: &PlatformDb, id: Uuid) -> Result<(), DbErr> {
    run(platform, GONE, [id.into()]).await
}

/// Says what dealers asked for in the window that is over.
///
/// # Errors
///
/// The database's; what was to be told is dropped, since it is old the next time.
pub(super) async fn traffic(
    platform: &PlatformDb,
    id: Uuid,
    window: Vec<(TenantKey, Traffic)>,
) -> Result<(), DbErr> {
    if window.is_empty() {
        return Ok(());
    }
    let of = |count: fn(&Traffic) -> u64| -> Vec<i64> {
        let counts = window.iter().map(|(_, traffic)| count(traffic));
        counts
            .map(|count| i64::try_from(count).unwrap_or(i64::MAX))
            .collect()
    };
    let tenants: Vec<Uuid> = window.iter().map(|(tenant, _)| tenant.id()).collect();
    let values = [
        id.into(),
        tenants.into(),
        of(|traffic| traffic.requests).into(),
        of(|traffic| traffic.failures).into(),
        of(|traffic| traffic.slow_ms).into(),
    ];
    run(platform, TRAFFIC, values).await
}

async fn run<const N: usize>(
    platform: &PlatformDb,
    sql: &str,
    values: [Value; N],
) -> Result<(), DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    platform
        .write(async |tx| {
            tx.execute_raw(statement).await?;
            Ok(())
        })
        .await
}
