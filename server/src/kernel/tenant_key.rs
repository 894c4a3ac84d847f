//! The one key under which anything of a tenant is kept outside its schema.

use std::fmt;

use uuid::Uuid;

/// Names a tenant in cache keys, Redis keys, log fields and metrics.
///
/// It is made from a tenant's immutable id and from nothing else: there is no key without a
/// tenant, and a renamed tenant keeps its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TenantKey(Uuid);

impl TenantKey {
    /// The key of the tenant with this id.
    pub const fn of(tenant_id: Uuid) -> Self {
        Self(tenant_id)
    }

    /// The tenant's id.
    pub const fn id(self) -> Uuid {
        self.0
    }

    /// A key for one thing of this tenant, such as `t:<id>:sign-in:<hash>`.
    pub fn scoped(self, what: impl fmt::Display) -> String {
        format!("t:{self}:{what}")
    }
}

impl fmt::Display for TenantKey {
    /// As the API and the directory write the id, so that one search finds all of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
