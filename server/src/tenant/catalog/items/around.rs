//! What lies around items: their groups and units, read for all items of a page at once.

use std::collections::HashMap;

use ::entity::tenant::{item_group, unit};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::model::Item;
use crate::db::TenantTx;

/// What is wanted beside an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Include {
    pub group: bool,
    pub unit: bool,
}

/// An item, and what was wanted beside it.
#[derive(Debug, Clone)]
pub(super) struct ItemAround {
    pub item: Item,
    pub group: Option<item_group::Model>,
    pub unit: Option<unit::Model>,
}

impl Include {
    /// What it is called on the wire.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        [(self.group, "group"), (self.unit, "unit")]
            .into_iter()
            .filter_map(|(is_wanted, name)| is_wanted.then_some(name))
    }

    /// Whether anything is.
    pub(super) fn is_any(self) -> bool {
        self.group || self.unit
    }
}

/// Adds what is wanted: one statement for all groups, one for all units, however many items.
pub(super) async fn with_surroundings(
    tx: &TenantTx,
    items: Vec<Item>,
    include: Include,
) -> Result<Vec<ItemAround>, DbErr> {
    let groups = if include.group {
        groups_of(tx, &items).await?
    } else {
        HashMap::new()
    };
    let units = if include.unit {
        units_of(tx, &items).await?
    } else {
        HashMap::new()
    };
    let around = items.into_iter().map(|item| {
        let group = item.item.group_id.and_then(|id| groups.get(&id).cloned());
        let unit = units.get(&item.item.base_unit).cloned();
        ItemAround { item, group, unit }
    });
    Ok(around.collect())
}

async fn groups_of(
    tx: &TenantTx,
    items: &[Item],
) -> Result<HashMap<Uuid, item_group::Model>, DbErr> {
    let mut ids: Vec<_> = items.iter().filter_map(|item| item.item.group_id).collect();
    ids.sort_unstable();
    ids.dedup();
    // An array is one value: a list of values would be another statement for every length.
    let found = item_group::Entity::find()
        .filter(item_group::Column::Id.eq_any(ids))
        .all(tx)
        .await?;
    Ok(found.into_iter().map(|group| (group.id, group)).collect())
}

async fn units_of(tx: &TenantTx, items: &[Item]) -> Result<HashMap<String, unit::Model>, DbErr> {
    let codes = items.iter().map(|item| item.item.base_unit.clone());
    let mut codes: Vec<_> = codes.collect();
    codes.sort_unstable();
    codes.dedup();
    let found = unit::Entity::find()
        .filter(unit::Column::Code.eq_any(codes))
        .all(tx)
        .await?;
    let by_code = found.into_iter().map(|unit| (unit.code.clone(), unit));
    Ok(by_code.collect())
}
