//! One message for a handful of tenants: their DDL, the lines in their own histories, their
//! entries and their rows in the run, all of it or nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbErr};
use serde_json::json;
use uuid::Uuid;

use super::claim::Claimed;
use super::options::RunOptions;
use super::path::{Segment, Work};
use super::start::SILENCE;
use crate::history::now;
use crate::nodes::Site;
use crate::query::{all, one, run};
use crate::transaction::{Limits, act_as_owner, begin, enter, finish, to_the_end};
use crate::{Inner, Product, SchemaName, db_error};

/// How long tenants of one message wait for a lock at most.
const TOGETHER_LOCK_TIMEOUT: Duration = Duration::from_millis(20);

/// Whose work it is.
#[derive(Clone, Debug)]
pub(super) struct Shift {
    pub(super) run: Uuid,
    pub(super) lease: Uuid,
    pub(super) options: Arc<RunOptions>,
    pub(super) actor: Arc<str>,
    pub(super) site: Site,
}

impl Shift {
    pub(super) fn limits(&self) -> Limits {
        Limits {
            lock_timeout: Duration::from_millis(self.options.lock_timeout_ms.into()),
            statement_timeout: Duration::from_millis(self.options.statement_timeout_ms.into()),
            silence: Some(SILENCE),
        }
    }
}

impl Shift {
    /// Several at once wait for each other's locks, so hardly any is waited for: who holds one is
    /// met again alone.
    fn limits_for(&self, count: usize) -> Limits {
        let limits = self.limits();
        Limits {
            lock_timeout: match count {
                1 => limits.lock_timeout,
                _ => limits.lock_timeout.min(TOGETHER_LOCK_TIMEOUT),
            },
            ..limits
        }
    }
}

/// Why tenants stayed where they were.
#[derive(Debug)]
pub(crate) enum Cut {
    /// Somebody else has taken one of them, or moved it.
    Lost,
    /// A statement failed.
    Db(DbErr),
}

impl From<DbErr> for Cut {
    fn from(error: DbErr) -> Self {
        Self::Db(error)
    }
}

/// Takes tenants that all stand at `from` through a piece of the way.
pub(super) async fn apply<P: Product>(
    inner: &Arc<Inner<P>>,
    shift: &Shift,
    segment: &Arc<Segment>,
    from: &str,
    tenants: Vec<Claimed>,
) -> Result<(), Cut> {
    let (inner, shift, segment) = (Arc::clone(inner), shift.clone(), Arc::clone(segment));
    let from = from.to_owned();
    to_the_end(async move {
        let tx = begin(&inner.db, shift.limits_for(tenants.len())).await?;
        let outcome = apply_in(&tx, &shift, &segment, &from, &tenants).await;
        finish(tx, outcome).await
    })
    .await
}

async fn apply_in(
    tx: &DatabaseTransaction,
    shift: &Shift,
    segment: &Segment,
    from: &str,
    tenants: &[Claimed],
) -> Result<(), Cut> {
    act_as_owner(tx).await?;
    hold(tx, shift, from, tenants).await?;
    let schemas: Vec<_> = tenants.iter().map(|one| one.schema.clone()).collect();
    let node = shift
        .site
        .begin(tx, shift.limits_for(tenants.len()))
        .await?;
    let done = node.execute_unprepared(&segment.message(&schemas)).await;
    node.finish(done).await?;
    tx.execute_unprepared("SET LOCAL search_path = pg_catalog, pg_temp")
        .await?;
    record(tx, shift, segment, from, tenants).await?;
    Ok(())
}

/// Makes sure that all of them are ours and where we think, until the transaction ends. A worker
/// that slept past its lease finds another's name here.
pub(super) async fn hold(
    tx: &DatabaseTransaction,
    shift: &Shift,
    from: &str,
    tenants: &[Claimed],
) -> Result<(), Cut> {
    let ids: Vec<Uuid> = tenants.iter().map(|one| one.id).collect();
    let held = all(
        tx,
        "SELECT t.id FROM platform.tenant t
         JOIN platform.migration_run_tenant m ON m.tenant_id = t.id
         WHERE t.id = ANY ($3::uuid[]) AND m.run_id = $1 AND m.lease = $2
             AND t.schema_version = $4 AND t.status NOT IN ('provisioning', 'archived', 'gone')
         ORDER BY t.id FOR NO KEY UPDATE",
        [
            shift.run.into(),
            shift.lease.into(),
            ids.into(),
            from.into(),
        ],
    )
    .await?;
    if held.len() == tenants.len() {
        Ok(())
    } else {
        Err(Cut::Lost)
    }
}

/// Entries, histories and places, in one statement.
async fn record(
    tx: &DatabaseTransaction,
    shift: &Shift,
    segment: &Segment,
    from: &str,
    tenants: &[Claimed],
) -> Result<(), DbErr> {
    let ids: Vec<Uuid> = tenants.iter().map(|one| one.id).collect();
    let events: Vec<Uuid> = tenants.iter().map(|_| Uuid::now_v7()).collect();
    let detail = json!({ "from": from, "to": segment.to, "run": shift.run });
    run(
        tx,
        "WITH moved AS (
             UPDATE platform.tenant SET schema_version = $4, updated_at = $5
             WHERE id = ANY ($3::uuid[])
         ), told AS (
             INSERT INTO platform.tenant_event (id, tenant_id, kind, actor, detail, at)
             SELECT e.event, e.tenant, 'migrated', $7, $8, $5
             FROM unnest($6::uuid[], $3::uuid[]) e (event, tenant)
         )
         UPDATE platform.migration_run_tenant SET reached = $4
         WHERE run_id = $1 AND lease = $2 AND tenant_id = ANY ($3::uuid[])",
        [
            shift.run.into(),
            shift.lease.into(),
            ids.into(),
            segment.to.as_str().into(),
            now().into(),
            events.into(),
            shift.actor.as_ref().into(),
            detail.into(),
        ],
    )
    .await?;
    Ok(())
}

/// Where schemas of another node stand by their own histories: there the schema commits before
/// the directory does, and a cut between the two leaves the directory behind.
pub(super) async fn versions_there<P: Product>(
    inner: &Inner<P>,
    shift: &Shift,
    ledger: &str,
    tenants: &[Claimed],
) -> Result<HashMap<Uuid, String>, DbErr> {
    let tx = begin(&inner.db, shift.limits()).await?;
    let outcome = async {
        let node = shift.site.begin(&tx, shift.limits()).await?;
        let found = read_ledgers(&node, ledger, tenants).await;
        node.finish(found).await
    };
    let outcome = outcome.await;
    finish(tx, outcome).await
}

async fn read_ledgers(
    tx: &DatabaseTransaction,
    ledger: &str,
    tenants: &[Claimed],
) -> Result<HashMap<Uuid, String>, DbErr> {
    let ledger = ledger.replace('"', "\"\"");
    let mut found = HashMap::new();
    for tenant in tenants {
        let sql = format!(
            "SELECT max(version) AS version FROM {}.\"{ledger}\"",
            tenant.schema
        );
        if let Some(row) = one(tx, &sql, []).await?
            && let Some(version) = row.try_get::<Option<String>>("", "version")?
        {
            found.insert(tenant.id, version);
        }
    }
    Ok(found)
}

/// Corrects the directory where a schema of another node has gone ahead of it.
pub(super) async fn correct<P: Product>(
    inner: &Arc<Inner<P>>,
    shift: &Shift,
    version: &str,
    tenant: &Claimed,
) -> Result<(), Cut> {
    let segment = Segment {
        to: version.to_owned(),
        work: Work::Message(vec![]),
        ledger: vec![],
    };
    let (inner, shift, tenant) = (Arc::clone(inner), shift.clone(), tenant.clone());
    to_the_end(async move {
        let tx = begin(&inner.db, shift.limits()).await?;
        let outcome = async {
            act_as_owner(&tx).await?;
            let tenants = std::slice::from_ref(&tenant);
            hold(&tx, &shift, &tenant.version, tenants).await?;
            record(&tx, &shift, &segment, &tenant.version, tenants).await?;
            Ok(())
        };
        let outcome = outcome.await;
        finish(tx, outcome).await
    })
    .await
}

/// Which statement it was that failed: all are taken again one by one, and undone.
pub(super) async fn find_statement<P: Product>(
    inner: &Inner<P>,
    shift: &Shift,
    segment: &Segment,
    schema: &SchemaName,
) -> Option<String> {
    let Work::Message(statements) = &segment.work else {
        return None;
    };
    let tx = begin(&inner.db, shift.limits()).await.ok()?;
    let found = async {
        act_as_owner(&tx).await.ok()?;
        let node = shift.site.begin(&tx, shift.limits()).await.ok()?;
        let mut failed = None;
        if enter(&node, schema).await.is_ok() {
            for statement in statements.iter().chain(&segment.ledger) {
                if let Err(error) = node.execute_unprepared(statement).await {
                    // Only the database's own refusal says anything about a statement.
                    failed = db_error::sqlstate(&error).map(|_| statement.clone());
                    break;
                }
            }
        }
        node.rollback().await;
        failed
    };
    let found = found.await;
    if let Err(error) = tx.rollback().await {
        tracing::debug!(error = %error, "could not roll back, the connection is gone");
    }
    found
}
