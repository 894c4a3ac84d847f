//! The history of a tenant: one line for each move of its life, in the transaction that made it.

use entity::platform::tenant_event;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait as _};
use time::OffsetDateTime;
use uuid::Uuid;

/// Writes a line. `detail` holds no secret and no personal data.
pub(crate) async fn record(
    tx: &impl ConnectionTrait,
    tenant_id: Uuid,
    kind: &str,
    actor: &str,
    detail: serde_json::Value,
    at: OffsetDateTime,
) -> Result<(), DbErr> {
    let event = tenant_event::ActiveModel {
        id: Set(Uuid::now_v7()),
        tenant_id: Set(tenant_id),
        kind: Set(kind.to_owned()),
        actor: Set(actor.to_owned()),
        detail: Set(detail),
        at: Set(at),
    };
    tenant_event::Entity::insert(event)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Now, in whole microseconds: what Postgres can keep, so that what we answer is what we stored.
#[expect(
    clippy::disallowed_methods,
    reason = "history is written with the real clock only"
)]
pub(crate) fn now() -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    now.replace_microsecond(now.microsecond())
        .expect("a moment's own microsecond is in range")
}
