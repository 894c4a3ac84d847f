//! What somebody may do, and over whose things; and which built-in role holds what.

use std::collections::BTreeMap;

use ::entity::tenant::member::Role;
use serde::{Deserialize, Serialize};

use super::permission::{self, CATALOGUE, Permission, Scope};
use super::permission::{
    ManageMembers, ManageSessions, ReadAudit, ReadCosts, ReadEvents, ReadItems, ReadJobs,
    ReadMembers, ReadOrganisation, ReadRoles, ReadSettings, RunExports, RunImports, UndoImports,
    WriteCosts, WriteItems,
};

/// Permissions, each with how far it reaches. What isn't in it is denied.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants(BTreeMap<String, Scope>);

impl Grants {
    /// These permissions. Names that are in no catalogue any more grant nothing.
    pub fn of(grants: impl IntoIterator<Item = (impl AsRef<str>, Scope)>) -> Self {
        let known = grants.into_iter().filter_map(|(name, scope)| {
            let entry = permission::entry(name.as_ref())?;
            let scope = if entry.has_scopes { scope } else { Scope::All };
            Some((entry.name.to_owned(), scope))
        });
        Self(known.collect())
    }

    /// How far a permission reaches, if it is held at all.
    pub fn scope_of(&self, permission: &str) -> Option<Scope> {
        self.0.get(permission).copied()
    }

    /// Whether a permission is held at all.
    pub fn allow(&self, permission: &str) -> bool {
        self.0.contains_key(permission)
    }

    /// What both allow, as far as both reach.
    pub fn within(&self, other: &Self) -> Self {
        let both = self.0.iter().filter_map(|(name, scope)| {
            let other = other.scope_of(name)?;
            Some((name.clone(), other.min(*scope)))
        });
        Self(both.collect())
    }

    /// Whether all of it is in `other` too, reaching as far.
    pub fn lie_within(&self, other: &Self) -> bool {
        self.within(other) == *self
    }

    /// All of it, in the order of the catalogue.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Scope)> + '_ {
        CATALOGUE
            .iter()
            .filter_map(|entry| Some((entry.name, self.scope_of(entry.name)?)))
    }
}

/// The permissions of a built-in role.
pub fn granted_to(role: Role) -> Grants {
    const LOOK: &[&str] = &[ReadItems::NAME, ReadOrganisation::NAME, ReadEvents::NAME];
    const KEEP: &[&str] = &[
        ReadItems::NAME,
        WriteItems::NAME,
        ReadCosts::NAME,
        WriteCosts::NAME,
        RunImports::NAME,
        UndoImports::NAME,
        RunExports::NAME,
        ReadJobs::NAME,
        ReadEvents::NAME,
        ReadOrganisation::NAME,
    ];
    const MANAGE_BRANCH: &[&str] = &[
        ReadMembers::NAME,
        ManageMembers::NAME,
        ManageSessions::NAME,
        ReadAudit::NAME,
    ];
    let all = |names: &[&'static str]| -> Vec<(&'static str, Scope)> {
        names.iter().map(|name| (*name, Scope::All)).collect()
    };
    let colleagues = |scope| (ReadMembers::NAME, scope);
    let grants = match role {
        // An admin may do everything but make or unmake an owner, which is a rule about members.
        Role::Owner | Role::Admin => {
            let every = CATALOGUE.iter().map(|entry| (entry.name, Scope::All));
            every.collect()
        }
        Role::BranchManager => {
            let branch = MANAGE_BRANCH.iter().map(|name| (*name, Scope::Branch));
            let mut grants = all(KEEP);
            grants.extend(branch);
            grants.extend(all(&[ReadRoles::NAME, ReadSettings::NAME]));
            grants
        }
        Role::Buyer => {
            let mut grants = all(KEEP);
            grants.push(colleagues(Scope::All));
            grants
        }
        Role::Accounts => {
            let mut grants = all(LOOK);
            grants.extend(all(&[ReadCosts::NAME]));
            grants.push(colleagues(Scope::All));
            grants
        }
        Role::Sales | Role::Counter | Role::Warehouse | Role::Driver => {
            let mut grants = all(LOOK);
            grants.push(colleagues(Scope::Branch));
            grants
        }
        Role::Viewer => {
            let mut grants = all(LOOK);
            grants.push(colleagues(Scope::Own));
            grants
        }
    };
    Grants::of(grants)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_further_than_both_do() {
        let wide = Grants::of([("member.read", Scope::All), ("item.read", Scope::All)]);
        let narrow = Grants::of([("member.read", Scope::Team), ("audit.read", Scope::All)]);

        let both = wide.within(&narrow);

        assert_eq!(both, Grants::of([("member.read", Scope::Team)]));
        assert!(both.lie_within(&wide) && both.lie_within(&narrow));
        assert!(!wide.lie_within(&narrow));
    }

    #[test]
    fn a_name_that_is_in_no_catalogue_grants_nothing() {
        assert_eq!(
            Grants::of([("item.destroy", Scope::All)]),
            Grants::default()
        );
    }

    #[test]
    fn what_has_no_scopes_reaches_over_all() {
        let grants = Grants::of([("item.read", Scope::Own)]);

        assert_eq!(grants.scope_of("item.read"), Some(Scope::All));
    }
}
