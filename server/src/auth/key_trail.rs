//! When keys were last used, and which deprecated operations they call: noted in memory while
//! requests are served, and written down behind their backs. What was noted in the last second
//! before a crash is lost; nothing depends on it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::entity::tenant::api_key;
use moka::sync::Cache;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, QueryFilter, Statement,
};
use time::{Date, OffsetDateTime};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::db::{Address, Directory, Found, TenantDb};
use crate::kernel::TenantKey;

/// A key's last use is written once within this time.
const TO_THE_MINUTE: Duration = Duration::from_secs(60);
/// How often it is written what was noted.
const WRITTEN_EVERY: Duration = Duration::from_secs(1);
/// Keys that are noted at a time; a flood beyond that goes unnoted.
const NOTED: usize = 100_000;

/// Notes what keys do.
#[derive(Clone)]
pub struct KeyTrail(Arc<Inner>);

struct Inner {
    /// Keys whose use was noted within the last minute.
    lately: Cache<(TenantKey, Uuid), ()>,
    notes: Mutex<HashMap<TenantKey, HashMap<Uuid, Notes>>>,
}

/// What is to be written of one key.
#[derive(Debug, Default)]
struct Notes {
    used: Option<(OffsetDateTime, Option<IpAddr>)>,
    calls: HashMap<(String, Date), u64>,
}

impl KeyTrail {
    /// Nothing is noted yet.
    pub fn new() -> Self {
        let cache = Cache::builder().max_capacity(NOTED as u64);
        Self(Arc::new(Inner {
            lately: cache.time_to_live(TO_THE_MINUTE).build(),
            notes: Mutex::default(),
        }))
    }

    /// Notes that a key was used, to the minute.
    pub fn used(&self, tenant: TenantKey, key: Uuid, from: Option<IpAddr>, now: OffsetDateTime) {
        let entry = self.0.lately.entry((tenant, key)).or_insert(());
        if entry.is_fresh() {
            self.note(tenant, key, |notes| notes.used = Some((now, from)));
        }
    }

    /// Notes that a key called an operation that will go away.
    pub fn called(&self, tenant: TenantKey, key: Uuid, operation: &str, now: OffsetDateTime) {
        let call = (operation.to_owned(), now.date());
        self.note(tenant, key, |notes| {
            *notes.calls.entry(call).or_default() += 1
        });
    }

    /// Writes down what is noted, until it is stopped.
    pub fn keep(&self, directory: Arc<Directory>) -> JoinHandle<()> {
        let trail = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(WRITTEN_EVERY).await;
                trail.write(&directory).await;
            }
        })
    }

    /// Writes down what is noted. What can't be written is dropped, and the log says so.
    pub async fn write(&self, directory: &Arc<Directory>) {
        let notes = std::mem::take(&mut *self.notes());
        for (tenant, keys) in notes {
            let Found::Tenant(found) = directory.find(&Address::Id(tenant.id())).await else {
                continue;
            };
            let Ok(db) = directory.enter(&found) else {
                continue;
            };
            if let Err(error) = write_all(&db, &keys).await {
                tracing::warn!(tenant.id = %tenant, error = %error, "the use of API keys was not written down");
            }
        }
    }

    fn note(&self, tenant: TenantKey, key: Uuid, what: impl FnOnce(&mut Notes)) {
        let mut notes = self.notes();
        let keys = notes.entry(tenant).or_default();
        if keys.len() < NOTED || keys.contains_key(&key) {
            what(keys.entry(key).or_default());
        }
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, HashMap<TenantKey, HashMap<Uuid, Notes>>> {
        self.0.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for KeyTrail {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for KeyTrail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyTrail")
    }
}

async fn write_all(db: &TenantDb, keys: &HashMap<Uuid, Notes>) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    for (key, notes) in keys {
        if let Some((at, from)) = notes.used {
            let from = from.map(|address| address.to_string());
            api_key::Entity::update_many()
                .col_expr(api_key::Column::LastUsedAt, Expr::value(at))
                .col_expr(api_key::Column::LastUsedFrom, Expr::value(from))
                .filter(api_key::Column::Id.eq(*key))
                .exec(&tx)
                .await?;
        }
        for ((operation, day), calls) in &notes.calls {
            let calls = i64::try_from(*calls).unwrap_or(i64::MAX);
            let values = [
                (*key).into(),
                operation.as_str().into(),
                (*day).into(),
                calls.into(),
            ];
            let count = Statement::from_sql_and_values(DbBackend::Postgres, COUNT, values);
            tx.execute_raw(count).await?;
        }
    }
    tx.commit().await
}

/// Adds to a day's calls of an operation, if the key is still there.
const COUNT: &str = "
INSERT INTO api_key_usage AS usage (key_id, operation, day, calls)
SELECT id, $2, $3, $4 FROM api_key WHERE id = $1
ON CONFLICT (key_id, day, operation) DO UPDATE SET calls = usage.calls + excluded.calls";
