//! One connection, with what its backend remembers.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Instant;

use hashlink::LruCache;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::counters::Counters;

/// A connection and what its backend remembers: dealers and prepared statements.
pub(super) struct Connection {
    pub(super) raw: PgConnection,
    tenants: HashSet<Uuid>,
    /// What sqlx's own cache holds, by the same rule (least recently used goes first): it doesn't
    /// tell whether it was hit.
    statements: LruCache<u64, ()>,
    hasher: RandomState,
    counters: Arc<Counters>,
    pub(super) last_used: Instant,
}

impl Connection {
    pub(super) fn new(raw: PgConnection, statement_cache: usize, counters: Arc<Counters>) -> Self {
        Self {
            raw,
            tenants: HashSet::new(),
            statements: LruCache::new(statement_cache),
            hasher: RandomState::new(),
            counters,
            last_used: Instant::now(),
        }
    }

    /// Notes who uses it.
    pub(super) fn meet(&mut self, tenant: Uuid) {
        self.tenants.insert(tenant);
    }

    /// Whether this dealer's tables are in the backend's caches.
    pub(super) fn knows(&self, tenant: Uuid) -> bool {
        self.tenants.contains(&tenant)
    }

    /// How many dealers have used it.
    pub(super) fn tenants_met(&self) -> usize {
        self.tenants.len()
    }

    /// Notes a prepared statement that is about to be used.
    pub(super) fn prepare(&mut self, text: &str) {
        if self.statements.capacity() == 0 {
            self.counters.count_a_statement(false, 0);
            return;
        }
        let key = self.hasher.hash_one(text);
        let is_hit = self.statements.get(&key).is_some();
        let before = self.statements.len();
        if !is_hit {
            self.statements.insert(key, ());
        }
        self.counters
            .count_a_statement(is_hit, self.statements.len() - before);
    }

    /// Drops all prepared statements, whose plans may be out of date.
    pub(super) async fn forget_statements(&mut self) -> Result<(), sqlx::Error> {
        self.raw.clear_cached_statements().await?;
        self.counters.forget_statements(self.statements.len());
        self.statements.clear();
        Ok(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.counters.forget_statements(self.statements.len());
    }
}
