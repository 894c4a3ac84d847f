//! Use cases of sessions.

use ::entity::tenant::{member, session};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::SessionError;
use crate::auth::scope::{reached, reaches};
use crate::auth::{Person, Scope, end_session, epoch};
use crate::db::TenantTx;
use crate::kernel::{Cursor, Page};

/// The sessions of a member that are still good, the newest first.
pub(super) async fn list(
    tx: &TenantTx,
    member: Uuid,
    (limit, cursor): (u64, Option<Cursor>),
    now: OffsetDateTime,
) -> Result<Page<session::Model>, SessionError> {
    let mut query = living(now)
        .filter(session::Column::MemberId.eq(member))
        .order_by_desc(session::Column::Id)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(session::Column::Id.lt(cursor.key::<Uuid>()?));
    }
    let rows = query.all(tx).await?;
    Ok(Page::of(rows, limit, |session| session.id))
}

/// Ends one session of a member.
pub(super) async fn end_one(
    tx: &TenantTx,
    member: Uuid,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<(), SessionError> {
    let found = living(now)
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::MemberId.eq(member))
        .one(tx)
        .await?;
    found.ok_or(SessionError::NotFound)?;
    Ok(end_session(tx, id, "revoked", now).await?)
}

/// Refuses a member who is not there, or whom a permission does not reach.
pub(super) async fn in_reach(
    tx: &TenantTx,
    person: &Person,
    scope: Scope,
    target: Uuid,
) -> Result<(), SessionError> {
    let found = member::Entity::find_by_id(target).one(tx).await?;
    let member = found.ok_or(SessionError::MemberNotFound)?;
    let is_reached = reaches(scope, person, &reached(tx, &member).await?);
    is_reached.then_some(()).ok_or(SessionError::MemberNotFound)
}

/// What can't be taken back is done for whoever names the dealer.
pub(super) fn confirmed(word: &str, slug: &str) -> Result<(), SessionError> {
    (word == slug)
        .then_some(())
        .ok_or(SessionError::NotConfirmed)
}

/// Voids every token of the dealer and ends every session: everybody signs in again.
pub(super) async fn void_all(tx: &TenantTx, now: OffsetDateTime) -> Result<u64, SessionError> {
    let ended = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(now))
        .col_expr(session::Column::EndedBecause, Expr::value("all_voided"))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx)
        .await?
        .rows_affected;
    epoch::void_all_tokens(tx).await?;
    Ok(ended)
}

fn living(now: OffsetDateTime) -> Select<session::Entity> {
    session::Entity::find()
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(now))
}
