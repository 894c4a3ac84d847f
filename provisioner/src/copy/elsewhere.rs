//! A copy where its rows and the directory don't share a transaction: on another node, or because
//! the rows are those of one moment and the directory's are not.
//!
//! As with a birth elsewhere: the directory says first that the tenant is being made. Then, under
//! a lock on that entry that ends with its holder, what an earlier attempt left is dropped, one
//! transaction makes the tenant, and the entry becomes active. A failure takes the entry back; a
//! kill leaves it, and the same command takes it over.

use entity::platform::tenant::Status;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ConnectionTrait as _, DatabaseConnection,
    DatabaseTransaction, DbErr, IntoActiveModel as _, ModelTrait as _,
};

use super::export::Source;
use super::import::Birthmark;
use super::raise::{Rows, raise};
use super::wire::{Mode, Wire};
use super::{CopyError, LIMITS};
use crate::create::elsewhere::{self as birth_elsewhere, Announced};
use crate::create::{self, NewTenant, head};
use crate::history::{now, record};
use crate::lanes::{self, LaneError};
use crate::role::RoleName;
use crate::transaction::{act_as_owner, begin, finish};
use crate::{CreateError, Inner, Product, SchemaName, TenantEntry, directory};

/// Makes what was announced, and says so.
pub(super) async fn complete<P: Product>(
    inner: &Inner<P>,
    announced: &Announced,
    new: &NewTenant,
    rows: &Rows,
    birth: &Birthmark,
) -> Result<(TenantEntry, u64), CopyError> {
    let tx = begin(&inner.db, LIMITS).await?;
    let outcome = complete_in(&tx, inner, announced, new, rows, birth).await;
    // Taking the intent back is a success of the transaction and a failure of the copy.
    let outcome = finish(tx, outcome).await?;
    if let (Err(_), Some(added)) = (&outcome, &announced.added) {
        birth_elsewhere::forsake(inner, added).await?;
    }
    outcome
}

type Outcome = Result<(TenantEntry, u64), CopyError>;

async fn complete_in<P: Product>(
    tx: &DatabaseTransaction,
    inner: &Inner<P>,
    announced: &Announced,
    new: &NewTenant,
    rows: &Rows,
    birth: &Birthmark,
) -> Result<Outcome, CopyError> {
    let row = birth_elsewhere::hold(tx, announced.id, &new.slug).await?;
    act_as_owner(tx).await?;
    let head = head(inner.product.migrator()).ok_or(CreateError::NoMigrations)?;
    let (lane, node) = birth_elsewhere::home(tx, &row).await?;
    let login = RoleName::parse_lane(&lane.login_role).map_err(LaneError::from)?;
    let site = inner.reach(node).await?;
    let schema = SchemaName::parse(&row.schema_name)?;
    let database = site.database(&inner.db);
    // Before this is done something may be there, so a failure must not take the entry away.
    clear(database, &schema).await?;
    let made = async {
        if let Rows::Neighbour(neighbour) = rows {
            // Stays as it is until we are done.
            Source::find(tx, inner, &neighbour.id.to_string()).await?;
        }
        make(database, inner, rows, &schema, &login).await
    };
    let loaded = match made.await {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(cause)) => {
            let unfinished = CreateError::Unfinished {
                slug: new.slug.clone(),
                node: site.node.name.clone(),
                cause,
            };
            return Err(unfinished.into());
        }
        Err(error) => {
            row.delete(tx).await?;
            return Ok(Err(error));
        }
    };
    let (id, now) = (row.id, now());
    let mut born = row.into_active_model();
    born.name = Set(new.name.as_str().to_owned());
    born.plan_id = Set(announced.plan.as_ref().map(|plan| plan.id));
    born.schema_version = Set(head);
    born.tags = Set(birth.tags.clone());
    born.status = Set(Status::Active);
    born.updated_at = Set(now);
    born.update(tx).await?;
    record(tx, id, "created", &new.actor, birth.detail.clone(), now).await?;
    let entry = directory::entry(tx, id).await?;
    Ok(Ok((entry.ok_or_else(create::vanished)?, loaded)))
}

/// Drops what an earlier attempt left; nobody has used it.
async fn clear(database: &DatabaseConnection, schema: &SchemaName) -> Result<(), CopyError> {
    let tx = begin(database, LIMITS).await?;
    let outcome = async {
        act_as_owner(&tx).await?;
        birth_elsewhere::wait_for_the_dead(&tx, schema).await?;
        let sql = format!("DROP SCHEMA IF EXISTS {schema} CASCADE; DROP ROLE IF EXISTS {schema}");
        tx.execute_unprepared(&sql).await?;
        Ok(())
    };
    let outcome = outcome.await;
    finish(tx, outcome).await
}

/// The rows, or what happened to the connection at the commit, when nobody knows how it ended.
async fn make<P: Product>(
    database: &DatabaseConnection,
    inner: &Inner<P>,
    rows: &Rows,
    schema: &SchemaName,
    login: &RoleName,
) -> Result<Result<u64, DbErr>, CopyError> {
    let mode = match rows {
        Rows::Folder(_) => Mode::Write,
        Rows::Neighbour(_) => Mode::PictureAndWrite,
    };
    let wire = Wire::begin(database, mode, LIMITS).await?;
    let outcome = async {
        let tx = wire.savepoint().await?;
        let waited = birth_elsewhere::wait_for_the_dead(&tx, schema).await;
        finish(tx, waited).await?;
        let loaded = raise(&wire, &inner.product, schema, rows).await?;
        let tx = wire.savepoint().await?;
        let admitted = lanes::admit(&tx, schema, login).await;
        finish(tx, admitted).await?;
        Ok::<_, CopyError>(loaded)
    };
    match outcome.await {
        Ok(loaded) => Ok(wire.commit().await.map(|()| loaded)),
        Err(error) => {
            wire.rollback().await;
            Err(error)
        }
    }
}
