//! Whom a provider's word makes somebody to the dealer.

use ::entity::tenant::member;
use ::entity::tenant::sso_connection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::SsoError;
use super::store;
use crate::auth::domain_of;
use crate::db::TenantTx;
use crate::idp::Identity;

/// Somebody who may come in.
#[derive(Debug)]
pub(super) struct Entrant {
    pub(super) member: member::Model,
    /// They are a member since just now.
    pub(super) is_new: bool,
}

/// Finds the member whom a provider vouches for: by its subject, else by their address, else they
/// become one if the dealer wants that, under `id`.
///
/// # Errors
///
/// [`SsoError::Refused`] for addresses that the provider has not seen, or can't speak for, for
/// disabled members, and for strangers where nobody becomes a member by signing in;
/// [`SsoError::Overtaken`] when they are somebody else than `id` says by now.
pub(super) async fn entrant(
    tx: &TenantTx,
    connection: &sso_connection::Model,
    identity: &Identity,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<Entrant, SsoError> {
    let email = identity.verified_email.as_deref();
    let email = email.ok_or_else(|| refused("it has not verified their address"))?;
    let domain = domain_of(email);
    let speaks_for = match &domain {
        Some(domain) => store::domain(tx, connection.id, domain.as_str()).await?,
        None => None,
    };
    if speaks_for.is_none_or(|domain| domain.verified_at.is_none()) {
        return Err(SsoError::foreign(domain.as_ref()));
    }
    let known = known(tx, connection, identity).await?;
    let is_new = known.is_none();
    let member = match known {
        Some(member) => member,
        None if connection.provisions => {
            provision(tx, connection, identity, (id, email), now).await?
        }
        None => {
            return Err(refused(
                "they are no member, and nobody becomes one by this",
            ));
        }
    };
    if member.status != member::Status::Active {
        return Err(refused("the member is disabled"));
    }
    if member.id != id {
        return Err(SsoError::Overtaken);
    }
    let whose = (connection.id, identity.subject.as_str());
    store::remember(tx, whose, member.id, now).await?;
    Ok(Entrant { member, is_new })
}

/// The member whom a provider's words mean, if there is one: by its subject, else by their address.
///
/// # Errors
///
/// [`SsoError::Db`].
pub(super) async fn known(
    tx: &TenantTx,
    connection: &sso_connection::Model,
    identity: &Identity,
) -> Result<Option<member::Model>, SsoError> {
    let by_subject = store::member_of(tx, connection.id, &identity.subject).await?;
    match (by_subject, &identity.verified_email) {
        (Some(member), _) => Ok(Some(member)),
        (None, Some(email)) => Ok(store::member_by_email(tx, email).await?),
        (None, None) => Ok(None),
    }
}

async fn provision(
    tx: &TenantTx,
    connection: &sso_connection::Model,
    identity: &Identity,
    (id, email): (Uuid, &str),
    now: OffsetDateTime,
) -> Result<member::Model, SsoError> {
    let name = identity.name.as_deref().unwrap_or(email);
    let plain: String = name
        .chars()
        .filter(|it| !it.is_control())
        .take(200)
        .collect();
    store::make_member(tx, id, (email, &plain), connection.default_role, now).await?;
    let made = store::member_by_email(tx, email).await?;
    made.ok_or_else(|| SsoError::Broken("a member who was just made is gone".to_owned()))
}

fn refused(why: &str) -> SsoError {
    SsoError::Refused(why.to_owned())
}
