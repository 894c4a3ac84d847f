//! What a file is called.

use std::fmt;

use object_store::path::Path;
use uuid::Uuid;

use crate::kernel::TenantKey;

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
        let shelf = match self.shelf {
            Shelf::Imports => "imports",
            Shelf::Exports => "exports",
        };
        write!(f, "t/{}/{shelf}/{}", self.tenant, self.id)
    }
}
