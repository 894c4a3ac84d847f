//! Whoever asks, a person or a machine, with all that decides what they may do.

use ::entity::tenant::member::Role;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::grants::Grants;
use crate::audit::Actor;

/// Whoever asks. It may be remembered for as long as the dealer's access epoch stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The person, or whoever made the key.
    pub person: Person,
    /// What they may do.
    pub grants: Grants,
    /// How they prove who they are.
    pub means: Means,
}

/// A member, as far as it matters to what they may do. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their id.
    pub id: Uuid,
    /// Lower case.
    pub email: String,
    /// For people.
    pub name: String,
    /// Built-in role, as it is stored.
    pub role: String,
    /// Role of the dealer's own, which counts in place of the built-in one.
    pub role_id: Option<Uuid>,
    /// Where they work.
    pub branch_id: Option<Uuid>,
    /// The teams they are in.
    pub teams: Vec<Uuid>,
    /// Goes up when all of their tokens are void.
    pub token_version: i32,
}

/// How somebody proves who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Means {
    /// By a session.
    Session(SessionFacts),
    /// By an API key.
    ApiKey(KeyFacts),
}

/// A session that is still good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionFacts {
    /// Its id.
    pub id: Uuid,
    /// How it began: `password`, `sso`, `invitation` or `switch`.
    pub method: String,
    /// The dealer's token version when it was looked at.
    pub tenant_version: i32,
    /// UTC; the last time the person proved who they are.
    #[serde(with = "time::serde::rfc3339")]
    pub proven_at: OffsetDateTime,
    /// UTC; the last time with a second factor.
    #[serde(with = "time::serde::rfc3339::option")]
    pub second_factor_at: Option<OffsetDateTime>,
    /// UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// Whether they must get themselves a second factor before anything else.
    pub must_enrol: bool,
}

/// An API key that is still good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFacts {
    /// Its id.
    pub id: Uuid,
    /// Keyed hash of its secret.
    pub secret_hash: Vec<u8>,
    /// Networks it may be used from; empty means any.
    pub addresses: Vec<IpNet>,
    /// Requests a minute, if it has a limit of its own.
    pub per_minute: Option<u32>,
    /// UTC.
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
}

impl Principal {
    /// As whom the audit trail knows them.
    pub fn actor(&self) -> Actor {
        match &self.means {
            Means::Session(_) => Actor::Member { id: self.person.id },
            Means::ApiKey(key) => Actor::ApiKey {
                id: key.id,
                member_id: self.person.id,
            },
        }
    }

    /// Their session, if they came by one.
    pub fn session(&self) -> Option<&SessionFacts> {
        match &self.means {
            Means::Session(session) => Some(session),
            Means::ApiKey(_) => None,
        }
    }
}

impl Person {
    /// Their built-in role.
    pub fn built_in_role(&self) -> Option<Role> {
        use sea_orm::ActiveEnum;
        Role::try_from_value(&self.role).ok()
    }
}
