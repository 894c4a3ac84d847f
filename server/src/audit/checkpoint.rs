//! Notes how far a dealer's trail has come, where the dealer's role can't reach.

use ::entity::platform::audit_checkpoint::{ActiveModel, Column, Entity};
use ::entity::tenant::audit_head;
use provisioner::Mark;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DbErr, EntityTrait};
use secrecy::SecretString;
use time::OffsetDateTime;

use crate::db::{PlatformDb, TenantDb};

/// Makes a note of the newest record, unless there is one. Says whether it did.
///
/// # Errors
///
/// When the database refuses.
pub async fn checkpoint(
    platform: &PlatformDb,
    db: &TenantDb,
    secret: &SecretString,
    now: OffsetDateTime,
) -> Result<bool, DbErr> {
    let head = db
        .read(async |tx| audit_head::Entity::find().one(tx).await)
        .await?;
    let Some(head) = head else {
        return Ok(false);
    };
    let mark = Mark {
        tenant_id: db.tenant().key().id(),
        seq: head.seq,
        hash: head.hash,
        at: now,
    };
    let note = ActiveModel {
        tenant_id: Set(mark.tenant_id),
        seq: Set(mark.seq),
        hash: Set(mark.hash.clone()),
        at: Set(mark.at),
        mac: Set(mark.mac(secret)),
    };
    let is_there = OnConflict::columns([Column::TenantId, Column::Seq])
        .do_nothing()
        .to_owned();
    let made = platform.write(async |tx| {
        Entity::insert(note)
            .on_conflict(is_there)
            .exec_without_returning(tx)
            .await
    });
    Ok(made.await? > 0)
}
