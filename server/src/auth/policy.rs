//! What the dealer asks of whoever signs in: its setting `security`, and enforced single sign-on.

use ::entity::tenant::{member, setting};
use provisioner::DomainName;
use sea_orm::{
    ActiveEnum, ConnectionTrait, DbBackend, DbErr, EntityTrait, Statement, Value as DbValue,
};
use serde::{Deserialize, Serialize};

use super::session::Method;
use crate::db::TenantTx;

/// The setting's name.
pub const SECURITY_SETTING: &str = "security";

/// The setting `security`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SecurityPolicy {
    /// Built-in roles whose holders must have a second factor.
    pub second_factor_roles: Vec<String>,
    /// Whether it is asked for after single sign-on, too: most providers ask for one themselves.
    pub second_factor_after_sso: bool,
}

impl SecurityPolicy {
    /// Whether a second factor is asked for after a proof of this kind.
    pub fn asks_after(&self, method: &str) -> bool {
        self.second_factor_after_sso || method != Method::Sso.name()
    }
}

/// The policy and its version; 0 while nobody has said anything.
///
/// # Errors
///
/// When the database refuses.
pub async fn security_policy(tx: &TenantTx) -> Result<(SecurityPolicy, i64), DbErr> {
    let row = setting::Entity::find_by_id(SECURITY_SETTING)
        .one(tx)
        .await?;
    let Some(row) = row else {
        return Ok((SecurityPolicy::default(), 0));
    };
    let policy = serde_json::from_value(row.value);
    let broken = |error| DbErr::Custom(format!("the setting `security` can't be read: {error}"));
    Ok((policy.map_err(broken)?, row.version))
}

/// Whether a member has a second factor.
///
/// # Errors
///
/// When the database refuses.
pub async fn has_second_factor(tx: &TenantTx, member: uuid::Uuid) -> Result<bool, DbErr> {
    let sql = "SELECT EXISTS (SELECT FROM totp_credential
        WHERE member_id = $1 AND confirmed_at IS NOT NULL) AS it";
    is_so(tx, sql, [member.into()]).await
}

/// Whether a member's role asks for a second factor that they don't have, in a session that began
/// like this.
///
/// # Errors
///
/// When the database refuses.
pub async fn must_enrol(
    tx: &TenantTx,
    member: &member::Model,
    method: &str,
) -> Result<bool, DbErr> {
    let (policy, _) = security_policy(tx).await?;
    let role = member.role.to_value();
    if !policy.asks_after(method) || !policy.second_factor_roles.contains(&role) {
        return Ok(false);
    }
    Ok(!has_second_factor(tx, member.id).await?)
}

/// Whether people of this address's domain have to sign in with their identity provider. It depends
/// on the domain alone, so that it tells nothing of who is a member.
///
/// # Errors
///
/// When the database refuses.
pub async fn must_use_sso(tx: &TenantTx, email: &str) -> Result<bool, DbErr> {
    let Some(domain) = domain_of(email) else {
        return Ok(false);
    };
    let sql = "SELECT EXISTS (SELECT FROM sso_domain d
        JOIN sso_connection c ON c.id = d.connection_id
        WHERE d.domain = $1 AND d.verified_at IS NOT NULL AND c.is_enforced AND c.is_enabled) AS it";
    is_so(tx, sql, [domain.as_str().into()]).await
}

/// The domain of an e-mail address, as it is compared.
pub fn domain_of(email: &str) -> Option<DomainName> {
    let (_, domain) = email.rsplit_once('@')?;
    DomainName::parse(domain).ok()
}

async fn is_so<const N: usize>(
    tx: &TenantTx,
    sql: &str,
    values: [DbValue; N],
) -> Result<bool, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    match tx.query_one_raw(statement).await? {
        Some(row) => row.try_get("", "it"),
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_follows_the_last_at_sign() {
        let domain = |email| domain_of(email).map(|domain| domain.to_string());

        assert_eq!(domain("ada@ACME.example").as_deref(), Some("acme.example"));
        assert_eq!(
            domain("\"x@evil.example\"@acme.example").as_deref(),
            Some("acme.example")
        );
        assert_eq!(
            domain("ada@acme.example@evil.example").as_deref(),
            Some("evil.example")
        );
        assert_eq!(domain("ada"), None);
        assert_eq!(domain("ada@localhost"), None);
    }
}
