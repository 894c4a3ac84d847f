//! Use cases of items.

use ::entity::tenant::item;
use rust_decimal::Decimal;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DbErr, EntityTrait, IntoActiveModel};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::around::{Include, ItemAround, with_surroundings};
use super::model::{Filter, Item, ItemChange, NewItem, Price, Sort};
use super::search::{After, Order};
use super::store;
use crate::db::{Failure, TenantTx, failure_of};
use crate::kernel::{Cursor, CursorError, Page, Patch, Revised};
use crate::tenant::catalog::CatalogError;
use crate::tenant::catalog::error::expect_version;

pub(super) async fn list(
    tx: &TenantTx,
    filter: &Filter,
    sort: Sort,
    (limit, cursor): (u64, Option<Cursor>),
    include: Include,
) -> Result<Page<ItemAround>, CatalogError> {
    let order = Order::of(filter, sort);
    let after = cursor.map(|cursor| cursor.key::<After>()).transpose()?;
    if after.as_ref().is_some_and(|after| !order.fits(after)) {
        return Err(CursorError.into());
    }
    let rows = store::list(tx, filter, order, after, limit + 1).await?;
    let page = Page::of(rows, limit, |row| order.after(row.rank, &row.item));
    let Page { data, next } = page.map(|row| Item {
        item: row.item,
        barcodes: row.barcodes,
    });
    let data = with_surroundings(tx, data, include).await?;
    Ok(Page { data, next })
}

pub(super) async fn find_with(
    tx: &TenantTx,
    id: Uuid,
    include: Include,
) -> Result<ItemAround, CatalogError> {
    let found = vec![find(tx, id).await?];
    let mut around = with_surroundings(tx, found, include).await?;
    around.pop().ok_or(CatalogError::ItemNotFound)
}

pub(super) async fn find(tx: &TenantTx, id: Uuid) -> Result<Item, CatalogError> {
    store::find(tx, id).await?.ok_or(CatalogError::ItemNotFound)
}

pub(super) async fn create(
    tx: &TenantTx,
    new: &NewItem,
    now: OffsetDateTime,
) -> Result<Item, CatalogError> {
    let id = Uuid::now_v7();
    let mut active = item::ActiveModel {
        id: Set(id),
        sku: Set(new.sku.clone()),
        name: Set(new.name.clone()),
        description: Set(new.description.clone()),
        group_id: Set(new.group_id),
        base_unit: Set(new.base_unit.clone()),
        status: Set(new.status),
        custom: Set(Value::Object(new.custom.clone())),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
        retired_at: Set(None),
        ..Default::default()
    };
    set_price(&mut active, new.price.clone());
    active.cost_amount = Set(new.cost);
    expect_basis(&active)?;
    item::Entity::insert(active)
        .exec_without_returning(tx)
        .await
        .map_err(|error| with_group(error, new.group_id))?;
    store::add_barcodes(tx, id, &new.barcodes).await?;
    find(tx, id).await
}

pub(super) async fn change(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
    change: &ItemChange,
    now: OffsetDateTime,
) -> Result<Revised<Item>, CatalogError> {
    let current = find_locked(tx, id, expected).await?;
    let before = current.clone();
    let barcodes_before = match &change.barcodes {
        Some(_) => Some(store::barcodes_of(tx, id).await?),
        None => None,
    };
    let cost_before = current.cost_amount;
    let group_id = change.group_id.clone().over(current.group_id);
    let mut active = touched(current, now);
    active.group_id = Set(group_id);
    if let Some(sku) = &change.sku {
        active.sku = Set(sku.clone());
    }
    if let Some(name) = &change.name {
        active.name = Set(name.clone());
    }
    if let Some(description) = &change.description {
        active.description = Set(description.clone());
    }
    if let Some(base_unit) = &change.base_unit {
        active.base_unit = Set(base_unit.clone());
    }
    if let Some(status) = change.status {
        active.status = Set(status);
    }
    if let Some(custom) = &change.custom {
        active.custom = Set(Value::Object(custom.clone()));
    }
    match &change.price {
        Patch::Keep => {}
        Patch::Clear => set_price(&mut active, None),
        Patch::Set(price) => set_price(&mut active, Some(price.clone())),
    }
    let cost = change.cost.clone().over(cost_before);
    // Without a price nothing says what the cost is for.
    active.cost_amount = Set(cost.filter(|_| change.price != Patch::Clear || is_set(&change.cost)));
    expect_basis(&active)?;
    active
        .update(tx)
        .await
        .map_err(|error| with_group(error, group_id))?;
    if let Some(barcodes) = &change.barcodes {
        store::set_barcodes(tx, id, barcodes).await?;
    }
    let after = find(tx, id).await?;
    let before = Item {
        item: before,
        barcodes: barcodes_before.unwrap_or_else(|| after.barcodes.clone()),
    };
    Ok(Revised { before, after })
}

/// Puts an item away: it is no longer listed or sold, but keeps its SKU and can come back.
/// Doing so twice changes nothing.
pub(super) async fn retire(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
    now: OffsetDateTime,
) -> Result<(), CatalogError> {
    let current = find_locked(tx, id, expected).await?;
    if current.retired_at.is_none() {
        let mut retired = touched(current, now);
        retired.retired_at = Set(Some(now));
        retired.update(tx).await?;
    }
    Ok(())
}

/// Brings a retired item back, as it was.
pub(super) async fn restore(
    tx: &TenantTx,
    id: Uuid,
    now: OffsetDateTime,
) -> Result<Item, CatalogError> {
    let current = find_locked(tx, id, None).await?;
    if current.retired_at.is_some() {
        let mut restored = touched(current, now);
        restored.retired_at = Set(None);
        restored.update(tx).await?;
    }
    find(tx, id).await
}

async fn find_locked(
    tx: &TenantTx,
    id: Uuid,
    expected: Option<i64>,
) -> Result<item::Model, CatalogError> {
    let current = store::find_locked(tx, id)
        .await?
        .ok_or(CatalogError::ItemNotFound)?;
    expect_version(expected, current.version)?;
    Ok(current)
}

fn touched(current: item::Model, now: OffsetDateTime) -> item::ActiveModel {
    let next = current.version + 1;
    let mut active = current.into_active_model();
    active.version = Set(next);
    active.updated_at = Set(now);
    active
}

fn set_price(active: &mut item::ActiveModel, price: Option<Price>) {
    let (amount, per, unit, currency) = match price {
        Some(price) => (
            Some(price.amount),
            Some(price.per),
            Some(price.unit),
            Some(price.currency.to_string()),
        ),
        None => (None, None, None, None),
    };
    active.price_amount = Set(amount);
    active.price_per = Set(per);
    active.price_unit = Set(unit);
    active.currency = Set(currency);
}

fn is_set(cost: &Patch<Decimal>) -> bool {
    cost.as_set().is_some()
}

/// A cost is for as much as the price is for.
fn expect_basis(active: &item::ActiveModel) -> Result<(), CatalogError> {
    let is_there = |amount: &sea_orm::ActiveValue<Option<Decimal>>| {
        amount.try_as_ref().is_some_and(Option::is_some)
    };
    match is_there(&active.cost_amount) && !is_there(&active.price_amount) {
        true => Err(CatalogError::CostWithoutPrice),
        false => Ok(()),
    }
}

/// A broken reference to a group is told with the group's id.
fn with_group(error: DbErr, group_id: Option<Uuid>) -> CatalogError {
    match (failure_of(&error), group_id) {
        (Failure::Constraint(name), Some(group)) if name == "item_group_id_fkey" => {
            CatalogError::UnknownGroup(group)
        }
        _ => error.into(),
    }
}
