//! One tenant to head.
//!
//! Its DDL, the line in its schema's own history and its entry in the directory commit together
//! where they share a database. On another node the schema commits first: cut after that, the
//! next run finds nothing to apply there, and corrects the entry.

use std::sync::Arc;
use std::time::{Duration, Instant};

use entity::platform::tenant::{self, Status};
use sea_orm::sea_query::LockType;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, DatabaseTransaction, DbErr, EntityTrait as _,
    IntoActiveModel as _, QuerySelect as _,
};
use sea_orm_migration::MigratorTraitSelf as _;
use serde_json::json;
use uuid::Uuid;

use super::{MigrateError, MigrateOptions};
use crate::create::{head, hide_history};
use crate::history;
use crate::nodes::Site;
use crate::transaction::{Limits, act_as_owner, begin, bound_waits, enter, finish, to_the_end};
use crate::{Inner, Product, SchemaName};

/// For the directory's own row: another run that is at this tenant is waited for, not run into.
const AT_THE_DIRECTORY: Limits = Limits {
    lock_timeout: Duration::from_secs(60),
    statement_timeout: Duration::from_secs(60),
};

/// Nothing if somebody else was faster.
pub(super) async fn migrate_one<P: Product>(
    inner: &Arc<Inner<P>>,
    site: &Site,
    id: Uuid,
    options: &MigrateOptions,
) -> Result<Option<Duration>, MigrateError> {
    let (inner, site, options) = (Arc::clone(inner), site.clone(), options.clone());
    to_the_end(async move {
        let begun = Instant::now();
        let tx = begin(&inner.db, AT_THE_DIRECTORY).await?;
        let outcome = migrate_in(&tx, &inner, &site, id, &options, begun).await;
        let is_moved = finish(tx, outcome).await?;
        Ok(is_moved.then(|| begun.elapsed()))
    })
    .await
}

async fn migrate_in<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    site: &Site,
    id: Uuid,
    options: &MigrateOptions,
    begun: Instant,
) -> Result<bool, MigrateError> {
    let head = head(inner.product.migrator()).ok_or(MigrateError::NoMigrations)?;
    // The row is the tenant's lock: whoever moves it on in its life waits for us, and the server,
    // which only reads it, does not.
    let row = tenant::Entity::find_by_id(id)
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?;
    let Some(row) = row else { return Ok(false) };
    if row.schema_version == head || row.status == Status::Archived {
        return Ok(false);
    }
    let schema = SchemaName::parse(&row.schema_name)?;
    act_as_owner(tx).await?;
    let node = site.begin(tx, options.limits()).await?;
    let outcome = apply(&node, inner, &schema, options.limits()).await;
    node.finish(outcome).await?;
    let detail = json!({
        "from": row.schema_version,
        "to": head,
        "duration_ms": begun.elapsed().as_millis() as u64,
    });
    record(tx, row, head, &options.actor, detail).await?;
    Ok(true)
}

/// Takes all steps that are pending in a tenant's schema.
async fn apply<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    schema: &SchemaName,
    limits: Limits,
) -> Result<(), MigrateError> {
    let migrator = inner.product.migrator();
    bound_waits(tx, limits).await?;
    enter(tx, schema).await?;
    migrator.up(tx, None).await?;
    hide_history(tx, migrator, schema).await?;
    Ok(())
}

/// The tenant's new version and the line in its history, in the transaction that earned them.
async fn record(
    tx: &DatabaseTransaction,
    row: tenant::Model,
    head: String,
    actor: &str,
    detail: serde_json::Value,
) -> Result<(), DbErr> {
    let (id, now) = (row.id, history::now());
    let mut moved = row.into_active_model();
    moved.schema_version = Set(head);
    moved.updated_at = Set(now);
    moved.update(tx).await?;
    history::record(tx, id, "migrated", actor, detail, now).await
}
