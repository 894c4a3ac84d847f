//! What can go wrong with single sign-on.

use provisioner::DomainName;
use sea_orm::DbErr;

use crate::auth::Unsealable;
use crate::db::{Failure, failure_of};
use crate::idp::IdpError;

/// What can go wrong with single sign-on.
#[derive(Debug, thiserror::Error)]
pub enum SsoError {
    /// There is no such connection, or it is not in use.
    #[error("there is no such identity provider")]
    NotFound,
    /// Another connection has this name.
    #[error("another identity provider has this name")]
    NameTaken,
    /// It is at another version by now.
    #[error("it is at version {0} by now; read it again")]
    Changed(i64),
    /// Enforced, it would let nobody in, or nobody when the provider fails.
    #[error("{0}")]
    NotEnforceable(&'static str),
    /// The connection has no such domain.
    #[error("the identity provider has no such domain")]
    DomainNotFound,
    /// Another connection of the dealer has the domain.
    #[error("another identity provider has the domain")]
    DomainTaken,
    /// The record isn't in DNS.
    #[error("DNS shows no TXT record {value:?} at {name}")]
    NotProven {
        /// Where it was looked for.
        name: String,
        /// What was looked for.
        value: String,
    },
    /// DNS could not be asked.
    #[error("DNS could not be asked")]
    Dns(String),
    /// Whoever came back did not leave from this browser, left too long ago, or was back already.
    #[error("this sign-in was not begun in this browser, or is over")]
    StateInvalid,
    /// Their word is not taken; why is for the log.
    #[error("the identity provider's word is not taken")]
    Refused(String),
    /// The provider does not answer; why is for the log.
    #[error("the identity provider does not answer as it should")]
    Unavailable(String),
    /// Somebody else became who they were to be, at the same moment.
    #[error("another change was made at the same moment")]
    Overtaken,
    /// Something that should not happen.
    #[error("single sign-on could not be worked with")]
    Broken(String),
    /// The database failed.
    #[error("the database failed")]
    Db(DbErr),
}

impl SsoError {
    pub(super) fn not_proven(name: String, value: String) -> Self {
        Self::NotProven { name, value }
    }

    pub(super) fn foreign(domain: Option<&DomainName>) -> Self {
        let domain = domain.map_or("no domain", DomainName::as_str);
        Self::Refused(format!("{domain} is not one of its proven domains"))
    }
}

impl From<DbErr> for SsoError {
    /// The constraints are the rules; their names say which of them was broken.
    fn from(error: DbErr) -> Self {
        let Failure::Constraint(name) = failure_of(&error) else {
            return Self::Db(error);
        };
        match name.as_str() {
            "sso_connection_name_key" => Self::NameTaken,
            "sso_domain_pkey" => Self::DomainTaken,
            "sso_domain_connection_id_fkey" => Self::NotFound,
            _ => Self::Db(error),
        }
    }
}

impl From<Unsealable> for SsoError {
    fn from(error: Unsealable) -> Self {
        Self::Broken(error.to_string())
    }
}

impl From<IdpError> for SsoError {
    fn from(error: IdpError) -> Self {
        match error {
            IdpError::Unavailable(why) => Self::Unavailable(why),
            IdpError::Refused(why) => Self::Refused(why),
        }
    }
}
