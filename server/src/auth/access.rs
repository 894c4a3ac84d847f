//! Who a session's or a key's holder is and what they may do, looked up once and remembered for as
//! long as the dealer's access epoch stands.

use std::sync::Arc;

use ::entity::tenant::{member, role_grant, session};
use sea_orm::{ActiveEnum, ColumnTrait, DbErr, EntityTrait, QueryFilter};
use time::OffsetDateTime;
use uuid::Uuid;

use super::claims::{Claims, OfTenant};
use super::epoch;
use super::epochs::Epochs;
use super::error::AuthError;
use super::grants::{Grants, granted_to};
use super::keys::{SentKey, load_key};
use super::permission::Scope;
use super::policy::must_enrol;
use super::principal::{Means, Person, Principal, SessionFacts};
use super::scope;
use super::settings::Settings;
use crate::cache::{Caches, Place, Remembered};
use crate::db::{TenantDb, TenantTx};

/// Principals remembered in this process, of each kind.
const REMEMBERED: u64 = 100_000;

/// Knows who asks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Access {
    epochs: Epochs,
    sessions: Remembered<Uuid, Principal>,
    keys: Remembered<Uuid, Principal>,
}

impl Access {
    /// Remembers nobody yet.
    pub fn new(caches: &Caches) -> Self {
        Self {
            epochs: Epochs::new(),
            sessions: Remembered::new(caches, "session", REMEMBERED),
            keys: Remembered::new(caches, "api_key", REMEMBERED),
        }
    }

    /// The dealers' settings, which stand on the same epochs.
    pub fn settings(&self, caches: &Caches) -> Settings {
        Settings::new(self.epochs.clone(), caches)
    }

    /// Whoever a session was begun for, if it is still good.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidToken`] when it isn't, or when the person's tokens or all of the
    /// dealer's were voided since. [`AuthError::Db`] when that can't be told.
    pub async fn by_session(
        &self,
        db: &TenantDb,
        claims: &Claims<OfTenant>,
        now: OffsetDateTime,
    ) -> Result<Arc<Principal>, AuthError> {
        let state = self.epochs.now(db).await?;
        if claims.of.ttv != state.token_version {
            return Err(AuthError::InvalidToken);
        }
        let place = Place {
            tenant: db.tenant().key(),
            epoch: state.epoch,
        };
        let load = db.read(async |tx| principal_of(tx, claims.sid).await);
        let found = self.sessions.get(place, claims.sid, load).await?;
        let principal = found.ok_or(AuthError::InvalidToken)?;
        let session = principal.session().ok_or(AuthError::InvalidToken)?;
        let is_good = now < session.expires_at
            && session.id == claims.sid
            && principal.person.id == claims.sub
            && principal.person.token_version == claims.tv;
        is_good.then_some(principal).ok_or(AuthError::InvalidToken)
    }

    /// Whoever made a key, if it is still good from where it was sent.
    ///
    /// # Errors
    ///
    /// [`AuthError::InvalidToken`] when it isn't.
    pub async fn by_key(
        &self,
        db: &TenantDb,
        sent: &SentKey,
        now: OffsetDateTime,
    ) -> Result<Arc<Principal>, AuthError> {
        let place = Place {
            tenant: db.tenant().key(),
            epoch: self.epochs.now(db).await?.epoch,
        };
        let load = db.read(async |tx| load_key(tx, sent.id).await);
        // What is remembered is who made it, and no more: whether the secret is right, and whether
        // it may be used now and from there, is looked at every time.
        let principal = self.keys.get(place, sent.id, load).await?;
        let opens = sent.opens(principal.as_deref(), now);
        let opened = principal.filter(|_| opens);
        opened.ok_or(AuthError::InvalidToken)
    }

    /// Looks at everything of a dealer anew when it is next asked for here; other processes do so
    /// within a second.
    pub fn forget(&self, db: &TenantDb) {
        self.epochs.forget(db.tenant().key());
    }
}

async fn principal_of(tx: &TenantTx, session_id: Uuid) -> Result<Option<Principal>, DbErr> {
    let found = session::Entity::find_by_id(session_id)
        .find_also_related(member::Entity)
        .filter(session::Column::RevokedAt.is_null())
        .filter(member::Column::Status.eq(member::Status::Active))
        .one(tx)
        .await?;
    let Some((session, Some(member))) = found else {
        return Ok(None);
    };
    let must_enrol = must_enrol(tx, &member, &session.method).await?;
    let (person, grants) = person_of(tx, member).await?;
    let means = Means::Session(SessionFacts {
        id: session.id,
        method: session.method,
        tenant_version: epoch::read(tx).await?.token_version,
        proven_at: session.proven_at.unwrap_or(session.created_at),
        second_factor_at: session.second_factor_at,
        // The idle end moves with every refresh, and no access token outlives it; this one doesn't.
        expires_at: session.ends_at.unwrap_or(session.expires_at),
        must_enrol,
    });
    Ok(Some(Principal {
        person,
        grants,
        means,
    }))
}

/// A member with all that decides what they may do.
///
/// # Errors
///
/// When the database refuses.
pub async fn person_of(tx: &TenantTx, member: member::Model) -> Result<(Person, Grants), DbErr> {
    let grants = match member.role_id {
        Some(role) => role_grants(tx, role).await?,
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
///
/// # Errors
///
/// [`AuthError::Db`].
pub async fn role_grants(tx: &TenantTx, role: Uuid) -> Result<Grants, DbErr> {
    let rows = role_grant::Entity::find()
        .filter(role_grant::Column::RoleId.eq(role))
        .all(tx)
        .await?;
    let grants = rows
        .into_iter()
        .filter_map(|row| Some((row.permission, Scope::named(&row.scope)?)));
    Ok(Grants::of(grants))
}
