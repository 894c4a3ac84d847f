//! What a file is called.

use std::fmt;

use object_store::path::Path;
use uuid::Uuid;

use crate::kernel::TenantKey;

/// Where the files of all tenants lie.
pub(super) const TENANTS: &str = "t";

/// Names a file of a tenant: there is no name without a tenant, and nothing that people write is
/// ever part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StorageKey {
    tenant: TenantKey,
    shelf: Shelf,
    id: Uuid,
}

/// What kind of file it is, so that a bucket's rules can tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shelf {
    /// Files that people sent.
    Imports,
    /// Files that were made for people.
    Exports,
}

impl Shelf {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Imports, Self::Exports];

    /// As it stands in names.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Imports => "imports",
            Self::Exports => "exports",
        }
    }
}

impl StorageKey {
    /// The name of a tenant's file with this id.
    pub const fn of(tenant: TenantKey, shelf: Shelf, id: Uuid) -> Self {
        Self { tenant, shelf, id }
    }

    pub(super) fn path(&self) -> Path {
        Path::from(self.to_string())
    }
}

impl fmt::Display for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shelf = self.shelf.as_str();
        write!(f, "{TENANTS}/{}/{shelf}/{}", self.tenant, self.id)
    }
}
