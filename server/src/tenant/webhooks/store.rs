//! Queries of webhooks.

use ::entity::tenant::webhook_endpoint::Reason;
use ::entity::tenant::{webhook_attempt, webhook_delivery, webhook_endpoint, webhook_secret};
use sea_orm::{
    ActiveEnum, ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait,
    QueryFilter, QueryOrder, QuerySelect, Statement, Value,
};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::db::{TenantTx, Wake};
use crate::events::Deliver;
use crate::jobs::Job;

/// Most deliveries that are sent anew by one request.
const AGAIN: i64 = 10_000;

/// Which deliveries are wanted.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub endpoint: Option<Uuid>,
    pub state: Option<webhook_delivery::State>,
    pub event_type: Option<String>,
}

pub(super) async fn endpoint(
    tx: &TenantTx,
    id: Uuid,
) -> Result<Option<webhook_endpoint::Model>, DbErr> {
    webhook_endpoint::Entity::find_by_id(id).one(tx).await
}

pub(super) async fn endpoint_locked(
    tx: &TenantTx,
    id: Uuid,
) -> Result<Option<webhook_endpoint::Model>, DbErr> {
    let found = webhook_endpoint::Entity::find_by_id(id).lock_exclusive();
    found.one(tx).await
}

/// Waits for whoever else adds an endpoint of this dealer, until the transaction ends.
pub(super) async fn take_turn(tx: &TenantTx) -> Result<(), DbErr> {
    let sql = "SELECT pg_advisory_xact_lock(
        hashtextextended('webhook endpoints ' || current_setting('role'), 0))";
    tx.execute_raw(statement(sql, [])).await.map(drop)
}

/// The secrets of an endpoint that are good at a time, the newest first.
pub(super) async fn secrets(
    tx: &TenantTx,
    endpoint: Uuid,
    now: OffsetDateTime,
) -> Result<Vec<webhook_secret::Model>, DbErr> {
    let expires = webhook_secret::Column::ExpiresAt;
    webhook_secret::Entity::find()
        .filter(webhook_secret::Column::EndpointId.eq(endpoint))
        .filter(Condition::any().add(expires.is_null()).add(expires.gt(now)))
        .order_by_desc(webhook_secret::Column::Id)
        .all(tx)
        .await
}

pub(super) async fn delivery(
    tx: &TenantTx,
    id: Uuid,
) -> Result<Option<webhook_delivery::Model>, DbErr> {
    webhook_delivery::Entity::find_by_id(id).one(tx).await
}

pub(super) async fn delivery_locked(
    tx: &TenantTx,
    id: Uuid,
) -> Result<Option<webhook_delivery::Model>, DbErr> {
    let found = webhook_delivery::Entity::find_by_id(id).lock_exclusive();
    found.one(tx).await
}

/// The newest first.
pub(super) async fn deliveries(
    tx: &TenantTx,
    filter: &Filter,
    before: Option<Uuid>,
    limit: u64,
) -> Result<Vec<webhook_delivery::Model>, DbErr> {
    use webhook_delivery::Column;
    let mut query = webhook_delivery::Entity::find().order_by_desc(Column::Id);
    if let Some(endpoint) = filter.endpoint {
        query = query.filter(Column::EndpointId.eq(endpoint));
    }
    if let Some(state) = filter.state {
        query = query.filter(Column::State.eq(state));
    }
    if let Some(event_type) = &filter.event_type {
        query = query.filter(Column::EventType.eq(event_type));
    }
    if let Some(before) = before {
        query = query.filter(Column::Id.lt(before));
    }
    query.limit(limit).all(tx).await
}

/// In their order.
pub(super) async fn attempts(
    tx: &TenantTx,
    delivery: Uuid,
) -> Result<Vec<webhook_attempt::Model>, DbErr> {
    webhook_attempt::Entity::find()
        .filter(webhook_attempt::Column::DeliveryId.eq(delivery))
        .order_by_asc(webhook_attempt::Column::Id)
        .all(tx)
        .await
}

/// What is known of an endpoint that fails.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failing {
    pub since: OffsetDateTime,
}

/// Notes that an endpoint failed, and how long it is to be left alone.
pub(super) async fn note_failure(
    tx: &TenantTx,
    endpoint: Uuid,
    pause: Option<Duration>,
    now: OffsetDateTime,
) -> Result<Option<Failing>, DbErr> {
    let sql = "UPDATE webhook_endpoint SET failing_since = coalesce(failing_since, $2),
            not_before = greatest(not_before, $3)
        WHERE id = $1 RETURNING failing_since";
    let until = pause.map(|pause| now + pause);
    let row = tx
        .query_one_raw(statement(sql, [endpoint.into(), now.into(), until.into()]))
        .await?;
    let since = row
        .map(|row| row.try_get("", "failing_since"))
        .transpose()?;
    Ok(since.map(|since| Failing { since }))
}

/// Forgets that an endpoint failed. Touches the row only if it did: many messages are delivered at
/// once, and none is to wait for another.
pub(super) async fn note_success(tx: &TenantTx, endpoint: Uuid) -> Result<(), DbErr> {
    let sql = "UPDATE webhook_endpoint SET failing_since = NULL, not_before = NULL
        WHERE id = $1 AND (failing_since IS NOT NULL OR not_before IS NOT NULL)";
    tx.execute_raw(statement(sql, [endpoint.into()]))
        .await
        .map(drop)
}

/// Stops to send. Answers whether anything was sent before.
pub(super) async fn disable(
    tx: &TenantTx,
    endpoint: Uuid,
    because: Reason,
    now: OffsetDateTime,
) -> Result<bool, DbErr> {
    let sql = "UPDATE webhook_endpoint SET is_enabled = false, disabled_because = $2,
            version = version + 1, updated_at = $3
        WHERE id = $1 AND is_enabled";
    let values = [endpoint.into(), because.to_value().into(), now.into()];
    let done = tx.execute_raw(statement(sql, values)).await?;
    Ok(done.rows_affected() == 1)
}

/// Has deliveries of an endpoint sent anew that failed since a time. Answers with how many.
pub(super) async fn send_failed_again(
    tx: &TenantTx,
    endpoint: Uuid,
    since: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<i64, DbErr> {
    let sql = "WITH again AS (
            UPDATE webhook_delivery SET state = 'pending', round = round + 1, attempts = 0,
                next_attempt_at = $3, ended_at = NULL
            WHERE id IN (SELECT id FROM webhook_delivery WHERE endpoint_id = $1
                AND state = 'failed' AND created_at >= $2 ORDER BY id LIMIT $4 FOR UPDATE)
            RETURNING id, round)
        SELECT count(shared.enqueue_job(gen_random_uuid(), $5, $6, $7, jsonb_build_object(
            'delivery', id, 'endpoint', $1, 'round', round), $8, 0, $9, 0, NULL, NULL, 0)) AS jobs
        FROM again";
    // After what happens just now.
    const PRIORITY: i16 = 6;
    let values = [
        endpoint.into(),
        since.into(),
        now.into(),
        AGAIN.into(),
        Deliver::QUEUE.as_str().into(),
        Deliver::KIND.into(),
        Deliver::VERSION.into(),
        PRIORITY.into(),
        Deliver::RETRY.attempts.into(),
    ];
    let row = tx.query_one_raw(statement(sql, values)).await?;
    tx.wake(Wake::Jobs);
    row.map_or(Ok(0), |row| row.try_get("", "jobs"))
}

/// Removes deliveries that were over before a time, and secrets that are good no more. Answers with
/// how many deliveries.
///
/// # Errors
///
/// When the database refuses.
pub async fn forget(
    tx: &TenantTx,
    before: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<u64, DbErr> {
    let secrets = "DELETE FROM webhook_secret WHERE expires_at <= $1";
    tx.execute_raw(statement(secrets, [now.into()])).await?;
    let sql = "DELETE FROM webhook_delivery WHERE state <> 'pending' AND ended_at < $1";
    let done = tx.execute_raw(statement(sql, [before.into()])).await?;
    Ok(done.rows_affected())
}

fn statement<const N: usize>(sql: &str, values: [Value; N]) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}
