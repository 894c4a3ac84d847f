//! Where a person is a member: the platform's hint, which a dealer's own rows must confirm.

use ::entity::platform::membership::{ActiveModel, Column, Entity};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use time::OffsetDateTime;
use uuid::Uuid;

use super::platform::PlatformDb;
use crate::kernel::{Sealer, TenantKey};

/// More dealers than anybody works for.
const MOST: u64 = 100;

/// Knows at which dealers an address was seen. Addresses come as keyed digests.
#[derive(Debug, Clone)]
pub struct Memberships(PlatformDb);

impl Memberships {
    /// Kept in the platform's schema.
    pub fn new(platform: PlatformDb) -> Self {
        Self(platform)
    }

    /// What an address is known as here.
    pub fn digest(sealer: &Sealer, email: &str) -> Vec<u8> {
        sealer.digest("membership", email.as_bytes())
    }

    /// Remembers that an address has signed in with a dealer.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn remember(
        &self,
        email_digest: Vec<u8>,
        tenant: TenantKey,
        now: OffsetDateTime,
    ) -> Result<(), DbErr> {
        let seen = ActiveModel {
            email_digest: Set(email_digest),
            tenant_id: Set(tenant.id()),
            seen_at: Set(now),
        };
        let again = OnConflict::columns([Column::EmailDigest, Column::TenantId])
            .update_column(Column::SeenAt)
            .to_owned();
        self.0
            .write(async |tx| {
                Entity::insert(seen)
                    .on_conflict(again)
                    .exec_without_returning(tx)
                    .await?;
                Ok(())
            })
            .await
    }

    /// The dealers that an address has signed in with.
    ///
    /// # Errors
    ///
    /// When the database refuses.
    pub async fn of(&self, email_digest: &[u8]) -> Result<Vec<Uuid>, DbErr> {
        let digest = email_digest.to_vec();
        self.0
            .read(async |tx| {
                let seen = Entity::find()
                    .select_only()
                    .column(Column::TenantId)
                    .filter(Column::EmailDigest.eq(digest))
                    .limit(MOST);
                seen.into_tuple().all(tx).await
            })
            .await
    }
}
