//! Marks of how far a tenant's record of deeds had come: kept by the platform, and authenticated with
//! the secret of logins, which no database holds. Whoever may write to the platform's tables can
//! remove a mark, and make up none.

use entity::platform::audit_checkpoint::{Column, Entity};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sea_orm::{
    ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{Product, Provisioner};

/// How far a record had come at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Whose record.
    pub tenant_id: Uuid,
    /// The newest entry's number.
    pub seq: i64,
    /// The newest entry's hash, which stands for all before it.
    pub hash: Vec<u8>,
    /// When, UTC; microseconds count, as the database keeps them.
    pub at: OffsetDateTime,
}

/// A mark that the platform has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptMark {
    /// What it says.
    pub mark: Mark,
    /// Whether it was made by somebody who knows the secret.
    pub is_genuine: bool,
}

impl<P: Product> Provisioner<P> {
    /// The marks of a tenant with numbers above `after` and up to `last`, in order, at most `limit`.
    ///
    /// # Errors
    ///
    /// When the query fails.
    pub async fn marks(
        &self,
        tenant_id: Uuid,
        (after, last): (i64, i64),
        limit: u64,
    ) -> Result<Vec<KeptMark>, DbErr> {
        let rows = Entity::find()
            .filter(Column::TenantId.eq(tenant_id))
            .filter(Column::Seq.gt(after))
            .filter(Column::Seq.lte(last))
            .order_by_asc(Column::Seq)
            .limit(limit)
            .all(&self.inner.db)
            .await?;
        let kept = rows.into_iter().map(|row| {
            let mark = Mark {
                tenant_id: row.tenant_id,
                seq: row.seq,
                hash: row.hash,
                at: row.at,
            };
            let is_genuine = mark.is_genuine(&self.inner.secret, &row.mac);
            KeptMark { mark, is_genuine }
        });
        Ok(kept.collect())
    }

    /// The number of the newest mark of a tenant; 0 when it has none.
    ///
    /// # Errors
    ///
    /// When the query fails.
    pub async fn newest_mark(&self, tenant_id: Uuid) -> Result<i64, DbErr> {
        let newest = Entity::find()
            .filter(Column::TenantId.eq(tenant_id))
            .order_by_desc(Column::Seq)
            .one(&self.inner.db)
            .await?;
        Ok(newest.map_or(0, |row| row.seq))
    }
}

impl Mark {
    /// What authenticates it.
    pub fn mac(&self, secret: &SecretString) -> Vec<u8> {
        self.authenticated(secret).finalize().into_bytes().to_vec()
    }

    /// Whether this authenticates it. Takes the same time whatever differs.
    pub fn is_genuine(&self, secret: &SecretString, mac: &[u8]) -> bool {
        self.authenticated(secret).verify_slice(mac).is_ok()
    }

    fn authenticated(&self, secret: &SecretString) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(b"tubex mark\0");
        mac.update(self.tenant_id.as_bytes());
        mac.update(&self.seq.to_be_bytes());
        mac.update(&(self.at.unix_timestamp_nanos() / 1_000).to_be_bytes());
        mac.update(&self.hash);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_genuine_as_it_was_made_and_not_otherwise() {
        let secret = SecretString::from("0123456789abcdef0123456789abcdef");
        let mark = Mark {
            tenant_id: Uuid::from_u128(1),
            seq: 7,
            hash: vec![1; 32],
            at: OffsetDateTime::UNIX_EPOCH,
        };
        let mac = mark.mac(&secret);

        assert!(mark.is_genuine(&secret, &mac));
        assert!(!mark.is_genuine(&"another secret, as long as the other".into(), &mac));
        for other in [
            Mark {
                tenant_id: Uuid::from_u128(2),
                ..mark.clone()
            },
            Mark {
                seq: 8,
                ..mark.clone()
            },
            Mark {
                hash: vec![2; 32],
                ..mark.clone()
            },
            Mark {
                at: OffsetDateTime::UNIX_EPOCH + time::Duration::SECOND,
                ..mark.clone()
            },
        ] {
            assert!(!other.is_genuine(&secret, &mac), "{other:?}");
        }
    }
}
