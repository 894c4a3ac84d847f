//! What a role allows, on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{Grants, Scope, entry};
use crate::http::{FieldError, Problem};

/// One permission, and how far it reaches.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantIn {
    /// Its name in the catalogue.
    #[schema(example = "member.read")]
    permission: String,
    /// `all` when absent. What has no scopes in the catalogue reaches over all.
    #[serde(default = "all")]
    scope: Scope,
}

/// One permission, and how far it reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct GrantOut {
    /// Its name in the catalogue.
    permission: &'static str,
    /// Over whose things.
    scope: Scope,
}

impl GrantOut {
    /// All of what is granted, in the order of the catalogue.
    pub fn list(grants: &Grants) -> Vec<Self> {
        let list = grants.iter();
        list.map(|(permission, scope)| Self { permission, scope })
            .collect()
    }
}

/// Reads what a role is to allow.
///
/// # Errors
///
/// `fields-invalid`, naming every line that is in no catalogue, is there twice, or has a scope
/// where there is none.
pub fn granted(lines: &[GrantIn]) -> Result<Grants, Problem> {
    let mut grants = BTreeMap::new();
    let mut errors = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let mut refuse = |field: &str, code: &str, message: &str| {
            errors.push(FieldError {
                pointer: format!("/grants/{at}/{field}"),
                code: code.to_owned(),
                message: message.to_owned(),
                line: None,
            });
        };
        match entry(&line.permission) {
            None => refuse(
                "permission",
                "unknown",
                "there is no such permission; see /api/v1/permissions",
            ),
            Some(entry) if !entry.has_scopes && line.scope != Scope::All => {
                refuse(
                    "scope",
                    "scope",
                    "this permission reaches over all or isn't held",
                );
            }
            Some(entry) if grants.insert(entry.name, line.scope).is_some() => {
                refuse("permission", "duplicate", "it stands there before");
            }
            Some(_) => {}
        }
    }
    match errors.is_empty() {
        true => Ok(Grants::of(grants)),
        false => Err(Problem::fields(errors)),
    }
}

fn all() -> Scope {
    Scope::All
}
