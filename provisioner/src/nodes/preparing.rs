//! What a database needs before tenants can live in it: schema `shared` and the fence.

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};
use sea_orm_migration::MigratorTraitSelf;

use super::NodeError;
use crate::fence::{self, FenceReport};
use crate::platform::{FenceRule, OLDEST_POSTGRES, server_version};
use crate::query::one;
use crate::transaction::{Limits, act_as_owner};
use std::time::Duration;

/// As for the platform: a busy database is waited for, and not for ever.
pub(super) const LIMITS: Limits = Limits {
    lock_timeout: Duration::from_secs(60),
    statement_timeout: Duration::from_secs(300),
    silence: None,
};

/// What was done to a node's database.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) applied: Vec<String>,
    pub(super) fence: FenceReport,
}

/// Brings schema `shared` to head and puts up the fence. Doing it again changes nothing.
pub(super) async fn prepare<M: MigratorTraitSelf>(
    tx: &DatabaseTransaction,
    migrator: &M,
    rule: FenceRule,
) -> Result<Prepared, NodeError> {
    let version = server_version(tx).await?;
    if version < OLDEST_POSTGRES {
        return Err(NodeError::OldPostgres(version));
    }
    tx.execute_unprepared("SELECT pg_advisory_xact_lock(hashtextextended('tubex platform', 0))")
        .await?;
    if holds_platform(tx).await? {
        return Err(NodeError::HasPlatform);
    }
    tx.execute_unprepared(SCHEMA).await?;
    act_as_owner(tx).await?;
    tx.execute_unprepared("SET LOCAL search_path = shared, pg_temp")
        .await?;
    let pending = migrator.get_pending_migrations(tx).await?;
    let applied = pending.iter().map(|step| step.name().to_owned()).collect();
    migrator.up(tx, None).await?;
    tx.execute_unprepared("SET LOCAL search_path = pg_catalog, pg_temp")
        .await?;
    let fence = fence::apply(tx).await?;
    if rule == FenceRule::Complete && !fence.gaps.is_empty() {
        return Err(NodeError::Fence(Box::new(fence)));
    }
    Ok(Prepared { applied, fence })
}

/// Not `CREATE SCHEMA IF NOT EXISTS`: that needs the right to create even where nothing is to do.
const SCHEMA: &str = "
    DO $body$ BEGIN
        IF to_regnamespace('shared') IS NULL THEN
            CREATE SCHEMA shared;
        END IF;
    END $body$";

async fn holds_platform(tx: &DatabaseTransaction) -> Result<bool, DbErr> {
    let sql = "SELECT 1 AS yes WHERE to_regnamespace('platform') IS NOT NULL";
    Ok(one(tx, sql, []).await?.is_some())
}
