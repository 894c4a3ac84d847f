//! Sessions end: by whoever should end them, for all processes within a second; and are swept out.

use ::entity::tenant::{refresh_token, session};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use time::OffsetDateTime;
use uuid::Uuid;

use super::epoch;
use super::error::AuthError;
use crate::db::TenantTx;

/// Ends a session, for all processes within a second.
///
/// # Errors
///
/// [`AuthError::Db`].
pub async fn end(
    tx: &TenantTx,
    id: Uuid,
    because: &str,
    now: OffsetDateTime,
) -> Result<(), AuthError> {
    session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .col_expr(session::Column::EndedBecause, Expr::value(because))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    epoch::bump(tx).await?;
    Ok(())
}

/// Ends all sessions of a member but, perhaps, the one that asks for it; for all processes within a
/// second. Answers with how many there were.
///
/// # Errors
///
/// [`AuthError::Db`].
pub async fn end_all(
    tx: &TenantTx,
    member: Uuid,
    but: Option<Uuid>,
    because: &str,
    now: OffsetDateTime,
) -> Result<u64, AuthError> {
    let mut ending = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .col_expr(session::Column::EndedBecause, Expr::value(because))
        .filter(session::Column::MemberId.eq(member))
        .filter(session::Column::RevokedAt.is_null());
    if let Some(spared) = but {
        ending = ending.filter(session::Column::Id.ne(spared));
    }
    let ended = ending.exec(tx).await?.rows_affected;
    epoch::bump(tx).await?;
    Ok(ended)
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepReport {
    /// Sessions that had ended before the given time.
    pub sessions: u64,
    /// Refresh tokens of living sessions that had expired.
    pub refresh_tokens: u64,
}

/// Removes sessions that ended before `before`, and refresh tokens that have expired. May run
/// any number of times.
///
/// # Errors
///
/// [`AuthError::Db`].
pub async fn sweep(
    tx: &TenantTx,
    before: OffsetDateTime,
    now: OffsetDateTime,
) -> Result<SweepReport, AuthError> {
    let ended = Condition::any()
        .add(session::Column::ExpiresAt.lt(before))
        .add(session::Column::RevokedAt.lt(before));
    let sessions = session::Entity::delete_many()
        .filter(ended)
        .exec(tx)
        .await?
        .rows_affected;
    let refresh_tokens = refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::ExpiresAt.lt(now))
        .exec(tx)
        .await?
        .rows_affected;
    Ok(SweepReport {
        sessions,
        refresh_tokens,
    })
}
