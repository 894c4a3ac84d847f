//! What somebody is to be: a built-in role, or one of the dealer's own.

use ::entity::tenant::member::Role;
use sea_orm::ActiveEnum;
use uuid::Uuid;
use validator::ValidationError;

use super::error::TeamError;
use super::reach::Reach;
use crate::auth::{Grants, granted_to, role_grants};
use crate::db::TenantTx;

/// A built-in role, which is the least one beside a role of the dealer's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assignment {
    pub role: Role,
    pub role_id: Option<Uuid>,
}

impl Assignment {
    pub(super) fn built_in(role: Role) -> Self {
        Self {
            role,
            role_id: None,
        }
    }

    pub(super) fn own(role_id: Uuid) -> Self {
        Self {
            role: Role::Viewer,
            role_id: Some(role_id),
        }
    }

    /// Insists that whoever asks holds all that comes with it.
    pub(super) async fn must_be_covered(
        self,
        tx: &TenantTx,
        reach: &Reach,
    ) -> Result<(), TeamError> {
        reach.covers(self.role, &self.grants(tx).await?)
    }

    async fn grants(self, tx: &TenantTx) -> Result<Grants, TeamError> {
        Ok(match self.role_id {
            Some(role) => role_grants(tx, role).await?,
            None => granted_to(self.role),
        })
    }
}

/// Reads the name of a built-in role that was looked at before.
pub(super) fn role_named(name: &str) -> Option<Role> {
    Role::try_from_value(&name.to_owned()).ok()
}

/// Whether a text names a built-in role.
pub(super) fn is_role(name: &str) -> Result<(), ValidationError> {
    match role_named(name) {
        Some(_) => Ok(()),
        None => Err(ValidationError::new("role").with_message(
            "it must be a built-in role, such as admin, sales or viewer; for one of your own give \
             role_id"
                .into(),
        )),
    }
}
