//! Connections and their domains.

use ::entity::tenant::member::Role;
use ::entity::tenant::{sso_connection, sso_domain};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use provisioner::DomainName;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, ModelTrait};
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::SsoError;
use super::store;
use crate::auth::{Sealer, epoch};
use crate::db::TenantTx;
use crate::kernel::TenantKey;

/// Seals for one dealer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keeper<'a> {
    pub(super) sealer: &'a Sealer,
    pub(super) tenant: TenantKey,
}

/// A connection with its domains.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) row: sso_connection::Model,
    pub(super) domains: Vec<sso_domain::Model>,
}

/// What is to be said of a connection; what is `None` stays as it is.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) name: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) client_id: Option<String>,
    pub(super) client_secret: Option<SecretString>,
    pub(super) default_role: Option<Role>,
    pub(super) provisions: Option<bool>,
    pub(super) is_enforced: Option<bool>,
    pub(super) is_enabled: Option<bool>,
}

impl Keeper<'_> {
    fn place(&self, connection: Uuid) -> String {
        self.tenant.scoped(format_args!("sso-client:{connection}"))
    }

    fn seal(&self, connection: Uuid, secret: &SecretString) -> Vec<u8> {
        let secret = secret.expose_secret().as_bytes();
        self.sealer.seal(&self.place(connection), secret)
    }

    /// The secret of a connection's client.
    ///
    /// # Errors
    ///
    /// [`SsoError::Broken`] when it was sealed elsewhere.
    pub(super) fn open(&self, row: &sso_connection::Model) -> Result<SecretString, SsoError> {
        let sealed = &row.sealed_client_secret;
        let opened = self.sealer.open(&self.place(row.id), sealed)?;
        let text = String::from_utf8(opened);
        text.map(SecretString::from)
            .map_err(|error| SsoError::Broken(error.to_string()))
    }
}

pub(super) async fn list(tx: &TenantTx) -> Result<Vec<Connection>, SsoError> {
    let mut domains = store::domains(tx, None).await?;
    let rows = store::connections(tx).await?.into_iter();
    let all = rows.map(|row| {
        let (mine, others) = domains
            .drain(..)
            .partition(|domain| domain.connection_id == row.id);
        domains = others;
        Connection { row, domains: mine }
    });
    Ok(all.collect())
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Connection, SsoError> {
    let row = store::connection(tx, id).await?.ok_or(SsoError::NotFound)?;
    let domains = store::domains(tx, Some(id)).await?;
    Ok(Connection { row, domains })
}

/// The connection that people of a domain sign in with.
pub(super) async fn of_domain(
    tx: &TenantTx,
    domain: &DomainName,
) -> Result<Option<sso_connection::Model>, SsoError> {
    Ok(store::connection_of(tx, domain.as_str()).await?)
}

/// A connection, if people may sign in with it.
pub(super) async fn in_use(tx: &TenantTx, id: Uuid) -> Result<sso_connection::Model, SsoError> {
    let found = store::connection(tx, id).await?;
    found
        .filter(|connection| connection.is_enabled)
        .ok_or(SsoError::NotFound)
}

pub(super) async fn create(
    tx: &TenantTx,
    keeper: Keeper<'_>,
    wanted: &Wanted,
    now: OffsetDateTime,
) -> Result<Connection, SsoError> {
    let id = Uuid::now_v7();
    let missing = |what: &str| SsoError::Broken(format!("a new connection needs {what}"));
    let text = |value: &Option<String>, what| value.clone().ok_or_else(|| missing(what));
    let secret = wanted.client_secret.as_ref();
    let row = sso_connection::ActiveModel {
        id: Set(id),
        name: Set(text(&wanted.name, "a name")?),
        issuer: Set(text(&wanted.issuer, "an issuer")?),
        client_id: Set(text(&wanted.client_id, "a client")?),
        sealed_client_secret: Set(keeper.seal(id, secret.ok_or_else(|| missing("a secret"))?)),
        default_role: Set(wanted.default_role.unwrap_or(Role::Viewer)),
        provisions: Set(wanted.provisions.unwrap_or(true)),
        is_enforced: Set(wanted.is_enforced.unwrap_or(false)),
        is_enabled: Set(wanted.is_enabled.unwrap_or(true)),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let row = row.insert(tx).await?;
    must_be_enforceable(tx, &row).await?;
    find(tx, id).await
}

/// Changes a connection; the answer is what it was and what it is.
pub(super) async fn change(
    tx: &TenantTx,
    keeper: Keeper<'_>,
    (id, expected): (Uuid, Option<i64>),
    wanted: &Wanted,
    now: OffsetDateTime,
) -> Result<(Connection, Connection), SsoError> {
    let row = locked(tx, id, expected).await?;
    let before = find(tx, id).await?;
    let (issuer, version) = (row.issuer.clone(), row.version);
    let mut changed = row.into_active_model();
    if let Some(name) = &wanted.name {
        changed.name = Set(name.clone());
    }
    if let Some(issuer) = &wanted.issuer {
        changed.issuer = Set(issuer.clone());
    }
    if let Some(client_id) = &wanted.client_id {
        changed.client_id = Set(client_id.clone());
    }
    if let Some(secret) = &wanted.client_secret {
        changed.sealed_client_secret = Set(keeper.seal(id, secret));
    }
    if let Some(role) = wanted.default_role {
        changed.default_role = Set(role);
    }
    if let Some(provisions) = wanted.provisions {
        changed.provisions = Set(provisions);
    }
    if let Some(is_enforced) = wanted.is_enforced {
        changed.is_enforced = Set(is_enforced);
    }
    if let Some(is_enabled) = wanted.is_enabled {
        changed.is_enabled = Set(is_enabled);
    }
    changed.version = Set(version + 1);
    changed.updated_at = Set(now);
    let row = changed.update(tx).await?;
    must_be_enforceable(tx, &row).await?;
    if row.issuer != issuer {
        // Somebody else has the same subject at another provider.
        store::forget_identities(tx, id).await?;
    }
    epoch::bump(tx).await?;
    Ok((before, find(tx, id).await?))
}

pub(super) async fn delete(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
) -> Result<Connection, SsoError> {
    locked(tx, id, expected).await?;
    let removed = find(tx, id).await?;
    sso_connection::Entity::delete_by_id(id).exec(tx).await?;
    epoch::bump(tx).await?;
    Ok(removed)
}

/// Claims a domain for a connection. Claiming again says the same again.
pub(super) async fn claim(
    tx: &TenantTx,
    connection: Uuid,
    domain: &DomainName,
    now: OffsetDateTime,
) -> Result<sso_domain::Model, SsoError> {
    let row = store::locked_connection(tx, connection).await?;
    row.ok_or(SsoError::NotFound)?;
    if let Some(there) = store::domain(tx, connection, domain.as_str()).await? {
        return Ok(there);
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| SsoError::Broken(error.to_string()))?;
    let claim = sso_domain::ActiveModel {
        domain: Set(domain.as_str().to_owned()),
        connection_id: Set(connection),
        challenge: Set(URL_SAFE_NO_PAD.encode(bytes)),
        verified_at: Set(None),
        created_at: Set(now),
    };
    Ok(claim.insert(tx).await?)
}

/// A claim of a connection.
pub(super) async fn claimed(
    tx: &TenantTx,
    connection: Uuid,
    domain: &DomainName,
) -> Result<sso_domain::Model, SsoError> {
    let row = store::connection(tx, connection).await?;
    row.ok_or(SsoError::NotFound)?;
    let claim = store::domain(tx, connection, domain.as_str()).await?;
    claim.ok_or(SsoError::DomainNotFound)
}

/// Says that DNS has shown the record of a claim, if it is still that claim.
pub(super) async fn verified(
    tx: &TenantTx,
    shown: &sso_domain::Model,
    now: OffsetDateTime,
) -> Result<sso_domain::Model, SsoError> {
    let claim = store::domain(tx, shown.connection_id, &shown.domain).await?;
    let claim = claim
        .filter(|claim| claim.challenge == shown.challenge)
        .ok_or(SsoError::DomainNotFound)?;
    let mut row = claim.into_active_model();
    row.verified_at = Set(Some(now));
    let row = row.update(tx).await?;
    epoch::bump(tx).await?;
    Ok(row)
}

pub(super) async fn unclaim(
    tx: &TenantTx,
    connection: Uuid,
    domain: &DomainName,
) -> Result<sso_domain::Model, SsoError> {
    let claim = claimed(tx, connection, domain).await?;
    claim.clone().delete(tx).await?;
    epoch::bump(tx).await?;
    Ok(claim)
}

async fn locked(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
) -> Result<sso_connection::Model, SsoError> {
    let row = store::locked_connection(tx, id).await?;
    let row = row.ok_or(SsoError::NotFound)?;
    match expected {
        Some(version) if version != row.version => Err(SsoError::Changed(row.version)),
        _ => Ok(row),
    }
}

async fn must_be_enforceable(tx: &TenantTx, row: &sso_connection::Model) -> Result<(), SsoError> {
    if !row.is_enforced {
        return Ok(());
    }
    let domains = store::domains(tx, Some(row.id)).await?;
    if domains.iter().all(|domain| domain.verified_at.is_none()) {
        return Err(SsoError::NotEnforceable("prove a domain first"));
    }
    if !store::somebody_can_break_the_glass(tx).await? {
        let detail = "an owner needs a password and a second factor first, to get in when the \
                      identity provider fails";
        return Err(SsoError::NotEnforceable(detail));
    }
    Ok(())
}
