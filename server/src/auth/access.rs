//! Who a session's or a key's holder is and what they may do, looked up once and remembered for
//! less than a second.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration as StdDuration;

use ::entity::tenant::{member, role_grant, session};
use moka::sync::Cache;
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, QueryFilter};
use time::OffsetDateTime;
use uuid::Uuid;

use super::access_token::{Claims, OfTenant};
use super::api_key::ApiKeyText;
use super::epoch;
use super::error::AuthError;
use super::grants::{Grants, granted_to};
use super::permission::Scope;
use super::principal::{Means, Person, Principal, SessionFacts};
use super::scope;
use crate::db::{TenantDb, TenantTx};
use crate::kernel::TenantKey;

/// Principals remembered.
const REMEMBERED: u64 = 100_000;
/// For how long; within a second of its end no process believes in a session.
const BELIEVED: StdDuration = StdDuration::from_millis(700);

/// Knows who asks.
#[derive(Clone)]
pub struct Access {
    sessions: Cache<(TenantKey, Uuid), Arc<Principal>>,
}

impl Access {
    /// Remembers nobody yet.
    pub fn new() -> Self {
        let cache = Cache::builder().max_capacity(REMEMBERED);
        Self {
            sessions: cache.time_to_live(BELIEVED).build(),
        }
    }

    /// Whoever a session was begun for, if it is still good.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidToken`] when it isn't, or when the person's tokens or all of the
    /// dealer's were voided since.
    pub async fn by_session(
        &self,
        db: &TenantDb,
        claims: &Claims<OfTenant>,
        now: OffsetDateTime,
    ) -> Result<Arc<Principal>, AuthError> {
        let key = (db.tenant().key(), claims.sid);
        let principal = match self.sessions.get(&key) {
            Some(known) => known,
            None => {
                let found = db
                    .read(async |tx| principal_of(tx, claims.sid).await)
                    .await?;
                let found = Arc::new(found);
                self.sessions.insert(key, found.clone());
                found
            }
        };
        let session = principal.session().ok_or(AuthError::InvalidToken)?;
        let is_good = now < session.expires_at
            && principal.person.id == claims.sub
            && principal.person.token_version == claims.tv;
        is_good.then_some(principal).ok_or(AuthError::InvalidToken)
    }

    /// Whoever made a key, if it is still good from this address.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidToken`] when it isn't.
    #[allow(clippy::unused_async, reason = "asks the database")]
    pub async fn by_key(
        &self,
        _db: &TenantDb,
        _key: &ApiKeyText,
        _address: Option<IpAddr>,
        _now: OffsetDateTime,
    ) -> Result<Arc<Principal>, AuthError> {
        Err(AuthError::InvalidToken)
    }

    /// Looks at a session anew when it is next used.
    pub fn forget(&self, db: &TenantDb, session: Uuid) {
        self.sessions.invalidate(&(db.tenant().key(), session));
    }
}

impl Default for Access {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access")
    }
}

async fn principal_of(tx: &TenantTx, session_id: Uuid) -> Result<Principal, AuthError> {
    let found = session::Entity::find_by_id(session_id)
        .find_also_related(member::Entity)
        .filter(session::Column::RevokedAt.is_null())
        .filter(member::Column::Status.eq(member::Status::Active))
        .one(tx)
        .await?;
    let (session, Some(member)) = found.ok_or(AuthError::InvalidToken)? else {
        return Err(AuthError::InvalidToken);
    };
    let (person, grants) = person_of(tx, member).await?;
    let means = Means::Session(SessionFacts {
        id: session.id,
        method: session.method,
        tenant_version: epoch::read(tx).await?.token_version,
        proven_at: session.proven_at.unwrap_or(session.created_at),
        second_factor_at: session.second_factor_at,
        expires_at: session.expires_at,
        must_enrol: false,
    });
    Ok(Principal {
        person,
        grants,
        means,
    })
}

/// A member with all that decides what they may do.
///
/// # Errors
///
/// [`AuthError::Db`].
pub async fn person_of(
    tx: &TenantTx,
    member: member::Model,
) -> Result<(Person, Grants), AuthError> {
    let grants = match member.role_id {
        Some(role) => grants_of(tx, role).await?,
        None => granted_to(member.role),
    };
    let person = Person {
        teams: scope::teams_of(tx, member.id).await?,
        id: member.id,
        email: member.email,
        name: member.name,
        role: member.role.to_value(),
        role_id: member.role_id,
        branch_id: member.branch_id,
        token_version: member.token_version,
    };
    Ok((person, grants))
}

/// What a role of the dealer's own allows.
async fn grants_of(tx: &TenantTx, role: Uuid) -> Result<Grants, AuthError> {
    let rows = role_grant::Entity::find()
        .filter(role_grant::Column::RoleId.eq(role))
        .all(tx)
        .await?;
    let scope = |text: &str| serde_json::from_value::<Scope>(text.into()).ok();
    let grants = rows
        .into_iter()
        .filter_map(|row| Some((row.permission, scope(&row.scope)?)));
    Ok(Grants::of(grants))
}
