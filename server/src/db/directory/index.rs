//! The map behind the directory: tenants by id, slug and verified domain.

use std::collections::HashMap;
use std::sync::Arc;

pub use ::entity::platform::tenant::Status as TenantStatus;
use provisioner::SchemaName;
use uuid::Uuid;

use crate::db::gate::{Gate, Limits};
use crate::kernel::TenantKey;

/// A tenant as the directory knows it.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub(in crate::db) id: Uuid,
    pub(super) slug: String,
    pub(super) name: String,
    pub(in crate::db) schema: SchemaName,
    pub(super) lane_id: Uuid,
    pub(super) status: TenantStatus,
    pub(super) schema_version: String,
    pub(super) domains: Vec<String>,
    /// Grows with every change of the row.
    pub(super) revision: i64,
    pub(in crate::db) limits: Limits,
    pub(in crate::db) requests_per_minute: Option<u32>,
    pub(in crate::db) gate: Arc<Gate>,
}

impl Tenant {
    /// A gate is replaced only by one of another size.
    fn keep_gate_of(&mut self, former: &Self) {
        if former.gate.size() == self.gate.size() {
            self.gate = former.gate.clone();
        }
    }

    /// The name of its schema and of its role, which its jobs know it by.
    pub fn schema(&self) -> &SchemaName {
        &self.schema
    }

    /// The key under which anything of this tenant is kept outside its schema.
    pub fn key(&self) -> TenantKey {
        TenantKey::of(self.id)
    }

    /// Requests of all its people and machines a minute, if its plan says.
    pub fn requests_per_minute(&self) -> Option<u32> {
        self.requests_per_minute
    }

    /// First label of its host name.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// Whether a migration has reached it: code may look before it uses what is new.
    pub fn has(&self, migration: &str) -> bool {
        self.schema_version.as_str() >= migration
    }

    /// For people.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Ways to name a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// Its immutable id.
    Id(Uuid),
    /// The first label of its host under the base domain.
    Slug(String),
    /// A verified domain of its own.
    Domain(String),
}

/// The map itself.
#[derive(Debug, Default)]
pub(super) struct Index {
    tenants: HashMap<Uuid, Arc<Tenant>>,
    ids: HashMap<Address, Uuid>,
    schemas: HashMap<SchemaName, Uuid>,
}

impl Index {
    pub(super) fn len(&self) -> usize {
        self.tenants.len()
    }

    /// Every tenant, without a copy.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Tenant>> {
        self.tenants.values()
    }

    pub(super) fn all(&self) -> Vec<Arc<Tenant>> {
        self.tenants.values().cloned().collect()
    }

    pub(super) fn get(&self, address: &Address) -> Option<Arc<Tenant>> {
        let id = match address {
            Address::Id(id) => id,
            other => self.ids.get(other)?,
        };
        self.tenants.get(id).cloned()
    }

    /// No text that is no schema's name belongs to anybody.
    pub(super) fn get_by_schema(&self, schema: &str) -> Option<Arc<Tenant>> {
        let schema = SchemaName::parse(schema).ok()?;
        self.tenants.get(self.schemas.get(&schema)?).cloned()
    }

    /// Adds or replaces a tenant; the addresses it had and no longer has are forgotten. Returns
    /// its addresses. What was read before what is there changes nothing: a look-up and a
    /// notification may overtake each other.
    pub(super) fn put(&mut self, mut tenant: Tenant) -> Vec<Address> {
        let addresses = addresses_of(&tenant);
        if let Some(there) = self.tenants.get(&tenant.id) {
            if there.revision > tenant.revision {
                return addresses;
            }
            tenant.keep_gate_of(there);
        }
        self.remove(tenant.id);
        for address in &addresses {
            self.ids.insert(address.clone(), tenant.id);
        }
        self.schemas.insert(tenant.schema.clone(), tenant.id);
        self.tenants.insert(tenant.id, Arc::new(tenant));
        addresses
    }

    /// Lets the tenants keep the gates that they have in `former`: requests are within.
    pub(super) fn keep_gates_of(&mut self, former: &Self) {
        for (id, tenant) in &mut self.tenants {
            if let Some(former) = former.tenants.get(id) {
                Arc::make_mut(tenant).keep_gate_of(former);
            }
        }
    }

    pub(super) fn remove(&mut self, id: Uuid) {
        let Some(former) = self.tenants.remove(&id) else {
            return;
        };
        self.schemas.remove(&former.schema);
        for address in addresses_of(&former) {
            // Somebody else may have taken the name over in the meantime.
            if self.ids.get(&address) == Some(&id) {
                self.ids.remove(&address);
            }
        }
    }
}

fn addresses_of(tenant: &Tenant) -> Vec<Address> {
    let slug = Address::Slug(tenant.slug.clone());
    std::iter::once(slug)
        .chain(tenant.domains.iter().cloned().map(Address::Domain))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        concurrency: 1,
        statement_timeout_ms: 1,
        idle_in_transaction_timeout_ms: 1,
    };

    fn tenant(id: u128, slug: &str, domains: &[&str]) -> Tenant {
        Tenant {
            id: Uuid::from_u128(id),
            slug: slug.to_owned(),
            name: slug.to_owned(),
            schema: SchemaName::generate().unwrap(),
            lane_id: Uuid::nil(),
            status: TenantStatus::Active,
            schema_version: String::new(),
            domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
            revision: 0,
            limits: LIMITS,
            requests_per_minute: None,
            gate: Arc::new(Gate::new(1)),
        }
    }

    fn found(index: &Index, address: Address) -> Option<u128> {
        index.get(&address).map(|tenant| tenant.id.as_u128())
    }

    #[test]
    fn a_renamed_tenant_is_no_longer_found_under_its_former_names() {
        let mut index = Index::default();
        index.put(tenant(1, "acme", &["shop.acme.example"]));

        index.put(tenant(1, "apex", &[]));

        assert_eq!(found(&index, Address::Slug("acme".into())), None);
        assert_eq!(
            found(&index, Address::Domain("shop.acme.example".into())),
            None
        );
        assert_eq!(found(&index, Address::Slug("apex".into())), Some(1));
        assert_eq!(found(&index, Address::Id(Uuid::from_u128(1))), Some(1));
    }

    #[test]
    fn a_name_that_changed_hands_stays_with_its_new_owner() {
        let mut index = Index::default();
        index.put(tenant(1, "acme", &[]));
        index.put(tenant(2, "acme", &[]));

        index.put(tenant(1, "former", &[]));

        assert_eq!(found(&index, Address::Slug("acme".into())), Some(2));
    }

    #[test]
    fn what_was_read_earlier_does_not_undo_what_was_read_later() {
        let mut index = Index::default();
        index.put(Tenant {
            revision: 1,
            ..tenant(1, "renamed", &[])
        });

        index.put(tenant(1, "former", &[]));

        assert_eq!(found(&index, Address::Slug("renamed".into())), Some(1));
        assert_eq!(found(&index, Address::Slug("former".into())), None);
    }

    #[test]
    fn a_slug_is_no_domain() {
        let mut index = Index::default();
        index.put(tenant(1, "acme", &[]));

        assert_eq!(found(&index, Address::Domain("acme".into())), None);
    }
}
