//! Queries of items and their barcodes.

use ::entity::tenant::{item, item_barcode};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};
use uuid::Uuid;

use super::model::{Filter, Item};
use super::search::{self, After, COLUMNS, Order};
use crate::db::TenantTx;

/// A row of the list, with its rank in the search.
#[derive(Debug, FromQueryResult)]
pub(super) struct ListedItem {
    #[sea_orm(nested)]
    pub item: item::Model,
    pub barcodes: Vec<String>,
    pub rank: i32,
}

#[derive(Debug, FromQueryResult)]
struct FoundItem {
    #[sea_orm(nested)]
    item: item::Model,
    barcodes: Vec<String>,
}

pub(super) async fn list(
    tx: &TenantTx,
    filter: &Filter,
    order: Order,
    after: Option<After>,
    limit: u64,
) -> Result<Vec<ListedItem>, DbErr> {
    let with_barcode = match &filter.q {
        Some(q) if search::may_be_barcode(q) => owners_of_barcode(tx, q).await?,
        _ => Vec::new(),
    };
    let statement = search::statement(filter, &with_barcode, order, after, limit);
    ListedItem::find_by_statement(statement).all(tx).await
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Option<Item>, DbErr> {
    let sql = format!("SELECT {COLUMNS} FROM item i WHERE i.id = $1");
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [id.into()]);
    let found = FoundItem::find_by_statement(statement).one(tx).await?;
    Ok(found.map(|found| Item {
        item: found.item,
        barcodes: found.barcodes,
    }))
}

pub(super) async fn find_locked(tx: &TenantTx, id: Uuid) -> Result<Option<item::Model>, DbErr> {
    item::Entity::find_by_id(id).lock_exclusive().one(tx).await
}

/// Makes `barcodes` the item's own, in this order.
pub(super) async fn set_barcodes(
    tx: &TenantTx,
    item_id: Uuid,
    barcodes: &[String],
) -> Result<(), DbErr> {
    let of_item = item_barcode::Column::ItemId.eq(item_id);
    item_barcode::Entity::delete_many()
        .filter(of_item)
        .exec(tx)
        .await?;
    add_barcodes(tx, item_id, barcodes).await
}

pub(super) async fn add_barcodes(
    tx: &TenantTx,
    item_id: Uuid,
    barcodes: &[String],
) -> Result<(), DbErr> {
    if barcodes.is_empty() {
        return Ok(());
    }
    let rows = barcodes
        .iter()
        .zip(0_i16..)
        .map(|(barcode, position)| item_barcode::ActiveModel {
            barcode: Set(barcode.clone()),
            item_id: Set(item_id),
            position: Set(position),
        });
    item_barcode::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

pub(super) async fn barcodes_of(tx: &TenantTx, item_id: Uuid) -> Result<Vec<String>, DbErr> {
    let own = item_barcode::Entity::find()
        .select_only()
        .column(item_barcode::Column::Barcode)
        .filter(item_barcode::Column::ItemId.eq(item_id))
        .order_by_asc(item_barcode::Column::Position);
    own.into_tuple().all(tx).await
}

async fn owners_of_barcode(tx: &TenantTx, barcode: &str) -> Result<Vec<Uuid>, DbErr> {
    let owner = item_barcode::Entity::find_by_id(barcode).one(tx).await?;
    Ok(owner.map(|owner| owner.item_id).into_iter().collect())
}
