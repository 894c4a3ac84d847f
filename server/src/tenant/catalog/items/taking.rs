//! Items for those who take them out, a page at a time in the order of their SKUs.

use std::collections::HashMap;

use ::entity::tenant::item::{self, Status};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::model::{Direction, Filter, Shown, Sort, SortKey};
use super::search::{After, Order};
use super::store;
use super::wire::StatusOut;
use crate::db::TenantTx;
use crate::tenant::catalog::{CatalogError, groups};

/// Which items are wanted, as in the list of items.
#[derive(Debug, Clone, Default, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemFilter {
    /// Words or parts of words in SKU, name or description, or a whole barcode. All must occur.
    #[validate(length(max = 500))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    q: Option<String>,
    /// Items of this group and of all groups within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group_id: Option<Uuid>,
    /// Only items in this state; all but retired ones when absent.
    #[schema(inline, nullable)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<StatusOut>,
    /// Only items that were changed then or later, RFC 3339.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    updated_since: Option<OffsetDateTime>,
}

/// An item as it is taken out.
#[derive(Debug, Clone)]
pub(in crate::tenant) struct TakenItem {
    pub item: item::Model,
    pub barcodes: Vec<String>,
}

impl TakenItem {
    /// Its state, as the API names it.
    pub(in crate::tenant) fn status(&self) -> &'static str {
        match (self.item.retired_at, self.item.status) {
            (Some(_), _) => "retired",
            (None, Status::Active) => "active",
            (None, Status::Obsolete) => "obsolete",
        }
    }
}

/// The names that lead to each group, by its id.
pub(in crate::tenant) async fn group_paths(
    tx: &TenantTx,
) -> Result<HashMap<Uuid, Vec<String>>, CatalogError> {
    let groups = groups::all_paths(tx).await?;
    Ok(groups
        .into_iter()
        .map(|group| (group.id, group.path))
        .collect())
}

/// The items after one, by its SKU.
pub(in crate::tenant) async fn take(
    tx: &TenantTx,
    wanted: &ItemFilter,
    after: Option<&str>,
    limit: u64,
) -> Result<Vec<TakenItem>, CatalogError> {
    let filter = Filter {
        q: wanted
            .q
            .as_ref()
            .map(|q| q.replace('\0', "\u{fffd}").trim().to_owned())
            .filter(|q| !q.is_empty()),
        group_id: wanted.group_id,
        updated_since: wanted.updated_since,
        shown: match wanted.status {
            None => Shown::Kept,
            Some(StatusOut::Active) => Shown::Active,
            Some(StatusOut::Obsolete) => Shown::Obsolete,
            Some(StatusOut::Retired) => Shown::Retired,
        },
        ..Filter::default()
    };
    let order = Order::By(Sort {
        key: SortKey::Sku,
        direction: Direction::Up,
    });
    let after = after.map(|sku| After::Sku(sku.to_owned()));
    let rows = store::list(tx, &filter, order, after, limit).await?;
    Ok(rows
        .into_iter()
        .map(|row| TakenItem {
            item: row.item,
            barcodes: row.barcodes,
        })
        .collect())
}
