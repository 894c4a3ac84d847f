//! What is left of messages: where mail comes back, and the log, until it is swept out.

use ::entity::tenant::{mail, member};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, DbErr, EntityTrait, QueryFilter};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::TenantTx;
use crate::kernel::Email;

/// Marks whoever has an address: mail to it came back. Answers with who that is, unless nobody has it
/// or they were marked at that time or later.
///
/// # Errors
///
/// When the database refuses.
pub async fn comes_back(
    tx: &TenantTx,
    address: &Email,
    at: OffsetDateTime,
) -> Result<Option<Uuid>, DbErr> {
    let earlier = Condition::any()
        .add(member::Column::MailBouncedAt.is_null())
        .add(member::Column::MailBouncedAt.lt(at));
    let marked = member::Entity::update_many()
        .col_expr(member::Column::MailBouncedAt, Expr::value(at))
        .filter(member::Column::Email.eq(address.as_str()))
        .filter(earlier)
        .exec_with_returning(tx)
        .await?;
    Ok(marked.first().map(|member| member.id))
}

/// Takes the mark away: somebody has just read a message there.
///
/// # Errors
///
/// When the database refuses.
pub async fn reaches_again(tx: &TenantTx, address: &str) -> Result<(), DbErr> {
    member::Entity::update_many()
        .col_expr(
            member::Column::MailBouncedAt,
            Expr::value(Option::<OffsetDateTime>::None),
        )
        .filter(member::Column::Email.eq(address))
        .filter(member::Column::MailBouncedAt.is_not_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Sweeps out messages that were put down before a time. Answers how many.
///
/// # Errors
///
/// When the database refuses.
pub async fn sweep(tx: &TenantTx, before: OffsetDateTime) -> Result<u64, DbErr> {
    let swept = mail::Entity::delete_many()
        .filter(mail::Column::CreatedAt.lt(before))
        .exec(tx)
        .await?;
    Ok(swept.rows_affected)
}
