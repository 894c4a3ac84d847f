//! Rows of second factors.

use ::entity::tenant::{recovery_code, totp_credential};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, Statement,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::TenantTx;

/// A member's app, confirmed or not.
pub(super) async fn find(
    tx: &TenantTx,
    member: Uuid,
) -> Result<Option<totp_credential::Model>, DbErr> {
    totp_credential::Entity::find_by_id(member).one(tx).await
}

/// Keeps a secret that waits for its first code, in place of another that does. Says whether it was
/// kept: one in use stays.
pub(super) async fn keep_waiting(
    tx: &TenantTx,
    member: Uuid,
    sealed: Vec<u8>,
    now: OffsetDateTime,
) -> Result<bool, DbErr> {
    let sql = "INSERT INTO totp_credential AS mine (member_id, sealed_secret, created_at)
        VALUES ($1, $2, $3)
        ON CONFLICT (member_id) DO UPDATE
        SET sealed_secret = EXCLUDED.sealed_secret, created_at = EXCLUDED.created_at, last_step = 0
        WHERE mine.confirmed_at IS NULL";
    let values = [member.into(), sealed.into(), now.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(tx.execute_raw(statement).await?.rows_affected() == 1)
}

/// Takes it into use. Says whether it waited for that.
pub(super) async fn confirm(
    tx: &TenantTx,
    member: Uuid,
    now: OffsetDateTime,
) -> Result<bool, DbErr> {
    let confirmed = totp_credential::Entity::update_many()
        .col_expr(totp_credential::Column::ConfirmedAt, Expr::value(now))
        .filter(totp_credential::Column::MemberId.eq(member))
        .filter(totp_credential::Column::ConfirmedAt.is_null())
        .exec(tx)
        .await?;
    Ok(confirmed.rows_affected == 1)
}

/// Takes a time step for good. Says whether it was new: of two at once only one gets it.
pub(super) async fn take_step(tx: &TenantTx, member: Uuid, step: i64) -> Result<bool, DbErr> {
    let taken = totp_credential::Entity::update_many()
        .col_expr(totp_credential::Column::LastStep, Expr::value(step))
        .filter(totp_credential::Column::MemberId.eq(member))
        .filter(totp_credential::Column::LastStep.lt(step))
        .exec(tx)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Uses up a recovery code. Says whether it was there and unused.
pub(super) async fn take_recovery_code(
    tx: &TenantTx,
    member: Uuid,
    hash: Vec<u8>,
    now: OffsetDateTime,
) -> Result<bool, DbErr> {
    let taken = recovery_code::Entity::update_many()
        .col_expr(recovery_code::Column::UsedAt, Expr::value(now))
        .filter(recovery_code::Column::Hash.eq(hash))
        .filter(recovery_code::Column::MemberId.eq(member))
        .filter(recovery_code::Column::UsedAt.is_null())
        .exec(tx)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Puts these in place of all recovery codes that a member had.
pub(super) async fn replace_recovery_codes(
    tx: &TenantTx,
    member: Uuid,
    hashes: Vec<Vec<u8>>,
) -> Result<(), DbErr> {
    remove_recovery_codes(tx, member).await?;
    let rows = hashes.into_iter().map(|hash| recovery_code::ActiveModel {
        hash: Set(hash),
        member_id: Set(member),
        used_at: Set(None),
    });
    recovery_code::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// How many recovery codes are still good.
pub(super) async fn recovery_codes_left(tx: &TenantTx, member: Uuid) -> Result<u64, DbErr> {
    recovery_code::Entity::find()
        .filter(recovery_code::Column::MemberId.eq(member))
        .filter(recovery_code::Column::UsedAt.is_null())
        .count(tx)
        .await
}

/// Removes all of a member's. Says whether one was in use.
pub(super) async fn remove(tx: &TenantTx, member: Uuid) -> Result<bool, DbErr> {
    let in_use = find(tx, member)
        .await?
        .is_some_and(|app| app.confirmed_at.is_some());
    remove_recovery_codes(tx, member).await?;
    totp_credential::Entity::delete_by_id(member)
        .exec(tx)
        .await?;
    Ok(in_use)
}

async fn remove_recovery_codes(tx: &TenantTx, member: Uuid) -> Result<(), DbErr> {
    recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::MemberId.eq(member))
        .exec(tx)
        .await?;
    Ok(())
}
