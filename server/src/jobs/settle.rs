//! What becomes of jobs after an attempt. Nothing here touches a job that somebody else has by now.

use std::time::Duration;

use sea_orm::sea_query::ArrayType;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};
use uuid::Uuid;

use super::aftermath::{DISCARD, followed};
use crate::db::Ledger;

/// Errors that are kept with a job, the last ones.
const ERRORS: i32 = 20;
/// Longest error that is kept, characters.
const LONGEST: usize = 2000;
/// How an error is kept after which it may go well another time.
const RETRY: &str = "retry";

/// One claim of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Claim {
    pub id: Uuid,
    pub fence: i64,
}

/// Ends jobs that were done and had nothing to commit.
pub(super) async fn done(ledger: &Ledger, claims: &[Claim]) -> Result<(), DbErr> {
    let sql = "WITH mine AS (
            SELECT j.id, j.keep_seconds FROM jobs.job j
            JOIN unnest($1::uuid[], $2::bigint[]) AS mine (id, fence)
                ON j.id = mine.id AND j.fence = mine.fence
            WHERE j.state = 'running' FOR UPDATE OF j
        ), kept AS (
            UPDATE jobs.job j SET state = 'done', ended_at = clock_timestamp(), worker = NULL,
                lease_until = NULL
            FROM mine WHERE j.id = mine.id AND mine.keep_seconds > 0
        )
        DELETE FROM jobs.job j USING mine WHERE j.id = mine.id AND mine.keep_seconds = 0";
    write(ledger, sql.to_owned(), arrays(claims)).await
}

/// Lets a job wait, with the error that made it.
pub(super) async fn retry(
    ledger: &Ledger,
    claim: Claim,
    cause: &str,
    wait: Duration,
) -> Result<(), DbErr> {
    let sql = format!(
        "UPDATE jobs.job j SET state = 'scheduled', worker = NULL, lease_until = NULL,
            run_at = clock_timestamp() + $6 * interval '1 ms', errors = {WITH_ERROR}
        WHERE {OURS}"
    );
    let mut values = with_error(claim, cause, RETRY);
    values.push(millis(wait).into());
    write(ledger, sql, values).await
}

/// Why a job is made a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has had its attempts.
    TriedOut,
    /// It can't go well.
    Refused,
}

/// Makes a dead letter of a job, and hands over what is left to do.
pub(super) async fn bury(
    ledger: &Ledger,
    claim: Claim,
    fate: Fate,
    cause: &str,
) -> Result<(), DbErr> {
    let sql = format!(
        "UPDATE jobs.job j SET state = 'dead', worker = NULL, lease_until = NULL,
            ended_at = clock_timestamp(), errors = {WITH_ERROR}
        WHERE {OURS}"
    );
    let class = match fate {
        Fate::TriedOut => RETRY,
        Fate::Refused => DISCARD,
    };
    write(ledger, followed(&sql), with_error(claim, cause, class)).await
}

/// Lets a job wait without counting the attempt: it was not its fault.
pub(super) async fn put_back(ledger: &Ledger, claim: Claim, wait: Duration) -> Result<(), DbErr> {
    let sql = format!(
        "UPDATE jobs.job j SET worker = NULL, lease_until = NULL,
            state = CASE WHEN $3 > 0 THEN 'scheduled' ELSE 'ready' END,
            run_at = clock_timestamp() + $3 * interval '1 ms',
            attempt = greatest(0, j.attempt - 1)
        WHERE {OURS}"
    );
    let values = vec![claim.id.into(), claim.fence.into(), millis(wait).into()];
    write(ledger, sql, values).await
}

/// Extends the leases of what is under way. Answers with the claims that are no longer ours; one
/// whose row is being committed right now is still ours.
pub(super) async fn extend(
    ledger: &Ledger,
    claims: &[Claim],
    lease: Duration,
) -> Result<Vec<Uuid>, DbErr> {
    let sql = "WITH mine AS (
            SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS mine (id, fence)
        ), free AS (
            SELECT j.id FROM jobs.job j JOIN mine ON j.id = mine.id AND j.fence = mine.fence
            WHERE j.state = 'running' AND j.lease_until > clock_timestamp()
            FOR NO KEY UPDATE OF j SKIP LOCKED
        ), extended AS (
            UPDATE jobs.job j SET lease_until = clock_timestamp() + $3 * interval '1 ms'
            FROM free WHERE j.id = free.id
        )
        SELECT mine.id FROM mine WHERE NOT EXISTS (SELECT FROM jobs.job j
            WHERE j.id = mine.id AND j.fence = mine.fence AND j.state = 'running'
                AND j.lease_until > clock_timestamp())";
    let mut values = arrays(claims);
    values.push(millis(lease).into());
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let rows = ledger
        .write(async |tx| tx.query_all_raw(statement).await)
        .await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}

/// The job, as long as this claim is its newest.
const OURS: &str = "j.id = $1 AND j.fence = $2 AND j.state = 'running'";

/// The errors of a job with one more.
const WITH_ERROR: &str = "CASE WHEN jsonb_array_length(j.errors) >= $5 THEN j.errors - 0
        ELSE j.errors END || jsonb_build_array(jsonb_build_object('at', clock_timestamp(),
        'attempt', j.attempt, 'error', $3::text, 'class', $4::text, 'worker', j.worker))";

fn with_error(claim: Claim, cause: &str, class: &str) -> Vec<Value> {
    vec![
        claim.id.into(),
        claim.fence.into(),
        shortened(cause).into(),
        class.into(),
        ERRORS.into(),
    ]
}

async fn write(ledger: &Ledger, sql: String, values: Vec<Value>) -> Result<(), DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    ledger
        .write(async |tx| tx.execute_raw(statement).await.map(drop))
        .await
}

fn shortened(cause: &str) -> String {
    // The database takes every character but this one.
    cause.chars().filter(|c| *c != '\0').take(LONGEST).collect()
}

fn arrays(claims: &[Claim]) -> Vec<Value> {
    let ids = claims.iter().map(|claim| claim.id.into()).collect();
    let fences = claims.iter().map(|claim| claim.fence.into()).collect();
    vec![
        Value::Array(ArrayType::Uuid, Some(Box::new(ids))),
        Value::Array(ArrayType::BigInt, Some(Box::new(fences))),
    ]
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}
