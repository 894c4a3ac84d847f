//! The end of a tenant's turn: proven, quarantined, tried again later, or failed.

use std::collections::BTreeMap;

use sea_orm::{ActiveEnum as _, DatabaseTransaction, DbErr};
use serde_json::{Value, json};
use uuid::Uuid;

use super::apply::Shift;
use super::claim::Claimed;
use super::course::Reference;
use super::{PlaceState, RunError};
use crate::fingerprint::{self, Difference};
use crate::query::{all, one, run};
use crate::transaction::{begin, finish};
use crate::{Inner, Product, db_error};

/// Whoever is put off goes behind everybody whose turn has not come yet.
const BEHIND_ALL: i32 = 1_000_000;

/// How a turn ended.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) tenant: Claimed,
    pub(super) state: PlaceState,
    pub(super) error: Option<Value>,
}

/// Compares the structure of tenants with that of their version. Those that differ are returned
/// with the difference.
pub(super) async fn prove<P: Product>(
    inner: &Inner<P>,
    shift: &Shift,
    reference: &Reference,
    tenants: Vec<Claimed>,
) -> Result<Vec<Verdict>, RunError> {
    let schemas: Vec<_> = tenants.iter().map(|one| one.schema.clone()).collect();
    let there = shift.site.database(&inner.db);
    let tx = begin(there, shift.limits()).await?;
    let marks = fingerprint::marks_in(&tx, &schemas).await;
    let marks = finish(tx, marks).await?;
    let mut verdicts = vec![];
    for tenant in tenants {
        let mark = marks.get(tenant.schema.as_str()).copied();
        let difference = match mark {
            Some(mark) if reference.knows(mark) => None,
            _ => {
                let tx = begin(there, shift.limits()).await?;
                let shape = fingerprint::shape(&tx, &tenant.schema).await;
                reference.compare(&finish(tx, shape).await?, mark)
            }
        };
        verdicts.push(match difference {
            None => Verdict {
                tenant,
                state: PlaceState::Done,
                error: None,
            },
            Some(difference) => Verdict {
                tenant,
                state: PlaceState::Quarantined,
                error: Some(explain_difference(&difference)),
            },
        });
    }
    Ok(verdicts)
}

pub(crate) fn explain_difference(difference: &Difference) -> Value {
    json!({
        "message": "its structure is not that of its version",
        "difference": difference.to_json(),
        "hint": "somebody has changed it by hand: mend it, then tubex runs retry",
    })
}

/// Writes how turns ended. Those that are no longer ours are left to whoever has them.
pub(super) async fn settle<P: Product>(
    inner: &Inner<P>,
    shift: &Shift,
    verdicts: &[Verdict],
) -> Result<(), RunError> {
    let ids: Vec<Uuid> = verdicts.iter().map(|one| one.tenant.id).collect();
    let states: Vec<String> = verdicts.iter().map(|one| one.state.to_value()).collect();
    let errors: Vec<String> = verdicts
        .iter()
        .map(|one| {
            one.error
                .as_ref()
                .map_or_else(String::new, Value::to_string)
        })
        .collect();
    let has_trouble = verdicts.iter().any(|one| one.state != PlaceState::Done);
    let tx = begin(&inner.db, shift.limits()).await?;
    let outcome = async {
        run(
            &tx,
            "UPDATE platform.migration_run_tenant m
             SET state = d.state, error = nullif(d.error, '')::jsonb, lease = NULL,
                 lease_until = NULL, finished_at = now()
             FROM unnest($3::uuid[], $4::text[], $5::text[]) d (id, state, error)
             WHERE m.run_id = $1 AND m.lease = $2 AND m.tenant_id = d.id",
            [
                shift.run.into(),
                shift.lease.into(),
                ids.into(),
                states.into(),
                errors.into(),
            ],
        )
        .await?;
        note_drift(&tx, verdicts).await?;
        if has_trouble {
            halt_if_too_many(&tx, shift).await?;
        }
        Ok(())
    };
    let outcome = outcome.await;
    finish(tx, outcome).await
}

/// What is known of each schema follows what was just seen.
async fn note_drift(tx: &DatabaseTransaction, verdicts: &[Verdict]) -> Result<(), DbErr> {
    let mut drifted = BTreeMap::new();
    let mut proven: Vec<Uuid> = vec![];
    for verdict in verdicts {
        match (&verdict.state, &verdict.error) {
            (PlaceState::Quarantined, Some(error)) => {
                drifted.insert(verdict.tenant.id, error["difference"].to_string());
            }
            (PlaceState::Done, _) => proven.push(verdict.tenant.id),
            _ => {}
        }
    }
    if !drifted.is_empty() {
        let (ids, differences): (Vec<Uuid>, Vec<String>) = drifted.into_iter().unzip();
        run(
            tx,
            "INSERT INTO platform.tenant_vitals (tenant_id, drift, examined_at)
             SELECT d.id, d.difference::jsonb, now()
             FROM unnest($1::uuid[], $2::text[]) d (id, difference)
             ON CONFLICT (tenant_id) DO UPDATE
                 SET drift = excluded.drift, examined_at = excluded.examined_at",
            [ids.into(), differences.into()],
        )
        .await?;
    }
    run(
        tx,
        "UPDATE platform.tenant_vitals SET drift = NULL, examined_at = now()
         WHERE tenant_id = ANY ($1::uuid[]) AND drift IS NOT NULL",
        [proven.into()],
    )
    .await?;
    Ok(())
}

/// Stops the run when more have failed than may.
async fn halt_if_too_many(tx: &DatabaseTransaction, shift: &Shift) -> Result<(), DbErr> {
    // Held first and counted then, so that two who fail at once see each other.
    one(
        tx,
        "SELECT 1 AS yes FROM platform.migration_run WHERE id = $1 FOR NO KEY UPDATE",
        [shift.run.into()],
    )
    .await?;
    let rows = all(
        tx,
        "SELECT count(*) FILTER (WHERE state IN ('failed', 'quarantined')) AS failed,
             count(*) AS everybody
         FROM platform.migration_run_tenant WHERE run_id = $1",
        [shift.run.into()],
    )
    .await?;
    let Some(row) = rows.first() else {
        return Ok(());
    };
    let (failed, everybody): (i64, i64) =
        (row.try_get("", "failed")?, row.try_get("", "everybody")?);
    let most = shift.options.max_failures;
    if most.is_exceeded(failed, everybody) {
        let reason = format!("{failed} of {everybody} failed, and {most} may");
        tracing::error!(run.id = %shift.run, reason, "a run has halted");
        run(
            tx,
            "UPDATE platform.migration_run SET state = 'halted', reason = $2, updated_at = now()
             WHERE id = $1 AND state = 'running'",
            [shift.run.into(), reason.into()],
        )
        .await?;
    }
    Ok(())
}

/// Puts a tenant's turn off, later each time, and never at the same moment as its fellows'.
pub(super) async fn put_off<P: Product>(
    inner: &Inner<P>,
    shift: &Shift,
    tenant: &Claimed,
    error: &Value,
    was_lock: bool,
) -> Result<(), RunError> {
    run(
        &inner.db,
        "UPDATE platform.migration_run_tenant
         SET state = 'pending', lease = NULL, lease_until = NULL, error = $4,
             lock_waits = lock_waits + $5, position = position + $6,
             not_before = now() + make_interval(secs =>
                 least(10, 0.2 * power(2, least(attempts, 10) - 1)) * (0.5 + random()))
         WHERE run_id = $1 AND lease = $2 AND tenant_id = $3",
        [
            shift.run.into(),
            shift.lease.into(),
            tenant.id.into(),
            error.clone().into(),
            i32::from(was_lock).into(),
            BEHIND_ALL.into(),
        ],
    )
    .await?;
    Ok(())
}

/// What went wrong, for people: what the database said, where, and what to do.
pub(crate) fn explain(error: &DbErr, statement: Option<String>) -> Value {
    json!({
        "sqlstate": db_error::sqlstate(error),
        "message": db_error::describe(error),
        "statement": statement,
        "hint": hint(error),
    })
}

fn hint(error: &DbErr) -> &'static str {
    match db_error::sqlstate(error).as_deref() {
        Some("55P03" | "40P01") => {
            "its tables were in use the whole time: see who holds them in pg_stat_activity, then \
             tubex runs retry"
        }
        Some("57014") => {
            "a statement took longer than it may: look at the table's size, or allow more with \
             --statement-timeout"
        }
        Some("23505") => {
            "the same row or name is there already: the schema was changed by hand, or its data \
             breaks a new rule; mend it, then tubex runs retry"
        }
        Some("42P07" | "42701" | "42710") => {
            "what the migration makes is there already: the schema was changed by hand; mend it, \
             then tubex runs retry"
        }
        Some("42P01" | "42703" | "42704") => {
            "what the migration changes is not there: the schema was changed by hand; mend it, \
             then tubex runs retry"
        }
        Some("23502" | "23514" | "23503") => {
            "its data breaks a new rule: mend the rows, then tubex runs retry"
        }
        Some("53100") => "the disk is full: make room, then tubex runs retry",
        Some("53300") => "the database has no connection left: try again later",
        Some("42501") => "run it as the role that owns the platform",
        Some(_) => "mend the cause, then tubex runs retry; or leave it out with tubex runs skip",
        None => "the connection was lost: tubex runs retry",
    }
}
