//! Roles on the wire.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::grants::{GrantIn, GrantOut, granted};
use super::service::{NewRole, Role, RoleChange};
use crate::http::Problem;
use crate::kernel::never_null;
use crate::tenant::catalog::text::{lines, one_line};

/// A new role.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleIn {
    /// Unique per dealer.
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(example = "Catalogue keeper")]
    name: String,
    #[serde(default)]
    #[validate(length(max = 1000), custom(function = lines))]
    description: String,
    /// What it allows. Only what you hold yourself, and no further.
    #[validate(length(max = 200))]
    grants: Vec<GrantIn>,
}

/// What is to change; what is left out stays.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RolePatch {
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 100), custom(function = one_line))]
    #[schema(nullable = false)]
    name: Option<String>,
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 1000), custom(function = lines))]
    #[schema(nullable = false)]
    description: Option<String>,
    /// Replaces all that it allows.
    #[serde(default, deserialize_with = "never_null")]
    #[validate(length(max = 200))]
    #[schema(nullable = false)]
    grants: Option<Vec<GrantIn>>,
}

/// A role of the dealer's own.
#[derive(Serialize, ToSchema)]
pub(super) struct RoleOut {
    pub id: Uuid,
    name: String,
    description: String,
    /// What it allows; all else is denied.
    grants: Vec<GrantOut>,
    /// The ETag's number.
    pub version: i64,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    updated_at: OffsetDateTime,
}

/// A role that every dealer has.
#[derive(Serialize, ToSchema)]
pub(super) struct BuiltInRoleOut {
    #[schema(example = "branch_manager")]
    pub name: String,
    /// What it allows; all else is denied.
    pub grants: Vec<GrantOut>,
}

impl RoleIn {
    pub(super) fn into_command(self) -> Result<NewRole, Problem> {
        Ok(NewRole {
            name: self.name.trim().to_owned(),
            description: self.description.trim().to_owned(),
            grants: granted(&self.grants)?,
        })
    }
}

impl RolePatch {
    pub(super) fn into_command(self) -> Result<RoleChange, Problem> {
        Ok(RoleChange {
            name: self.name.map(|name| name.trim().to_owned()),
            description: self.description.map(|text| text.trim().to_owned()),
            grants: self.grants.as_deref().map(granted).transpose()?,
        })
    }
}

impl From<Role> for RoleOut {
    fn from(Role { role, grants }: Role) -> Self {
        Self {
            id: role.id,
            name: role.name,
            description: role.description,
            grants: GrantOut::list(&grants),
            version: role.version,
            created_at: role.created_at,
            updated_at: role.updated_at,
        }
    }
}
