//! The last of a tenant: its exports are destroyed when they need not be kept any more. The entry
//! stays, so that its slug is nobody else's.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use entity::platform::tenant::Status;
use entity::platform::{tenant, tenant_domain, tenant_event, tenant_export};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DatabaseTransaction,
    EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
};
use serde_json::json;

use super::archive::{check_hold, of};
use super::{LIMITS, LifeError, held, seen};
use crate::copy;
use crate::history::{now, record};
use crate::transaction::{act_as_owner, begin, finish, to_the_end};
use crate::{Product, Provisioner, TenantEntry};

/// What the history calls the moment after which files may be missing.
const PURGING: &str = "purging";

impl<P: Product> Provisioner<P> {
    /// Destroys the exports of an archived tenant, once they need not be kept any more. Call it
    /// where they lie. Cut anywhere, doing it again finishes it.
    ///
    /// # Errors
    ///
    /// [`LifeError`]; nothing is removed before all of them were found.
    pub async fn purge(&self, tenant: &str, actor: &str) -> Result<TenantEntry, LifeError> {
        let inner = Arc::clone(&self.inner);
        let (tenant, actor) = (tenant.to_owned(), actor.to_owned());
        to_the_end(async move {
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = intend(&tx, &tenant, &actor).await;
            finish(tx, outcome).await?;
            let tx = begin(&inner.db, LIMITS).await?;
            let outcome = purge_in(&tx, &tenant, &actor).await;
            finish(tx, outcome).await
        })
        .await
    }
}

/// The tenant and its exports, if they may be destroyed now.
async fn destroyable(
    tx: &DatabaseTransaction,
    tenant: &str,
) -> Result<(tenant::Model, Vec<tenant_export::Model>), LifeError> {
    act_as_owner(tx).await?;
    let row = held(tx, tenant, &[Status::Archived], "purged").await?;
    check_hold(&row)?;
    let kept = of(row.id).filter(tenant_export::Column::DestroyedAt.is_null());
    let exports = kept.all(tx).await?;
    let until = exports.iter().filter_map(|export| export.keep_until).max();
    match until {
        Some(until) if until > now() => Err(LifeError::KeepUntil {
            slug: row.slug,
            until,
        }),
        _ => Ok((row, exports)),
    }
}

/// Finds all exports, and then says that they are about to be destroyed: from here on, one that is
/// missing was destroyed by us.
async fn intend(tx: &DatabaseTransaction, tenant: &str, actor: &str) -> Result<(), LifeError> {
    let (row, exports) = destroyable(tx, tenant).await?;
    let begun = tenant_event::Entity::find()
        .filter(tenant_event::Column::TenantId.eq(row.id))
        .filter(tenant_event::Column::Kind.eq(PURGING))
        .one(tx)
        .await?;
    if begun.is_some() {
        return Ok(());
    }
    for export in &exports {
        let location = PathBuf::from(&export.location);
        if !location.is_dir() {
            return Err(LifeError::ExportMissing {
                slug: row.slug,
                location,
            });
        }
        if !copy::belongs(&location, row.id)? {
            return Err(LifeError::Stranger(location));
        }
    }
    let exports: Vec<_> = exports.iter().map(|export| export.id).collect();
    let detail = json!({ "exports": exports });
    record(tx, row.id, PURGING, actor, detail, now()).await?;
    Ok(())
}

async fn purge_in(
    tx: &DatabaseTransaction,
    tenant: &str,
    actor: &str,
) -> Result<TenantEntry, LifeError> {
    let (row, exports) = destroyable(tx, tenant).await?;
    let (id, now) = (row.id, now());
    for export in exports {
        destroy(&export, &row)?;
        let mut destroyed = export.into_active_model();
        destroyed.destroyed_at = Set(Some(now));
        destroyed.update(tx).await?;
    }
    // Its domains may be claimed by others; its slug may not.
    tenant_domain::Entity::delete_many()
        .filter(tenant_domain::Column::TenantId.eq(id))
        .exec(tx)
        .await?;
    let mut gone = row.into_active_model();
    gone.status = Set(Status::Gone);
    gone.updated_at = Set(now);
    gone.update(tx).await?;
    record(tx, id, "purged", actor, json!({}), now).await?;
    seen(tx, id).await
}

/// Removes a folder, or what an earlier purge left of it.
fn destroy(export: &tenant_export::Model, row: &tenant::Model) -> Result<(), LifeError> {
    let location = PathBuf::from(&export.location);
    if !location.exists() {
        return Ok(());
    }
    let is_empty = fs::read_dir(&location)
        .map_err(|cause| LifeError::File {
            path: location.clone(),
            cause,
        })?
        .next()
        .is_none();
    if !is_empty && !copy::belongs(&location, row.id)? {
        return Err(LifeError::Stranger(location));
    }
    match copy::remove(&location)? {
        None => Ok(()),
        Some(stranger) => Err(LifeError::Stranger(stranger)),
    }
}
