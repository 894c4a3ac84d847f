//! What an API key opens: looked up anew whenever something may have changed, and never more than
//! whoever made it may do at that moment.

use std::net::IpAddr;

use ::entity::tenant::{api_key, member};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use time::OffsetDateTime;
use uuid::Uuid;

use super::access::person_of;
use super::api_key::{ApiKeyText, is_same};
use super::grants::Grants;
use super::permission::{Scope, entry};
use super::principal::{KeyFacts, Means, Principal};
use crate::db::TenantTx;
use crate::kernel::Sealer;

/// A key that somebody sent.
#[derive(Debug, Clone)]
pub struct SentKey {
    /// Which one it claims to be.
    pub id: Uuid,
    hash: Vec<u8>,
    address: Option<IpAddr>,
}

impl SentKey {
    /// The key, and where it was sent from.
    pub fn new(text: &ApiKeyText, sealer: &Sealer, address: Option<IpAddr>) -> Self {
        Self {
            id: text.id,
            hash: text.hash(sealer),
            address,
        }
    }

    /// Whether it is the very key of this principal, still good and sent from where it may be. A
    /// key that nobody has costs the same.
    pub(super) fn opens(&self, principal: Option<&Principal>, now: OffsetDateTime) -> bool {
        let facts = principal.and_then(|principal| match &principal.means {
            Means::ApiKey(facts) => Some(facts),
            Means::Session(_) => None,
        });
        let nobodys = vec![0; self.hash.len()];
        let kept = facts.map_or(&nobodys, |facts| &facts.secret_hash);
        let is_the_key = is_same(&self.hash, kept);
        facts.is_some_and(|facts| is_the_key && is_good(facts, self.address, now))
    }
}

/// The principal of a key, if it is there, not revoked, and its maker may still sign in. Whether it
/// has expired is for the moment it is used.
///
/// # Errors
///
/// When the database refuses.
pub async fn load_key(tx: &TenantTx, id: Uuid) -> Result<Option<Principal>, DbErr> {
    let key = api_key::Entity::find_by_id(id)
        .filter(api_key::Column::RevokedAt.is_null())
        .one(tx)
        .await?;
    let Some(key) = key else {
        return Ok(None);
    };
    let maker = member::Entity::find_by_id(key.member_id)
        .filter(member::Column::Status.eq(member::Status::Active))
        .one(tx)
        .await?;
    let Some(maker) = maker else {
        return Ok(None);
    };
    let (person, held) = person_of(tx, maker).await?;
    // A list that can't be read must not become an empty one, which would mean any address.
    let addresses = key.addresses.iter().map(|text| text.parse());
    let Ok(addresses) = addresses.collect() else {
        return Ok(None);
    };
    let facts = KeyFacts {
        id: key.id,
        secret_hash: key.secret_hash,
        addresses,
        per_minute: key.per_minute.and_then(|limit| u32::try_from(limit).ok()),
        expires_at: key.expires_at,
    };
    Ok(Some(Principal {
        grants: for_machines(&key.permissions).within(&held),
        person,
        means: Means::ApiKey(facts),
    }))
}

/// What a key is given by these names: nothing that is for people only, whatever stands in its row.
fn for_machines(names: &[String]) -> Grants {
    let known = names.iter().filter(|name| {
        let entry = entry(name);
        entry.is_some_and(|entry| entry.is_for_machines())
    });
    Grants::of(known.map(|name| (name, Scope::All)))
}

fn is_good(facts: &KeyFacts, address: Option<IpAddr>, now: OffsetDateTime) -> bool {
    let is_over = facts.expires_at.is_some_and(|end| end <= now);
    let may_come_from_there = facts.addresses.is_empty()
        || address.is_some_and(|address| {
            let address = address.to_canonical();
            facts
                .addresses
                .iter()
                .any(|network| network.contains(&address))
        });
    !is_over && may_come_from_there
}
