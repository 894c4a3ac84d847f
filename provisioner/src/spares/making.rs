//! What is done to one spare: made, given back, taken away.

use entity::platform::tenant::{self, Status};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ConnectionTrait as _, DatabaseTransaction, DbErr,
    EntityTrait as _, IntoActiveModel as _,
};
use uuid::Uuid;

use super::{LIMITS, NAME};
use crate::create::{Cut, build, wait_for_the_dead};
use crate::history::now;
use crate::nodes::Site;
use crate::query::{one, run};
use crate::role::RoleName;
use crate::{CreateError, Product, SchemaName, lanes, slug};

/// The entry of a spare, or of one that is being made.
pub(super) fn entry(
    schema: &SchemaName,
    lane_id: Uuid,
    status: Status,
    head: &str,
) -> tenant::Model {
    let now = now();
    tenant::Model {
        id: Uuid::now_v7(),
        slug: slug::of_spare(schema),
        name: NAME.to_owned(),
        schema_name: schema.as_str().to_owned(),
        lane_id,
        plan_id: None,
        status,
        schema_version: head.to_owned(),
        tags: vec![],
        legal_hold: None,
        created_at: now,
        updated_at: now,
    }
}

/// Writes the entry.
pub(super) async fn enlist(tx: &DatabaseTransaction, row: tenant::Model) -> Result<(), DbErr> {
    tenant::Entity::insert(row.into_active_model().reset_all())
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Makes a spare on another node than the platform's, in one transaction there.
pub(super) async fn raise<P: Product>(
    tx: &DatabaseTransaction,
    site: &Site,
    product: &P,
    schema: &SchemaName,
    login: &RoleName,
) -> Result<(), Cut> {
    let undone = |error: DbErr| Cut::Undone(error.into());
    let node = site.begin(tx, LIMITS).await.map_err(undone)?;
    let outcome = async {
        wait_for_the_dead(&node, schema).await?;
        build(&node, product.migrator(), schema).await?;
        mark(&node, schema).await?;
        lanes::admit(&node, schema, login).await?;
        Ok::<_, CreateError>(())
    };
    match outcome.await {
        Ok(()) => node.commit().await.map_err(Cut::Unknown),
        Err(error) => {
            node.rollback().await;
            Err(Cut::Undone(error))
        }
    }
}

/// Where entry and schema share no transaction, the schema itself says that nobody was in it.
async fn mark(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<(), DbErr> {
    tx.execute_unprepared(&format!("COMMENT ON SCHEMA {schema} IS 'spare'"))
        .await?;
    Ok(())
}

/// Takes the mark away, in the transaction of the first rows.
pub(crate) async fn unmark(tx: &DatabaseTransaction, schema: &SchemaName) -> Result<(), DbErr> {
    tx.execute_unprepared(&format!("COMMENT ON SCHEMA {schema} IS NULL"))
        .await?;
    Ok(())
}

/// Whether a node holds a spare that nobody was in.
pub(crate) async fn is_untouched(
    tx: &DatabaseTransaction,
    schema: &SchemaName,
) -> Result<bool, DbErr> {
    let found = one(
        tx,
        "SELECT 1 AS yes WHERE obj_description(to_regnamespace($1), 'pg_namespace') = 'spare'",
        [schema.as_str().into()],
    )
    .await?;
    Ok(found.is_some())
}

/// Makes the entry a spare's again.
pub(crate) async fn give_back(
    tx: &DatabaseTransaction,
    row: tenant::Model,
    schema: &SchemaName,
) -> Result<(), DbErr> {
    let mut back = row.into_active_model();
    back.slug = Set(slug::of_spare(schema));
    back.name = Set(NAME.to_owned());
    back.plan_id = Set(None);
    back.status = Set(Status::Spare);
    back.updated_at = Set(now());
    back.update(tx).await?;
    Ok(())
}

/// Deletes the entry of somebody who never was, with what runs over the fleet wrote about it.
pub(crate) async fn forget(tx: &DatabaseTransaction, id: Uuid) -> Result<(), DbErr> {
    let events = "DELETE FROM platform.tenant_event WHERE tenant_id = $1";
    run(tx, events, [id.into()]).await?;
    tenant::Entity::delete_by_id(id).exec(tx).await?;
    Ok(())
}
